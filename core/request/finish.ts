/** Makes the answer of what a handler returned: its token, its envelope, its status; wrapped where that is asked for. */
import { identify } from '../identity/login.ts'
import { identityOfEntity, policiesIn } from '../identity/rights.ts'
import type { MountEntry } from '../mounts/record.ts'
import { canonicalPolicyNames, ROOT_POLICY } from '../policy/names.ts'
import { assert, BadRequest, RequestError } from '../errors.ts'
import { issueLease, leaseAnswer as leaseAnswerOf } from '../leases/issue.ts'
import type { Secret } from '../plugin/effects.ts'
import type { Declarable, Handled } from '../plugin/path.ts'
import type { Mount, Namespace } from '../plugin/request.ts'
import {
  isStreamed,
  type AuthAnswer,
  type Grant,
  type LeaseAnswer,
  type Response,
  type WrapInfo,
} from '../plugin/response.ts'
import { countLease } from '../quota/count-leases.ts'
import type { Awaitable } from '../store/awaitable.ts'
import { authAnswer } from '../tokens/answer.ts'
import { issueToken, type IssueContext } from '../tokens/issue.ts'
import type { TokenRecord } from '../tokens/record.ts'
import { wrap } from '../wrapping/wrapping.ts'
import { renderEnvelope } from './envelope.ts'
import type { Answer } from './exchange.ts'

export interface FinishInput {
  readonly context: IssueContext
  readonly requestId: string
  readonly operation: Declarable
  readonly namespace: Namespace
  /** Relative to the namespace. */
  readonly path: string
  readonly entry: MountEntry
  readonly mount: Mount
  /** Who asks. */
  readonly token: TokenRecord | undefined
  readonly handled: Handled
  readonly warnings: readonly string[]
  /** What the client asked for; 0: nothing. */
  readonly wrapTtlSeconds: number
  readonly wrapFormat: 'token' | 'jwt'
}

const NO_HEADERS: Readonly<Record<string, string>> = {}
const JSON_HEADERS = { 'Content-Type': 'application/json' }

/** hot. @throws {RequestError} there is nothing to answer (404) */
export function finish(input: FinishInput): Awaitable<Answer> {
  const response = input.handled ?? NOTHING
  if (response.secret !== undefined) return lease(input, response, response.secret)
  if (response.auth === undefined) return answer(input, response, response.authAnswer, NO_WARNINGS)
  return grant(input, response.auth).then(({ auth, warnings }) =>
    answer(input, response, auth, warnings),
  )
}

const NOTHING: Response = {}
const NO_WARNINGS: readonly string[] = []

async function lease(input: FinishInput, response: Response, secret: Secret): Promise<Answer> {
  const { context, token, namespace, path, mount } = input
  assert(token !== undefined, 'a secret with a lease is given to a token')
  const origin = { namespaceId: namespace.id, mountUuid: mount.uuid, mountPath: mount.path, path }
  const quotaId = await countLease(context.root, origin)
  const spec = { secret, namespace, path, mount, token, quotaId }
  const { lease: made, warnings } = issueLease(context, spec)
  const leaseAnswer = leaseAnswerOf(made, context.nowMs)
  return answer(input, { ...response, leaseAnswer }, undefined, warnings)
}

function answer(
  input: FinishInput,
  response: Response,
  auth: AuthAnswer | undefined,
  granted: readonly string[],
): Awaitable<Answer> {
  const warnings = warningsOf(input, response, granted)
  const headers = headersOf(input, response)
  const made = { response, auth, warnings }
  if (response.wrapInfo !== undefined) return wrapped(made, response.wrapInfo, headers)
  const ttlSeconds = wrapTtl(input.wrapTtlSeconds, response.wrapTtlSeconds ?? 0)
  // What is wrapped has no copies of its data at the top level.
  const plain = render(ttlSeconds > 0 ? { ...input, path: '' } : input, response, auth, warnings)
  const isRaw = response.raw !== undefined || isStreamed(plain.body)
  if (ttlSeconds === 0 || plain.status === 204 || isRaw) {
    const all = headers === NO_HEADERS ? plain.headers : { ...plain.headers, ...headers }
    return {
      response,
      auth,
      warnings,
      wrapInfo: undefined,
      status: plain.status,
      headers: all,
      body: plain.body,
    }
  }
  return wrap(input.context, {
    namespace: input.namespace,
    response: String(plain.body).trimEnd(),
    ttlSeconds,
    format: input.wrapFormat,
    creationPath: input.path,
    wrappedAccessor: auth?.accessor ?? response.wrappedAccessor,
  }).then((wrapInfo) => wrapped(made, wrapInfo, headers))
}

function wrapped(
  made: Pick<Answer, 'response' | 'auth' | 'warnings'>,
  wrapInfo: WrapInfo,
  headers: Readonly<Record<string, string>>,
): Answer {
  const body = renderEnvelope({ requestId: '', wrapInfo }, '')
  return { ...made, wrapInfo, status: 200, headers: { ...JSON_HEADERS, ...headers }, body }
}

async function grant(
  input: FinishInput,
  given: Grant,
): Promise<{ auth: AuthAnswer; warnings: readonly string[] }> {
  const { context, mount } = input
  const policies = grantedPolicies(given)
  if (policies.includes(ROOT_POLICY)) {
    throw new BadRequest('auth methods cannot create root tokens')
  }
  const { root, nowMs, random } = context
  const { namespace } = input
  const identifying = { root, nowMs, random, namespaceId: namespace.id }
  const entity =
    given.alias && (await identify(identifying, mount, given.alias, given.groupAliases))
  const { token, record, warnings } = await issueToken(context, {
    ...given,
    namespace,
    policies,
    path: input.path,
    meta: given.metadata ?? null,
    parent: undefined,
    entityId: entity?.id ?? '',
    internal: given.internal ?? {},
    mount,
  })
  const identity = entity && (await identityOfEntity(root, entity, namespace.id))
  const identityPolicies = policiesIn(identity, namespace.id)
  return { auth: authAnswer(record, token, nowMs, identityPolicies), warnings }
}

/** Of roles, which grant the same list again and again. */
const policiesOfRoles = new WeakMap<readonly string[], readonly string[]>()

function grantedPolicies({ policies, noDefaultPolicy }: Grant): readonly string[] {
  if (noDefaultPolicy) return canonicalPolicyNames(policies, { addDefault: false })
  let names = policiesOfRoles.get(policies)
  if (names === undefined) {
    names = Object.freeze(canonicalPolicyNames(policies, { addDefault: true }))
    if (Object.isFrozen(policies)) policiesOfRoles.set(policies, names)
  }
  return names
}

/** Warnings of names that are no fields come only where there is a body to carry them. */
function warningsOf(input: FinishInput, response: Response, granted: readonly string[]) {
  if (response.warnings === undefined && granted.length === 0 && input.warnings.length === 0) {
    return NO_WARNINGS
  }
  const own = [...(response.warnings ?? []), ...granted]
  const { data, auth, authAnswer } = response
  const carries = own.length > 0 || data !== undefined || (auth ?? authAnswer) !== undefined
  return carries ? [...own, ...input.warnings] : own
}

function render(
  input: FinishInput,
  response: Response,
  auth: AuthAnswer | undefined,
  warnings: readonly string[],
): Pick<Answer, 'status' | 'headers' | 'body'> {
  if (response.raw !== undefined) {
    const { contentType, body } = response.raw
    return { status: response.status ?? 200, headers: { 'Content-Type': contentType }, body }
  }
  if (response.bare !== undefined) {
    return {
      status: response.status ?? 200,
      headers: JSON_HEADERS,
      body: `${JSON.stringify(response.bare)}\n`,
    }
  }
  const status = response.status ?? statusOf(input, response, auth, warnings)
  if (status === 204) return { status, headers: JSON_HEADERS, body: '' }
  const { requestId } = input
  const envelope = {
    requestId,
    data: response.data,
    leaseDurationSeconds: response.leaseDurationSeconds ?? 0,
    ...(response.leaseAnswer !== undefined && leaseMembers(response.leaseAnswer)),
    ...(warnings.length > 0 && { warnings }),
    ...(auth !== undefined && { auth }),
  }
  return { status, headers: JSON_HEADERS, body: renderEnvelope(envelope, input.path) }
}

function leaseMembers({ id, renewable, durationSeconds }: LeaseAnswer) {
  return { leaseId: id, renewable, leaseDurationSeconds: durationSeconds }
}

/** Contract: http.md, 4.3. */
function statusOf(
  { operation, wrapTtlSeconds }: FinishInput,
  { data }: Response,
  auth: AuthAnswer | undefined,
  warnings: readonly string[],
): number {
  if (auth !== undefined) return 200
  const empty = data === undefined || data === null
  if (operation === 'list' || operation === 'scan') {
    const keys = empty ? undefined : data['keys']
    const nothing =
      empty || (Array.isArray(keys) && keys.length === 0 && Object.keys(data).length === 1)
    if (nothing && operation === 'list' && warnings.length === 0)
      throw nothingListed(wrapTtlSeconds)
    return 200
  }
  if (!empty || data === null) return 200
  if (warnings.length > 0) return 200
  if (operation === 'read' || operation === 'header') throw new RequestError(404, [])
  return 204
}

function nothingListed(wrapTtlSeconds: number): RequestError {
  return new RequestError(404, wrapTtlSeconds > 0 ? ['unsupported path'] : [])
}

function wrapTtl(asked: number, demanded: number): number {
  return asked > 0 && demanded > 0 ? Math.min(asked, demanded) : asked || demanded
}

/** The system's own headers, and of an engine's those that the mount's tuning allows. */
/** Whose headers no tuning bounds. */
const OWN_TYPES: ReadonlySet<string> = new Set(['system', 'identity'])

function headersOf(
  { entry }: FinishInput,
  { headers }: Response,
): Readonly<Record<string, string>> {
  if (headers === undefined) return NO_HEADERS
  if (OWN_TYPES.has(entry.type)) return headers
  const allowed = new Set(entry.config.allowedResponseHeaders?.map((name) => name.toLowerCase()))
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => allowed.has(name.toLowerCase())),
  )
}
