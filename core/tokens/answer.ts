/** A token as an answer shows it. */
import type { AuthAnswer } from '../plugin/response.ts'
import type { TokenRecord } from './record.ts'

/**
 * @param token as the client sent or gets it; empty where it asked by accessor
 * @param identityPolicies that it has beside its own because of who holds it
 */
export function authAnswer(
  record: TokenRecord,
  token: string,
  nowMs: number,
  identityPolicies: readonly string[] = [],
): AuthAnswer {
  const stored = record.type === 'service' ? record : undefined
  return {
    client_token: token,
    accessor: stored?.accessor ?? '',
    policies: withIdentity(record.policies, identityPolicies),
    ...(record.policies.length > 0 && { token_policies: record.policies }),
    ...(identityPolicies.length > 0 && { identity_policies: identityPolicies }),
    metadata: record.meta,
    lease_duration: leftSeconds(record, nowMs),
    renewable: stored?.renewable ?? false,
    entity_id: record.entityId,
    token_type: record.type,
    orphan: record.parent === '',
    mfa_requirement: null,
    num_uses: stored?.numUses ?? 0,
  }
}

/** Whole seconds until the end, rounded up; 0: it has none. */
export function leftSeconds(record: TokenRecord, nowMs: number): number {
  if (record.expiresAtMs === null) return 0
  return Math.max(0, Math.ceil((record.expiresAtMs - nowMs) / 1000))
}

/** Both, each once. */
export function withIdentity(
  policies: readonly string[],
  identityPolicies: readonly string[],
): readonly string[] {
  return identityPolicies.length === 0
    ? policies
    : [...new Set([...policies, ...identityPolicies])].sort()
}
