/** The keys of a folder, those from before an upgrade among them. */
import { boolean, integer, string, type Parsed } from '../../../core/plugin/fields.ts'
import type { View } from '../../../core/store/view.ts'
import { VALUE_PREFIX } from '../v1/records.ts'
import { scan as scanNames } from '../scan.ts'
import { describeKey } from './answers.ts'
import { readConfig } from './config.ts'
import { findKey } from './keys.ts'
import { KEY_PREFIX, type Config } from './records.ts'
import { findVersion, isGone } from './versions.ts'

/** A scan takes and ignores them, as the reference does. */
export const pageFields = {
  after: string('List only names that sort after this one, which need not exist.').inQuery(),
  limit: integer('At most so many names; 0: all.').inQuery(),
  exclude_deleted: boolean('Leave out keys whose current version is deleted.').inQuery(),
}

export function pageOf(data: Parsed<typeof pageFields>): Page {
  const { after = '', limit = 0, exclude_deleted: excludeDeleted = false } = data
  return { after, limit: limit > 0 ? limit : Infinity, excludeDeleted }
}

export interface Page {
  readonly after: string
  /** Infinity: all. */
  readonly limit: number
  /** Leaves out keys whose current version is deleted or destroyed. */
  readonly excludeDeleted: boolean
}

interface Listing {
  readonly storage: View
  /** Empty, or ends in '/'. */
  readonly folder: string
  readonly nowMs: number
}

export async function listKeys(listing: Listing, page: Page): Promise<string[]> {
  const { storage, folder } = listing
  const config = await readConfig(storage)
  if (!page.excludeDeleted) return namesOf(storage, config, folder, page)
  const kept: string[] = []
  let { after } = page
  for (;;) {
    const names = await namesOf(storage, config, folder, { after, limit: page.limit })
    for (const name of names) {
      if (kept.length === page.limit) return kept
      if (!(await isDeletedKey(listing, name))) kept.push(name)
    }
    const last = names.at(-1)
    if (names.length < page.limit || last === undefined) return kept
    after = last
  }
}

export async function scanKeys({ storage, folder }: Listing): Promise<string[]> {
  const config = await readConfig(storage)
  return scanNames((inner) =>
    namesOf(storage, config, folder + inner, { after: '', limit: Infinity }),
  )
}

async function namesOf(
  storage: View,
  { upgradedAtMs }: Config,
  folder: string,
  { after, limit }: Pick<Page, 'after' | 'limit'>,
): Promise<string[]> {
  const options = { after, ...(limit < Infinity && { limit }) }
  const names = await storage.list(KEY_PREFIX + folder, options)
  if (upgradedAtMs === undefined) return names
  const unversioned = await storage.list(VALUE_PREFIX + folder, options)
  const all = [...new Set([...names, ...unversioned])].sort(byBytes)
  return all.slice(0, limit)
}

/** The order of the storage. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

async function isDeletedKey({ storage, folder, nowMs }: Listing, name: string): Promise<boolean> {
  const key = await findKey(storage, folder + name)
  const current = key && findVersion(key)
  return current !== undefined && isGone(current.version, nowMs)
}

/** Each name with the metadata of its key; a folder has none. */
export async function describeKeys(
  { storage, folder }: Listing,
  names: readonly string[],
): Promise<Record<string, object>> {
  const details: [string, object][] = []
  for (const name of names) {
    const key = await findKey(storage, folder + name)
    details.push([name, key === undefined ? {} : describeKey(key)])
  }
  return Object.fromEntries(details)
}
