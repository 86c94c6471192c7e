/** Lists of identity: names in pages, with what is worth knowing of each. */
import { page } from '../../core/plugin/paging.ts'
import type { Response } from '../../core/plugin/response.ts'
import type { View } from '../../core/store/view.ts'

interface Page {
  readonly after: string | undefined
  readonly limit: number | undefined
}

/** The names of a folder as they were written before they became segments of keys. */
export async function namesIn(
  root: View,
  folder: string,
  { after, limit }: Page,
): Promise<string[]> {
  const from = after?.replaceAll('%', '%25').replaceAll('/', '%2F')
  const names = await root.list(folder, page({ after: from, limit }))
  return names.map((name) => name.replaceAll('%2F', '/').replaceAll('%25', '%'))
}

/** @param infoOf `undefined`: it went meanwhile */
export async function listWithInfo(
  keys: readonly string[],
  infoOf: (key: string) => Promise<object | undefined>,
): Promise<Response> {
  const info: Record<string, object> = {}
  for (const key of keys) {
    const found = await infoOf(key)
    if (found !== undefined) info[key] = found
  }
  return { data: { keys, ...(keys.length > 0 && { key_info: info }) } }
}
