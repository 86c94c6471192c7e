/** `sys/policies/acl` and its older form `sys/policy` (contract: sys-auth.md, Policies). */
import { BadRequest } from '../../../core/errors.ts'
import { fieldSeconds } from '../../../core/duration.ts'
import { boolean, caselessName, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { RESPONSE_WRAPPING_POLICY_TEXT } from '../../../core/policy/defaults.ts'
import {
  canonicalPolicyName,
  DEFAULT_POLICY,
  InvalidPolicyName,
  isPolicyName,
  RESPONSE_WRAPPING_POLICY,
  ROOT_POLICY,
} from '../../../core/policy/names.ts'
import { parsePolicy } from '../../../core/policy/parse.ts'
import { endedPolicies, removePolicy, writePolicy } from '../../../core/policy-ends.ts'
import { findPolicy, newPolicy, policyPrefix, type PolicyRecord } from '../../../core/policies.ts'
import { MAX_TIME_MS, parseTime } from '../../../core/time-text.ts'

const fields = {
  name: caselessName('Name of the policy; upper and lower case are the same.').default(''),
  policy: string('Rules in HCL or JSON, or the same in base64.').default(''),
  expiration: string('Time (RFC 3339) at which the policy ends.').default(''),
  ttl: string('Span after which the policy ends.').default(''),
  cas: integer('Version that the policy must have now; -1: it must not be there.'),
  cas_required: boolean('Whether each later write must give `cas`.'),
  allow_wildcards_in_identity_templates: boolean('Values of templates may hold `*` and `+`.'),
  allow_slashes_in_identity_templates: boolean('Values of templates may hold `/`.'),
}
const legacyFields = { ...fields, rules: string('Old name of `policy`.').default('').deprecated() }
const listFields = { prefix: caselessName('Folder of policies.').default('') }
type PolicyRequest = Request<typeof fields>

export function policyPaths() {
  return [
    path('policy', {
      summary: 'Lists the policies',
      operations: { read: listLegacy, list: listLegacy },
    }),
    path('policy/:name*', {
      summary: 'A policy, in its older form',
      fields: legacyFields,
      operations: {
        read: (request) => readPolicy(request, 'rules'),
        update: (request) => writeLegacy(request),
        delete: deletePolicy,
      },
    }),
    path('policies/acl', {
      summary: 'Lists the policies',
      operations: { list: async (request) => ({ data: { keys: await policyNames(request) } }) },
    }),
    path('policies/acl/:name*', {
      summary: 'A policy: what its holders may do',
      fields,
      operations: {
        list: async (request) => ({
          data: { keys: await policyNames(request, folder(request.data.name)) },
        }),
        read: (request) => readPolicy(request, 'policy'),
        update: (request) => replacePolicy(request, request.data.policy),
        patch: patchPolicy,
        delete: deletePolicy,
      },
      examples: [
        {
          summary: 'May read what lies below secret/data/app/',
          operation: 'update',
          path: 'policies/acl/app',
          request: { policy: 'path "secret/data/app/*" { capabilities = ["read"] }' },
        },
      ],
    }),
    path(['policies/detailed/acl', 'policies/detailed/acl/:prefix*'], {
      summary: 'Lists the policies with what is known of each',
      fields: listFields,
      operations: { list: listDetailed },
    }),
  ]
}

function folder(name: string): string {
  return name === '' || name.endsWith('/') ? name : `${name}/`
}

async function listLegacy(request: Request): Promise<Response> {
  const keys = await policyNames(request)
  return { data: { keys, policies: keys } }
}

/** Names at the top first, those in folders after them, `root` last. */
async function policyNames(
  { storage, namespace, nowMs }: Pick<Request, 'storage' | 'namespace' | 'nowMs'>,
  prefix = '',
): Promise<string[]> {
  const stored = await namesBelow(storage, policyPrefix(namespace.id), prefix)
  const ended = await endedPolicies(storage, namespace.id, nowMs)
  const names = stored.filter((name) => !ended.has(name))
  const byDepth = [
    ...names.filter((name) => !name.includes('/')),
    ...names.filter((name) => name.includes('/')),
  ]
  return prefix === '' && namespace.path === '' ? [...byDepth, ROOT_POLICY] : byDepth
}

async function namesBelow(
  storage: Request['storage'],
  root: string,
  prefix: string,
): Promise<string[]> {
  const found: string[] = []
  for (const name of await storage.list(root + prefix)) {
    if (name.endsWith('/')) found.push(...(await namesBelow(storage, root, prefix + name)))
    else found.push(prefix + name)
  }
  return found
}

async function listDetailed(request: Request<typeof listFields>): Promise<Response> {
  const keys = await policyNames(request, folder(request.data.prefix))
  const info: [string, unknown][] = []
  for (const name of keys) {
    const record = await find(request, name)
    if (record !== undefined) info.push([name, shown(record, 'policy')])
  }
  return { data: { keys, key_info: Object.fromEntries(info) } }
}

/** `root` and `response-wrapping` are the server's own and not stored. */
async function find(
  { storage, namespace, nowMs }: Pick<Request, 'storage' | 'namespace' | 'nowMs'>,
  name: string,
): Promise<PolicyRecord | undefined> {
  if (name === ROOT_POLICY && namespace.path === '') return newPolicy(name, '', 0)
  if (name === RESPONSE_WRAPPING_POLICY) return newPolicy(name, RESPONSE_WRAPPING_POLICY_TEXT, 0)
  return findPolicy(storage, namespace.id, name, nowMs)
}

async function readPolicy(
  request: PolicyRequest,
  textName: 'policy' | 'rules',
): Promise<Response | undefined> {
  const record = await find(request, nameOf(request.data.name))
  return record && { data: shown(record, textName) }
}

/** What OpenBao adds is shown where it was used: clients of Vault compare the whole answer. */
function shown(record: PolicyRecord, textName: 'policy' | 'rules'): Record<string, unknown> {
  const { casRequired, allowWildcards, allowSlashes, expiresAtMs } = record
  const extended = casRequired || allowWildcards || allowSlashes || expiresAtMs !== null
  return {
    name: record.name,
    [textName]: record.text,
    ...(extended && {
      version: record.version,
      cas_required: casRequired,
      allow_wildcards_in_identity_templates: allowWildcards,
      allow_slashes_in_identity_templates: allowSlashes,
      modified: new Date(record.modifiedAtMs),
      expiration: expiresAtMs === null ? undefined : new Date(expiresAtMs),
    }),
  }
}

async function writeLegacy(request: Request<typeof legacyFields>): Promise<Response | undefined> {
  const { policy, rules } = request.data
  const old = policy === '' && rules !== ''
  const answer = await replacePolicy(request, old ? rules : policy)
  if (!old) return answer
  const warnings = ["'rules' is deprecated, please use 'policy' instead"]
  return { data: null, warnings: [...(answer?.warnings ?? []), ...warnings] }
}

/** What is not said falls back to what a new policy has: a full write leaves nothing of the policy before. */
async function replacePolicy(request: PolicyRequest, given: string): Promise<Response | undefined> {
  const name = writableName(request.data.name)
  if (given === '') throw new BadRequest(NO_TEXT)
  const before = await find(request, name)
  checkCas(request.data, before)
  const base = { ...newPolicy(name, decoded(given), request.nowMs), version: before?.version ?? 0 }
  await store(request, base)
  return request.nameFolded ? { data: null, warnings: converted(name) } : undefined
}

/**
 * What is not said stays, above all the end of the policy; and so does what another writer put there meanwhile, which
 * makes this one run again. So `cas` is needed by nobody here, also where a full write demands it (as in OpenBao).
 */
async function patchPolicy(request: PolicyRequest): Promise<Response> {
  const { policy, cas } = request.data
  if (policy === '' && request.body['policy'] === '') throw new BadRequest(NO_TEXT)
  const name = writableName(request.data.name)
  const before = await find(request, name)
  if (before === undefined) throw new BadRequest('policy not found')
  if (cas !== undefined) checkCas(request.data, before)
  await store(request, policy === '' ? before : { ...before, text: decoded(policy) })
  return request.nameFolded ? { data: null, warnings: converted(name) } : { data: null }
}

const NO_TEXT = "'policy' parameter not supplied or empty"
const converted = (name: string) => [`policy name was converted to ${name}`]

/** @param base what is not said in the request, and the version before */
async function store(request: PolicyRequest, base: PolicyRecord): Promise<void> {
  const { storage, namespace, nowMs, data } = request
  const { name, text } = base
  const expiresAtMs = expiryOf(data, nowMs)
  parsePolicy(text, { name, namespace })
  await writePolicy(storage, namespace.id, {
    name,
    text,
    version: base.version + 1,
    casRequired: data.cas_required ?? base.casRequired,
    allowWildcards: data.allow_wildcards_in_identity_templates ?? base.allowWildcards,
    allowSlashes: data.allow_slashes_in_identity_templates ?? base.allowSlashes,
    modifiedAtMs: nowMs,
    expiresAtMs: expiresAtMs ?? base.expiresAtMs,
  })
}

/** A policy that is not there has version 0, and -1 demands that it is not there. */
function checkCas(
  { cas, cas_required: willRequire }: PolicyRequest['data'],
  before: PolicyRecord | undefined,
): void {
  if (cas === undefined) {
    if (willRequire !== true && before?.casRequired !== true) return
    throw new BadRequest('check-and-set parameter required for this call')
  }
  if (cas === -1 && before !== undefined) {
    throw new BadRequest('check-and-set parameter set to -1 on existing entry')
  }
  if (cas !== -1 && cas !== (before?.version ?? 0)) {
    throw new BadRequest('check-and-set parameter did not match the current version')
  }
}

/** `undefined`: nothing was said of it. */
function expiryOf({ expiration, ttl }: PolicyRequest['data'], nowMs: number): number | undefined {
  if (expiration !== '' && ttl !== '') {
    throw new BadRequest("cannot supply both 'expiration' and 'ttl' for policies")
  }
  if (expiration === '' && ttl === '') return undefined
  const atMs = ttl === '' ? timeOf(expiration) : nowMs + fieldSeconds('ttl', ttl) * 1000
  if (atMs <= nowMs) {
    throw new BadRequest('refusing to update policy as expiration time has already elapsed')
  }
  if (atMs > MAX_TIME_MS) {
    throw new BadRequest(
      "the policy would end after the year 9999; leave out 'ttl' and 'expiration' for none",
    )
  }
  return atMs
}

function timeOf(text: string): number {
  const atMs = parseTime(text)
  if (atMs !== undefined) return atMs
  throw new BadRequest("'expiration' must be a time such as 2030-01-31T12:00:00Z")
}

/** Blanks around the name are refused: policies have judged the path with them. @throws {InvalidPolicyName} */
function nameOf(given: string): string {
  const name = canonicalPolicyName(given)
  if (name !== given) throw new InvalidPolicyName()
  return name
}

function writableName(given: string): string {
  const name = nameOf(given)
  if (name === ROOT_POLICY || name === RESPONSE_WRAPPING_POLICY) {
    throw new BadRequest(`cannot update "${name}" policy`)
  }
  return name
}

const BASE64 =
  /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2}==$/

/** The text, where it was sent in base64; programs like base64 break it into lines. */
function decoded(given: string): string {
  const oneLine = given.replaceAll(/[\r\n]/g, '')
  return BASE64.test(oneLine) ? Buffer.from(oneLine, 'base64').toString('utf8') : given
}

/** What can be no policy's name is not there, and deleting what is not there is no mistake. */
async function deletePolicy({ storage, namespace, data }: PolicyRequest): Promise<undefined> {
  if (!isPolicyName(data.name) || data.name !== data.name.trim()) return
  const { name } = data
  if (name === DEFAULT_POLICY) throw new BadRequest('cannot delete default policy')
  if (name === ROOT_POLICY || name === RESPONSE_WRAPPING_POLICY) {
    throw new BadRequest(`cannot delete "${name}" policy`)
  }
  await removePolicy(storage, namespace.id, name)
}
