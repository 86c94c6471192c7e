/**
 * Cleans up after mounts that are gone. Nobody reaches them from the commit that unmounts: first their secrets are
 * revoked, for which their settings are still needed, then their records are removed.
 */
import type { CorruptRecord } from '../errors.ts'
import { readable } from '../tokens/revoke.ts'
import { hasIntents } from '../effects/intents.ts'
import { mountLeasePrefix } from '../leases/record.ts'
import { revokeSoonByRef } from '../leases/revoke.ts'
import { listBelow } from '../store/deep.ts'
import type { View } from '../store/view.ts'
import { mountPrefix } from './record.ts'
import { PURGE_PREFIX, purgeRecords, type Removed } from './removed.ts'

/** Records that one step removes. */
const PAGE = 500
/** Leases that one step marks; each takes up to three changes of a commit. */
const LEASE_PAGE = 250
/** Removed mounts that one step looks at: some may have to wait for secrets that cannot be revoked. */
const MOUNTS = 100

/**
 * One step.
 *
 * @param report told of leases that cannot be read; they are left out, so that they hold up no others
 * @returns whether there is more to do
 */
export async function purgeUnmounted(
  root: View,
  nowMs: number,
  report: (error: CorruptRecord) => void,
): Promise<boolean> {
  for (const uuid of await root.list(PURGE_PREFIX, { limit: MOUNTS })) {
    const removed = (await root.get(purgeRecords, PURGE_PREFIX + uuid)) ?? { uuid }
    if (await markLeases(root, removed, { nowMs, report })) return true
    if (!(await isWaiting(root, uuid))) return removeRecords(root, uuid)
  }
  return false
}

/** @returns whether it did something */
async function markLeases(
  root: View,
  removed: Removed,
  { nowMs, report }: { nowMs: number; report: (error: CorruptRecord) => void },
): Promise<boolean> {
  const { uuid, leasesUpTo = '' } = removed
  const prefix = mountLeasePrefix(uuid)
  const names = await root.list(prefix, { after: leasesUpTo, limit: LEASE_PAGE })
  const last = names.at(-1)
  if (last === undefined) return false
  for (const name of names) {
    await readable(report, () => revokeSoonByRef(root, prefix + name, nowMs))
  }
  root.put(purgeRecords, PURGE_PREFIX + uuid, { ...removed, leasesUpTo: last })
  return true
}

async function isWaiting(root: View, uuid: string): Promise<boolean> {
  const [lease] = await root.list(mountLeasePrefix(uuid), { limit: 1 })
  return lease !== undefined || hasIntents(root, uuid)
}

async function removeRecords(root: View, uuid: string): Promise<boolean> {
  const prefix = mountPrefix(uuid)
  const keys = await listBelow(root, prefix, { limit: PAGE })
  for (const key of keys) root.delete(prefix + key)
  if (keys.length < PAGE) root.delete(PURGE_PREFIX + uuid)
  return true
}
