/** Makes leases, in the transaction of the request that gives the secret out. */
import { BadRequest } from '../errors.ts'
import { ROOT } from '../namespaces.ts'
import type { Secret } from '../plugin/effects.ts'
import type { Mount, Namespace } from '../plugin/request.ts'
import type { LeaseAnswer } from '../plugin/response.ts'
import type { Random } from '../random.ts'
import type { View } from '../store/view.ts'
import type { TokenRecord } from '../tokens/record.ts'
import { grantedTtl } from '../ttl.ts'
import { putLease, type Lease } from './record.ts'

/** Random characters of a lease's id: 142 bits. */
const ID_CHARACTERS = 24

export interface LeaseSpec {
  readonly secret: Secret
  readonly namespace: Namespace
  /** Of the request, relative to the namespace. */
  readonly path: string
  readonly mount: Mount
  /** Whose secret it is. */
  readonly token: TokenRecord
  /** Which quota counts it. */
  readonly quotaId: string | null
}

export interface LeaseContext {
  readonly root: View
  readonly nowMs: number
  readonly random: Random
}

export function issueLease(
  { root, nowMs, random }: LeaseContext,
  { secret, namespace, path, mount, token, quotaId }: LeaseSpec,
): { lease: Lease; warnings: readonly string[] } {
  const { ttlSeconds, warnings } = grantedTtl(
    {
      ttlSeconds: secret.ttlSeconds,
      maxTtlSeconds: secret.maxTtlSeconds,
      explicitMaxTtlSeconds: 0,
      periodSeconds: 0,
      mountDefaultTtlSeconds: mount.defaultTtlSeconds,
      mountMaxTtlSeconds: mount.maxTtlSeconds,
    },
    { incrementSeconds: 0, issuedAtMs: nowMs, nowMs },
  )
  const suffix = namespace.id === ROOT.id ? '' : `.${namespace.id}`
  const owner = ownerOf(token)
  const endsAtMs = token.type === 'batch' ? token.expiresAtMs : null
  const lease: Lease = {
    id: `${path}/${random.base62(ID_CHARACTERS)}${suffix}`,
    namespaceId: namespace.id,
    path,
    mountUuid: mount.uuid,
    type: secret.type,
    internal: secret.internal,
    token: owner.accessor,
    tokenNamespaceId: owner.namespaceId,
    issuedAtMs: nowMs,
    expiresAtMs: endOf(nowMs, ttlSeconds, endsAtMs),
    endsAtMs,
    lastRenewalAtMs: null,
    ttlSeconds: secret.ttlSeconds,
    maxTtlSeconds: secret.maxTtlSeconds,
    renewable: secret.renewable,
    quotaId,
    revocation: null,
  }
  putLease(root, lease, undefined)
  return { lease, warnings }
}

/** With which token a lease ends: that of a batch token, which is stored nowhere, with its parent; empty: with none. */
export function ownerOf(token: TokenRecord): { accessor: string; namespaceId: string } {
  return token.type === 'service'
    ? { accessor: token.accessor, namespaceId: token.namespaceId }
    : { accessor: token.parent, namespaceId: token.parentNamespaceId }
}

/** @throws {BadRequest} the batch token that would hold it ends within the second */
export function endOf(nowMs: number, ttlSeconds: number, endsAtMs: number | null): number {
  const wanted = nowMs + ttlSeconds * 1000
  if (endsAtMs === null) return wanted
  if (endsAtMs - nowMs < 1000) {
    throw new BadRequest('the batch token ends within a second, and with it any lease')
  }
  return Math.min(wanted, endsAtMs)
}

export function leaseAnswer(lease: Lease, nowMs: number): LeaseAnswer {
  const durationSeconds = Math.floor((lease.expiresAtMs - nowMs) / 1000)
  return { id: lease.id, renewable: lease.renewable, durationSeconds }
}
