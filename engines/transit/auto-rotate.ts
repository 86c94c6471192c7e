/** Adds versions to the keys whose period is over, one key a step. */
import type { MountContext } from '../../core/plugin/plugin.ts'
import { rotateKey } from './change.ts'
import { findKey } from './keys.ts'
import { NAMES_PREFIX, type TransitKey } from './records.ts'

/** Names that are read at a time. */
const PAGE = 1000

/** @returns whether there may be more */
export async function rotateDue(context: MountContext): Promise<boolean> {
  let after = ''
  for (;;) {
    const names = await context.storage.list(NAMES_PREFIX, { after, limit: PAGE })
    for (const name of names) {
      const key = await findKey(context.storage, name)
      if (key === undefined || !isDue(key, context.nowMs)) continue
      await rotateKey(context, key)
      return true
    }
    const last = names.at(-1)
    if (last === undefined || names.length < PAGE) return false
    after = last
  }
}

function isDue(key: TransitKey, nowMs: number): boolean {
  if (key.autoRotateSeconds === 0 || key.softDeleted) return false
  if (key.imported && !key.importedAllowRotation) return false
  const latest = key.versions[String(key.latestVersion)]
  return latest !== undefined && nowMs > latest.createdAtMs + key.autoRotateSeconds * 1000
}
