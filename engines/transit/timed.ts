/** What time brings to keys: new versions, and the end of those that are to be deleted. One key a step. */
import type { MountContext } from '../../core/plugin/plugin.ts'
import { removeKey, rotateKey } from './change.ts'
import { keyKey, TIMED_PREFIX, transitKeys, type TransitKey } from './records.ts'

/** Keys that are read at a time; only those that time brings something to are listed. */
const PAGE = 1000

/** @returns whether there may be more */
export async function doTimedWork(context: MountContext): Promise<boolean> {
  const { storage, nowMs } = context
  let after = ''
  for (;;) {
    const ids = await storage.list(TIMED_PREFIX, { after, limit: PAGE })
    for (const id of ids) {
      const key = await storage.get(transitKeys, keyKey(id))
      if (key === undefined) continue
      if (key.deletesAtMs !== null && key.deletesAtMs <= nowMs) {
        removeKey(storage, key)
        return true
      }
      if (!isDue(key, nowMs)) continue
      await rotateKey(context, key)
      return true
    }
    const last = ids.at(-1)
    if (last === undefined || ids.length < PAGE) return false
    after = last
  }
}

/** Whether a new version is. */
function isDue(key: TransitKey, nowMs: number): boolean {
  const rests = key.softDeleted || key.disabled || key.deletesAtMs !== null
  if (key.autoRotateSeconds === 0 || rests) return false
  if (key.imported && !key.importedAllowRotation) return false
  const latest = key.versions[String(key.latestVersion)]
  return latest !== undefined && nowMs > latest.createdAtMs + key.autoRotateSeconds * 1000
}
