/** Tells the audit log of a request and of its answer. */
import { createHash } from 'node:crypto'
import type { AuditBroker } from '../audit/broker.ts'
import type {
  AuditedHeaders,
  AuthFacts,
  MountFacts,
  PolicyResults,
  RequestEntry,
  RequestFacts,
  ResponseFacts,
} from '../audit/facts.ts'
import type { MountEntry } from '../mounts/record.ts'
import { isStreamed } from '../plugin/response.ts'
import type { Decision } from '../policy/decision.ts'
import { policiesIn, type Identity } from '../identity/rights.ts'
import { withIdentity } from '../tokens/answer.ts'
import type { TokenRecord } from '../tokens/record.ts'
import { WIRE_VERSION } from '../version.ts'
import type { Answer, Exchange } from './exchange.ts'

/** As Vault names the version of what is built in. */
export const BUILTIN_VERSION = `v${WIRE_VERSION}+builtin.vault`

/** What both entries of one attempt share. */
interface Shared {
  readonly auth: AuthFacts
  readonly request: RequestFacts
}

/** @throws {AuditFailed} no device has it; nothing may be done */
export function auditRequest(
  broker: AuditBroker,
  exchange: Exchange,
  headers: AuditedHeaders,
): Promise<void> {
  const shared = (exchange.audited ??= sharedFacts(exchange, headers))
  const error = exchange.error?.message
  return broker.recordRequest({ timeMs: exchange.startedAtMs, ...shared, error })
}

/** @throws {AuditFailed} no device has it; the answer may not be sent */
export function auditResponse(
  broker: AuditBroker,
  exchange: Exchange,
  headers: AuditedHeaders,
  nowMs: number,
): Promise<void> {
  const shared = exchange.audited ?? sharedFacts(exchange, headers)
  const { answer, error } = exchange
  const entry: RequestEntry = { timeMs: nowMs, ...shared, error: error?.message }
  return broker.recordResponse({ ...entry, response: responseFacts(exchange, answer) })
}

function sharedFacts(exchange: Exchange, auditedHeaders: AuditedHeaders): Shared {
  return { auth: authFacts(exchange), request: requestFacts(exchange, auditedHeaders) }
}

/** One object for a token and what its policies say, so that the log encodes it once. */
const known = new WeakMap<TokenRecord, KnownFacts>()

interface KnownFacts {
  readonly decision: Decision | undefined
  readonly identity: Identity | undefined
  readonly facts: AuthFacts
}

function authFacts({ token, identity, decision, incoming }: Exchange): AuthFacts {
  if (token === undefined) return { policyResults: policyResults(decision), tokenType: 'default' }
  const kept = known.get(token)
  if (kept !== undefined && kept.decision === decision && kept.identity === identity) {
    return kept.facts
  }
  const facts = {
    ...tokenFacts(token, policiesIn(identity, token.namespaceId)),
    clientToken: incoming.token,
    policyResults: policyResults(decision),
    encoded: undefined,
  }
  known.set(token, { decision, identity, facts })
  return facts
}

function policyResults(decision: Decision | undefined): PolicyResults | undefined {
  if (decision === undefined) return undefined
  const { allowed, grantingPolicies: granting } = decision
  if (granting.length === 0) return { allowed }
  const grantingPolicies = granting.map(({ name, namespace_id, namespace_path, type }) => ({
    name,
    namespaceId: namespace_id,
    namespacePath: namespace_path,
    type,
  }))
  return { allowed, grantingPolicies }
}

function tokenFacts(token: TokenRecord, identityPolicies: readonly string[]): AuthFacts {
  return {
    accessor: token.type === 'service' ? token.accessor : undefined,
    displayName: token.displayName,
    policies: withIdentity(token.policies, identityPolicies),
    tokenPolicies: token.policies,
    identityPolicies,
    noDefaultPolicy: token.noDefaultPolicy,
    metadata: token.meta ?? undefined,
    remainingUses: token.type === 'service' && token.numUses > 0 ? token.numUses : undefined,
    entityId: token.entityId,
    tokenType: token.type,
    tokenTtlSeconds: token.ttlSeconds,
    tokenIssueTimeMs: token.createdAtMs,
  }
}

function requestFacts(exchange: Exchange, auditedHeaders: AuditedHeaders): RequestFacts {
  const { incoming, route, token } = exchange
  const entry = route?.target?.entry
  return {
    id: exchange.id,
    clientId: token === undefined ? undefined : clientId(token),
    operation: exchange.operation,
    mount: entry === undefined ? undefined : mountFacts(entry),
    clientToken: incoming.token === '' ? undefined : incoming.token,
    clientTokenAccessor: token?.type === 'service' ? token.accessor : undefined,
    namespace: route?.namespace ?? { id: 'root', path: '' },
    path: route?.path ?? incoming.path,
    data: isEmpty(incoming.body) ? undefined : incoming.body,
    clearFields: route?.target?.match?.path.clearFields,
    remoteAddress: incoming.client.address,
    remotePort: incoming.client.port,
    wrapTtlSeconds: incoming.wrapTtlSeconds,
    headers: incoming.headers,
    auditedHeaders,
    encoded: undefined,
  }
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}

function responseFacts(exchange: Exchange, answer: Answer | undefined): ResponseFacts {
  const entry = exchange.route?.target?.entry
  const mount = entry === undefined ? undefined : mountFacts(entry)
  if (exchange.error !== undefined) return { mount, data: { error: exchange.error.message } }
  if (answer === undefined) return { mount }
  if (answer.wrapInfo !== undefined) {
    const { token, accessor, ttl, creation_path, wrapped_accessor } = answer.wrapInfo
    const wrapInfo = {
      ttlSeconds: ttl,
      token,
      accessor,
      creationTimeMs: exchange.startedAtMs,
      creationPath: creation_path,
      wrappedAccessor: wrapped_accessor,
    }
    return { mount, wrapInfo }
  }
  const { response, auth, warnings } = answer
  return {
    mount,
    auth: auth && {
      clientToken: auth.client_token,
      accessor: auth.accessor,
      policies: auth.policies,
      tokenPolicies: auth.token_policies,
      identityPolicies: auth.identity_policies,
      metadata: auth.metadata ?? undefined,
      entityId: auth.entity_id,
      tokenType: auth.token_type === 'batch' ? 'batch' : 'service',
      tokenTtlSeconds: auth.lease_duration,
      numUses: auth.num_uses,
    },
    leaseId: response.leaseAnswer?.id,
    data: dataFacts(answer),
    warnings: warnings.length > 0 ? warnings : undefined,
    headers: response.headers,
  }
}

function dataFacts({ response, status }: Answer): ResponseFacts['data'] {
  if (response.raw !== undefined && response.data === undefined) {
    return {
      http_content_type: response.raw.contentType,
      http_raw_body: isStreamed(response.raw.body) ? '' : response.raw.body,
      http_status_code: status,
    }
  }
  return response.bare ?? response.data
}

const mounts = new WeakMap<MountEntry, MountFacts>()

function mountFacts(entry: MountEntry): MountFacts {
  let facts = mounts.get(entry)
  if (facts === undefined) {
    const { auditNonHmacRequestKeys: request, auditNonHmacResponseKeys: response } = entry.config
    facts = {
      path: entry.path,
      type: entry.type,
      accessor: entry.accessor,
      runningVersion: BUILTIN_VERSION,
      class: entry.kind,
      clearRequestKeys: request && new Set(request),
      clearResponseKeys: response && new Set(response),
    }
    mounts.set(entry, facts)
  }
  return facts
}

const clients = new WeakMap<readonly string[], Map<string, string>>()

/** Who is counted as one client: the entity, else all tokens of the same policies in the same namespace. */
function clientId(token: TokenRecord): string {
  if (token.entityId !== '') return token.entityId
  const { policies, namespaceId } = token
  let ids = clients.get(policies)
  if (ids === undefined) {
    ids = new Map()
    clients.set(policies, ids)
  }
  let id = ids.get(namespaceId)
  if (id === undefined) {
    const text = `${policies.toSorted().join('\x7F')}\0${namespaceId}`
    id = createHash('sha256').update(text).digest('base64')
    ids.set(namespaceId, id)
  }
  return id
}
