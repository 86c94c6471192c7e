/** A secret as each format shows it. */
import { humanDuration } from '../../core/duration.ts'
import type { Json } from '../../core/json.ts'
import type { Secret, SecretAuth, WrapInfo } from '../client/secret.ts'
import { goQuotedList, goValue } from './go-value.ts'
import type { Printable } from './printable.ts'

/** For JSON and YAML: the members in the order of Vault's command line, not that of the wire. */
export function secretMembers(secret: Secret): ReadonlyMap<string, Printable> {
  const members = new Map<string, Printable>([
    ['request_id', secret.requestId],
    ['lease_id', secret.leaseId],
    ['lease_duration', secret.leaseSeconds],
    ['renewable', secret.renewable],
    ['data', secret.data ?? null],
    ['warnings', secret.warnings.length === 0 ? null : secret.warnings],
  ])
  if (secret.auth !== undefined) members.set('auth', authMembers(secret.auth))
  if (secret.wrapInfo !== undefined) members.set('wrap_info', wrapMembers(secret.wrapInfo))
  return members
}

function authMembers(auth: SecretAuth): ReadonlyMap<string, Printable> {
  return new Map<string, Printable>([
    ['client_token', auth.clientToken],
    ['accessor', auth.accessor],
    ['policies', auth.policies],
    ['token_policies', auth.tokenPolicies],
    ['identity_policies', auth.identityPolicies],
    ['metadata', auth.metadata],
    ['orphan', auth.orphan],
    ['entity_id', auth.entityId],
    ['lease_duration', auth.leaseSeconds],
    ['renewable', auth.renewable],
    ['mfa_requirement', auth.mfaRequirement],
  ])
}

function wrapMembers(wrap: WrapInfo): ReadonlyMap<string, Printable> {
  return new Map<string, Printable>([
    ['token', wrap.token],
    ['accessor', wrap.accessor],
    ['ttl', wrap.ttlSeconds],
    ['creation_time', wrap.creationTime],
    ['creation_path', wrap.creationPath],
    ['wrapped_accessor', wrap.wrappedAccessor],
  ])
}

type Row = readonly [string, string]

/** The rows of a table, without its header; none where there is nothing to show. */
export function secretRows(secret: Secret): readonly Row[] {
  return [
    ...leaseRows(secret),
    ...(secret.auth === undefined ? [] : authRows(secret.auth)),
    ...(secret.wrapInfo === undefined ? [] : wrapRows(secret.wrapInfo)),
    ...dataRows(secret.data ?? {}),
  ]
}

/** A duration without a lease is that of kv v1: how often a reader should look again. */
function leaseRows({ leaseId, leaseSeconds, renewable }: Secret): readonly Row[] {
  if (leaseSeconds <= 0) return []
  const duration = humanDuration(leaseSeconds)
  if (leaseId === '') return [['refresh_interval', duration]]
  return [
    ['lease_id', leaseId],
    ['lease_duration', duration],
    ['lease_renewable', String(renewable)],
  ]
}

function authRows(auth: SecretAuth): readonly Row[] {
  if (auth.mfaRequirement !== null)
    return [
      ['mfa_request_id', goValue(auth.mfaRequirement['mfa_request_id'])],
      ['mfa_constraints', goValue(auth.mfaRequirement['mfa_constraints'])],
    ]
  return [
    ['token', auth.clientToken],
    ['token_accessor', auth.accessor],
    ['token_duration', auth.leaseSeconds === 0 ? '∞' : humanDuration(auth.leaseSeconds)],
    ['token_renewable', String(auth.renewable)],
    ['token_policies', goQuotedList(auth.tokenPolicies)],
    ['identity_policies', goQuotedList(auth.identityPolicies)],
    ['policies', goQuotedList(auth.policies)],
    ...Object.entries(auth.metadata ?? {}).map(([key, value]): Row => [
      `token_meta_${key}`,
      goValue(value),
    ]),
  ]
}

function wrapRows(wrap: WrapInfo): readonly Row[] {
  return [
    ['wrapping_token:', wrap.token],
    ['wrapping_accessor:', wrap.accessor],
    ['wrapping_token_ttl:', humanDuration(wrap.ttlSeconds)],
    ['wrapping_token_creation_time:', wrap.creationTime],
    ['wrapping_token_creation_path:', wrap.creationPath],
    ...(wrap.wrappedAccessor === ''
      ? []
      : [['wrapped_accessor:', wrap.wrappedAccessor] satisfies Row]),
  ]
}

export function dataRows(data: Readonly<Record<string, Json>>): readonly Row[] {
  return Object.keys(data)
    .sort()
    .map((key): Row => [key, cellText(key, data[key])])
}

/** A whole number of seconds in a field whose name speaks of a duration is shown as one. */
export function cellText(key: string, value: unknown): string {
  return typeof value === 'number' && DURATION_KEY.test(key) ? humanDuration(value) : goValue(value)
}

const DURATION_KEY = /^(?:(?:.*_)?(?:period|ttl|duration)|lease_max|ttl_max)$/

/** What `-field` names in a secret; undefined or null: it has no such field. */
export function secretField(secret: Secret, field: string): Printable | undefined {
  const special =
    secret.auth === undefined
      ? secret.wrapInfo === undefined
        ? plainFields(secret)
        : wrapFields(secret.wrapInfo)
      : authFields(secret.auth)
  return Object.hasOwn(special, field) ? special[field] : secret.data?.[field]
}

type Fields = Readonly<Record<string, Printable | undefined>>

function plainFields(secret: Secret): Fields {
  return {
    lease_duration: secret.leaseSeconds,
    lease_id: secret.leaseId,
    request_id: secret.requestId,
    renewable: secret.renewable,
    refresh_interval: secret.leaseSeconds,
    data: secret.data?.['data'] ?? secret.data,
  }
}

function authFields(auth: SecretAuth): Fields {
  return {
    token: auth.clientToken,
    token_accessor: auth.accessor,
    token_duration: auth.leaseSeconds,
    token_renewable: auth.renewable,
    token_policies: auth.tokenPolicies ?? [],
    identity_policies: auth.identityPolicies ?? [],
    policies: auth.policies ?? [],
  }
}

function wrapFields(wrap: WrapInfo): Fields {
  return {
    wrapping_token: wrap.token,
    wrapping_accessor: wrap.accessor,
    wrapping_token_ttl: wrap.ttlSeconds,
    wrapping_token_creation_time: wrap.creationTime,
    wrapping_token_creation_path: wrap.creationPath,
    wrapped_accessor: wrap.wrappedAccessor,
  }
}
