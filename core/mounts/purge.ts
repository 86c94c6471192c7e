/** Removes the records of mounts that are gone. Nobody reaches them from the commit that unmounts; this frees the room. */
import { z } from 'zod'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { listDeep } from '../tokens/revoke.ts'
import { mountPrefix } from './record.ts'

const purgeRecords = kind('purge', z.object({ uuid: z.string() }).readonly())
const PURGE_PREFIX = 'purge/'
/** Records that one step removes. */
const PAGE = 500

/** Leaves a note, in the transaction that unmounts. */
export function purgeLater(root: View, uuid: string): void {
  root.put(purgeRecords, PURGE_PREFIX + uuid, { uuid })
}

/** One step. @returns whether there is more to do */
export async function purgeUnmounted(root: View): Promise<boolean> {
  const [uuid] = await root.list(PURGE_PREFIX, { limit: 1 })
  if (uuid === undefined) return false
  const keys = await listDeep(root, mountPrefix(uuid), PAGE)
  for (const key of keys) root.delete(key)
  if (keys.length < PAGE) root.delete(PURGE_PREFIX + uuid)
  return true
}
