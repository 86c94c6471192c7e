/** All names below a folder, for SCAN and for what works through a whole mount. */
import { BadRequest } from '../../core/errors.ts'

/** Names in one answer: as many as one listing may have. */
const MAX_SCANNED = 1_000_000

/** The names one level below a folder, which is empty or ends in '/'. */
export type ListFolder = (folder: string) => Promise<readonly string[]>

/**
 * The records below, by their path from there: those of a folder, then those of its folders, the last one first, which
 * is the order of the reference.
 *
 * @throws {BadRequest} there are too many for one answer
 */
export async function scan(list: ListFolder): Promise<string[]> {
  const found = await scanSome(list, MAX_SCANNED + 1)
  if (found.length > MAX_SCANNED) {
    throw new BadRequest(
      `there are more than ${MAX_SCANNED} names below; scan the folders one by one`,
    )
  }
  return found
}

/** As `scan`, and stops at so many. */
export async function scanSome(list: ListFolder, limit: number): Promise<string[]> {
  const found: string[] = []
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of await list(folder)) {
      if (name.endsWith('/')) folders.push(folder + name)
      else found.push(folder + name)
    }
    if (found.length >= limit) return found.slice(0, limit)
  }
  return found
}
