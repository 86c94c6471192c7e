/** Finds leases by their id, for whoever asks from a namespace. */
import { mountByUuid } from '../mounts/table.ts'
import { pathOfNamespace } from '../namespaces.ts'
import type { Namespace } from '../plugin/request.ts'
import type { View } from '../store/view.ts'
import { isTokenAlive } from '../tokens/find.ts'
import { leaseKey, leaseRecords, namespaceIdOfLease, type Lease } from './record.ts'

export interface FindLease {
  readonly root: View
  readonly nowMs: number
}

/**
 * The lease as it is stored, whatever its state, if it lies in that namespace or below: an id is no secret, so it must not
 * let one tenant reach the leases of another.
 */
export async function findLease(
  root: View,
  id: string,
  within: Namespace,
): Promise<Lease | undefined> {
  const namespaceId = namespaceIdOfLease(id)
  const path = await pathOfNamespace(root, namespaceId)
  if (!path?.startsWith(within.path) || id === '' || id.endsWith('/')) return undefined
  return root.get(leaseRecords, leaseKey({ namespaceId, id }))
}

/**
 * Whether its secret is still somebody's: its time is not over, nobody has revoked it, and its mount and token are there.
 * What is not, the timed duties will end soon.
 */
export async function isAlive({ root, nowMs }: FindLease, lease: Lease): Promise<boolean> {
  if (lease.revocation !== null || lease.expiresAtMs <= nowMs) return false
  if ((await mountByUuid(root, lease.namespaceId, lease.mountUuid)) === undefined) return false
  const { token, tokenNamespaceId } = lease
  return token === '' || isTokenAlive({ root, nowMs }, tokenNamespaceId, token)
}
