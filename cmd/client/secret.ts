/** The wire's envelope as the commands use it (contract: http.md, 4). */
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { ClientProblem } from './errors.ts'

export interface Secret {
  readonly requestId: string
  readonly leaseId: string
  readonly leaseSeconds: number
  readonly renewable: boolean
  readonly data: JsonObject | undefined
  readonly warnings: readonly string[]
  readonly auth: SecretAuth | undefined
  readonly wrapInfo: WrapInfo | undefined
}

export interface SecretAuth {
  readonly clientToken: string
  readonly accessor: string
  /** `null`: the answer had none. */
  readonly policies: readonly string[] | null
  readonly tokenPolicies: readonly string[] | null
  readonly identityPolicies: readonly string[] | null
  readonly metadata: JsonObject | null
  readonly orphan: boolean
  readonly entityId: string
  readonly leaseSeconds: number
  readonly renewable: boolean
  readonly mfaRequirement: JsonObject | null
}

export interface WrapInfo {
  readonly token: string
  readonly accessor: string
  readonly ttlSeconds: number
  readonly creationTime: string
  readonly creationPath: string
  readonly wrappedAccessor: string
}

const ENVELOPE = ['request_id', 'lease_id', 'data', 'auth', 'wrap_info', 'warnings']

/**
 * @param body an answer's body; of one without an envelope (`sys/seal-status`) the whole is the data
 * @returns undefined where the body is empty, or says nothing but `errors`
 * @throws {ClientProblem} it is no JSON object
 */
export function parseSecret(body: Buffer): Secret | undefined {
  if (body.length === 0) return undefined
  const parsed = parseObject(body)
  if (!ENVELOPE.some((key) => key in parsed)) {
    const { errors: _errors, ...data } = parsed
    return Object.keys(data).length === 0 ? undefined : { ...EMPTY, data }
  }
  return {
    requestId: textOf(parsed['request_id']),
    leaseId: textOf(parsed['lease_id']),
    leaseSeconds: numberOf(parsed['lease_duration']),
    renewable: parsed['renewable'] === true,
    data: objectOf(parsed['data']) ?? undefined,
    warnings: stringsOf(parsed['warnings']) ?? [],
    auth: parseAuth(parsed['auth']),
    wrapInfo: parseWrapInfo(parsed['wrap_info']),
  }
}

const EMPTY: Secret = {
  requestId: '',
  leaseId: '',
  leaseSeconds: 0,
  renewable: false,
  data: undefined,
  warnings: [],
  auth: undefined,
  wrapInfo: undefined,
}

/** A secret that holds a token only: how `login` shows a token that was given, not made. */
export function secretOfAuth(auth: SecretAuth): Secret {
  return { ...EMPTY, auth }
}

/** @throws {ClientProblem} the body is no JSON object */
export function parseObject(body: Buffer): JsonObject {
  let parsed: Json
  try {
    parsed = parseJson(body.toString('utf8'))
  } catch (cause) {
    throw new ClientProblem('the answer is not JSON: is that address a secrets server?', { cause })
  }
  if (!isJsonObject(parsed))
    throw new ClientProblem('the answer is no JSON object: is that address a secrets server?')
  return parsed
}

function parseAuth(value: Json | undefined): SecretAuth | undefined {
  if (!isJsonObject(value)) return undefined
  return {
    clientToken: textOf(value['client_token']),
    accessor: textOf(value['accessor']),
    policies: stringsOf(value['policies']),
    tokenPolicies: stringsOf(value['token_policies']),
    identityPolicies: stringsOf(value['identity_policies']),
    metadata: objectOf(value['metadata']),
    orphan: value['orphan'] === true,
    entityId: textOf(value['entity_id']),
    leaseSeconds: numberOf(value['lease_duration']),
    renewable: value['renewable'] === true,
    mfaRequirement: objectOf(value['mfa_requirement']),
  }
}

function parseWrapInfo(value: Json | undefined): WrapInfo | undefined {
  if (!isJsonObject(value)) return undefined
  return {
    token: textOf(value['token']),
    accessor: textOf(value['accessor']),
    ttlSeconds: numberOf(value['ttl']),
    creationTime: textOf(value['creation_time']),
    creationPath: textOf(value['creation_path']),
    wrappedAccessor: textOf(value['wrapped_accessor']),
  }
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

export function objectOf(value: unknown): JsonObject | null {
  return isJsonObject(value) ? value : null
}

/** The objects of a list; none where it is no list. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

export function stringsOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null
}

/** The names that a list answered; undefined where the answer is no list. */
export function listedKeys(secret: Secret | undefined): readonly Json[] | undefined {
  const keys = secret?.data?.['keys']
  return Array.isArray(keys) ? keys : undefined
}
