/**
 * Timed work on the quotas of leases: which quota counts a lease is decided anew when the quotas have changed, and counts
 * are rid of leases that have ended. Each step is a transaction, so the counts are right at any time, for what was
 * looked at so far.
 */
import type { CorruptRecord } from '../errors.ts'
import {
  leaseKey,
  leaseRecords,
  leaseRefs,
  MOUNT_LEASES_PREFIX,
  mountLeasePrefix,
  putLease,
  type Lease,
} from '../leases/record.ts'
import { mountByUuid } from '../mounts/table.ts'
import type { View } from '../store/view.ts'
import { readable } from '../tokens/revoke.ts'
import { quotaOfLeases, takeEnds } from './count-leases.ts'
import {
  LEASE_ENDS_PREFIX,
  leaseCountKey,
  leaseCounts,
  readLeaseQuotas,
  RECOUNT_KEY,
  recounts,
} from './lease-quotas.ts'

/** Leases that one step looks at. */
const PAGE = 200

type Report = (error: CorruptRecord) => void

/** One step. @param report told of leases that cannot be read; they are left out @returns whether there is more to do */
export async function tendLeaseQuotas(root: View, report: Report): Promise<boolean> {
  return (await recountSome(root, report)) || takeSomeEnds(root)
}

/** @returns whether there was something to do */
async function recountSome(root: View, report: Report): Promise<boolean> {
  const job = await root.get(recounts, RECOUNT_KEY)
  if (job === undefined) return false
  const { mountUuid, upTo } = job
  const names =
    mountUuid === ''
      ? []
      : await root.list(mountLeasePrefix(mountUuid), { after: upTo, limit: PAGE })
  const last = names.at(-1)
  if (last !== undefined) {
    await countAnew(root, mountUuid, names, report)
    root.put(recounts, RECOUNT_KEY, { mountUuid, upTo: last })
    return true
  }
  const after = mountUuid === '' ? '' : `${mountUuid}/`
  const [next] = await root.list(MOUNT_LEASES_PREFIX, { after, limit: 1 })
  if (next === undefined) root.delete(RECOUNT_KEY)
  else root.put(recounts, RECOUNT_KEY, { mountUuid: next.slice(0, -1), upTo: '' })
  return true
}

async function countAnew(
  root: View,
  mountUuid: string,
  names: readonly string[],
  report: Report,
): Promise<void> {
  const changes = new Map<string, number>()
  const change = (id: string, by: number) => changes.set(id, (changes.get(id) ?? 0) + by)
  for (const name of names) {
    const ref = await readable(report, () =>
      root.get(leaseRefs, mountLeasePrefix(mountUuid) + name),
    )
    const lease = ref && (await readable(report, () => root.get(leaseRecords, leaseKey(ref))))
    if (lease === undefined) continue
    const quotaId = await quotaIdOf(root, lease)
    if (quotaId === lease.quotaId) continue
    if (lease.quotaId !== null) change(lease.quotaId, -1)
    if (quotaId !== null) change(quotaId, 1)
    putLease(root, { ...lease, quotaId }, lease)
  }
  await applyChanges(root, changes)
}

async function quotaIdOf(root: View, lease: Lease): Promise<string | null> {
  const { namespaceId, mountUuid, path } = lease
  const mountPath = (await mountByUuid(root, namespaceId, mountUuid))?.path ?? ''
  return (await quotaOfLeases(root, { namespaceId, mountUuid, mountPath, path }))?.id ?? null
}

/** A quota that is gone has no count any more. */
async function applyChanges(root: View, changes: ReadonlyMap<string, number>): Promise<void> {
  const living = new Set((await readLeaseQuotas(root)).map(({ id }) => id))
  for (const [id, by] of changes) {
    if (!living.has(id)) continue
    const count = (await root.get(leaseCounts, leaseCountKey(id)))?.count ?? 0
    root.put(leaseCounts, leaseCountKey(id), { count: count + by })
  }
}

/** @returns whether there was something to do */
async function takeSomeEnds(root: View): Promise<boolean> {
  const [folder] = await root.list(LEASE_ENDS_PREFIX, { limit: 1 })
  if (folder === undefined) return false
  const id = folder.slice(0, -1)
  await applyChanges(root, new Map([[id, -(await takeEnds(root, id))]]))
  return true
}
