/**
 * Revokes leases: marked first, in the transaction of whoever asks, undone outside, and removed in a transaction of its own.
 * A lease that is marked is never forgotten: it is tried again until it is undone, or until an operator decides.
 */
import { removeStored, type Undoing, type UndoParts } from '../effects/undo.ts'
import type { Source } from '../effects/source.ts'
import type { View } from '../store/view.ts'
import {
  deleteLease,
  LEASE_DUE_PREFIX,
  leaseKey,
  leaseRecords,
  leaseRefs,
  putLease,
  type Lease,
  type LeaseRef,
} from './record.ts'

/** Failed attempts after which nobody but an operator tries again. */
const MAX_ATTEMPTS = 6
/** From the first failure to the next attempt; twice as long after each further one. */
const FIRST_PAUSE_MS = 10_000

/**
 * From this transaction's commit on it cannot be renewed, and the timed duties undo it.
 *
 * @param force it is forgotten even if it cannot be undone
 */
export function revokeSoon(
  root: View,
  lease: Lease,
  nowMs: number,
  { force = false }: { force?: boolean } = {},
): Lease {
  const { revocation } = lease
  const isUnderWay = revocation !== null && revocation.dueAtMs !== null
  if (isUnderWay && (revocation.force || !force)) return lease
  const error = revocation?.error ?? ''
  const marked = { ...lease, revocation: { dueAtMs: nowMs, attempts: 0, error, force } }
  putLease(root, marked, lease)
  return marked
}

/** The same, for the lease that a key leads to. @returns it, if it is there */
export async function revokeSoonByRef(
  root: View,
  refKey: string,
  nowMs: number,
): Promise<Lease | undefined> {
  const ref = await root.get(leaseRefs, refKey)
  const lease = ref && (await root.get(leaseRecords, leaseKey(ref)))
  return lease && revokeSoon(root, lease, nowMs)
}

/** A lease that is being undone. */
export interface LeaseUndoing extends Undoing {
  readonly lease: Lease
}

export function undoingOf(lease: Lease): LeaseUndoing {
  const { namespaceId, mountUuid, type, internal } = lease
  return { namespaceId, mountUuid, type, internal, lease }
}

/** The leases whose time has come, for the sweep. */
export function dueLeases(parts: UndoParts): Source<LeaseUndoing> {
  return {
    what: 'revoking a lease',
    prefix: LEASE_DUE_PREFIX,
    async claim(root, key) {
      const ref = await root.get(leaseRefs, key)
      const lease = ref && (await root.get(leaseRecords, leaseKey(ref)))
      if (lease === undefined) {
        root.delete(key)
        return undefined
      }
      return undoingOf(claimLease(root, lease))
    },
    undone: (root, { lease }, nowMs) => removeRevoked(root, parts, lease, nowMs),
    async failed(root, { lease }, nowMs, error) {
      await recordFailure(root, lease, nowMs, error)
    },
    facts: ({ lease: { path, id, token } }) => ({
      operation: 'revoke',
      path,
      leaseId: id,
      accessor: token,
    }),
  }
}

/** Written before it is undone, so that nobody renews meanwhile what will be gone. */
function claimLease(root: View, lease: Lease): Lease {
  if (lease.revocation !== null) return lease
  const revocation = { dueAtMs: lease.expiresAtMs, attempts: 0, error: '', force: false }
  const claimed = { ...lease, revocation }
  putLease(root, claimed, lease)
  return claimed
}

/** Once it is undone. */
export async function removeRevoked(
  root: View,
  parts: UndoParts,
  ref: LeaseRef,
  nowMs: number,
): Promise<void> {
  const lease = await root.get(leaseRecords, leaseKey(ref))
  if (lease === undefined) return
  await removeStored(root, parts, undoingOf(lease), nowMs)
  deleteLease(root, lease)
}

/** @returns whether it is gone all the same, because an operator wants it so */
export async function recordFailure(
  root: View,
  ref: LeaseRef,
  nowMs: number,
  error: string,
): Promise<boolean> {
  const lease = await root.get(leaseRecords, leaseKey(ref))
  if (lease?.revocation?.force === true) {
    deleteLease(root, lease)
    return true
  }
  if (lease === undefined) return true
  const attempts = (lease.revocation?.attempts ?? 0) + 1
  const pauseMs = FIRST_PAUSE_MS * 2 ** (attempts - 1)
  const dueAtMs = attempts < MAX_ATTEMPTS ? nowMs + pauseMs : null
  putLease(root, { ...lease, revocation: { dueAtMs, attempts, error, force: false } }, lease)
  return false
}
