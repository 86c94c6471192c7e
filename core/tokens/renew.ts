/** Renews tokens: a new end, counted from now, never past the maximum (contract: http.md, 10.5). */
import { BadRequest } from '../errors.ts'
import type { Mount } from '../plugin/request.ts'
import type { View } from '../store/view.ts'
import { grantedTtl } from '../ttl.ts'
import { expiryKey, expiryRecords, serviceTokens, tokenKey, type ServiceToken } from './record.ts'

export interface RenewInput {
  readonly root: View
  readonly nowMs: number
  readonly record: ServiceToken
  readonly incrementSeconds: number
  readonly mount: Pick<Mount, 'defaultTtlSeconds' | 'maxTtlSeconds'>
  /** What the method or role says now. */
  readonly limits: {
    readonly ttlSeconds: number
    readonly maxTtlSeconds: number
    readonly periodSeconds: number
  }
}

export interface Renewed {
  readonly record: ServiceToken
  readonly warnings: readonly string[]
}

/** @throws {BadRequest} the token has no end that could be moved, or is not renewable */
export function demandRenewal(
  record: ServiceToken,
): asserts record is ServiceToken & { expiresAtMs: number } {
  if (record.expiresAtMs === null) throw new BadRequest('invalid lease ID')
  if (!record.renewable) throw new BadRequest('lease is not renewable')
}

/** @throws {BadRequest} it has no end, is not renewable, or its maximum is reached */
export function renewToken(input: RenewInput): Renewed {
  const { root, nowMs, record, limits } = input
  demandRenewal(record)
  const { ttlSeconds, warnings } = grantedTtl(
    {
      ...limits,
      explicitMaxTtlSeconds: record.explicitMaxTtlSeconds,
      mountDefaultTtlSeconds: input.mount.defaultTtlSeconds,
      mountMaxTtlSeconds: input.mount.maxTtlSeconds,
    },
    { incrementSeconds: input.incrementSeconds, issuedAtMs: record.createdAtMs, nowMs },
  )
  const expiresAtMs = nowMs + ttlSeconds * 1000
  const renewed: ServiceToken = { ...record, expiresAtMs, lastRenewalAtMs: nowMs }
  const { accessor, namespaceId } = record
  root.delete(expiryKey(record.expiresAtMs, accessor))
  root.put(expiryRecords, expiryKey(expiresAtMs, accessor), { namespaceId, accessor })
  root.put(serviceTokens, tokenKey(namespaceId, accessor), renewed)
  return { record: renewed, warnings }
}
