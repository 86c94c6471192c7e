/** `auth/token/create`, `create-orphan` and `create/:role` make tokens. */
import { fieldSeconds } from '../../../core/duration.ts'
import { BadRequest } from '../../../core/errors.ts'
import { findPolicy } from '../../../core/policies.ts'
import { boolean, integer, keyValues, string, stringArray } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { ROOT_POLICY, DEFAULT_POLICY } from '../../../core/policy/names.ts'
import { aclOf } from '../../../core/request/authorize.ts'
import { matchesGlob } from '../../../core/glob.ts'
import { identify } from '../../../core/identity/login.ts'
import { findIdentity, policiesIn } from '../../../core/identity/rights.ts'
import { authAnswer } from '../../../core/tokens/answer.ts'
import { findToken } from '../../../core/tokens/find.ts'
import { RESERVED_PREFIXES } from '../../../core/tokens/identifier.ts'
import { issueToken, type TokenSpec } from '../../../core/tokens/issue.ts'
import type { ServiceToken } from '../../../core/tokens/record.ts'
import { childPolicies } from '../child-policies.ts'
import type { Unsealed } from '../engine.ts'
import { rolePrefix, tokenRoles, type TokenRole } from '../role.ts'

const fields = {
  id: string('Text of the token; needs sudo, and only in the root namespace.'),
  policies: stringArray('Policies; at most those of the parent without sudo or a role.'),
  meta: keyValues('Texts that the audit log shows with each use.'),
  no_parent: boolean('Makes an orphan; needs sudo.').default(false),
  no_default_policy: boolean('Leaves the policy `default` out.').default(false),
  renewable: boolean('Whether it can be renewed.').default(true),
  ttl: string('Time to live.').default(''),
  lease: string('Old name of `ttl`.').default('').deprecated(),
  type: string('`service` or `batch`.').default(''),
  explicit_max_ttl: string('End that no renewal passes, counted from now.').default(''),
  display_name: string('Name for the audit log.').default('token'),
  num_uses: integer('Uses until it is revoked; 0 for any number.').default(0),
  period: string('Each renewal gives this span, without an end; needs sudo or a role.').default(''),
  entity_alias: string('Entity alias; only with a role.').default(''),
}
/** Of its own path only: policies that allow `create` do not allow the roles below it. */
const roleFields = { ...fields, role_name: string('Role that bounds the token.').default('') }
type CreateRequest = Request<typeof fields>

export function createPaths(unsealed: Unsealed) {
  return [
    path(['create', 'create-orphan'], {
      summary: 'Creates a token',
      description:
        'Creates a child of the calling token, or an orphan, with at most the rights of its parent.',
      fields,
      operations: { update: (request) => createToken(request, unsealed(), undefined) },
      examples: [
        {
          summary: 'A token of an hour',
          operation: 'update',
          path: 'create',
          request: { policies: ['app'], ttl: '1h' },
        },
      ],
    }),
    path('create/:role_name', {
      summary: 'Creates a token through a role',
      description:
        'Creates a token as the role bounds it, whatever the rights of the calling token.',
      fields: roleFields,
      operations: {
        update: async (request) => createToken(request, unsealed(), await readRole(request)),
      },
    }),
  ]
}

type Parts = ReturnType<Unsealed>

async function createToken(
  request: CreateRequest,
  parts: Parts,
  role: TokenRole | undefined,
): Promise<Response> {
  const { data, storage: root, nowMs, random, namespace } = request
  const parent = await parentOf(request, parts)
  const acl = await aclOf(root, parts.acls, parent, nowMs)
  const sudo = acl.sudo(request.mount.path + request.path, namespace.path)
  const inNamespaceBelow = parent.namespaceId !== namespace.id
  if (inNamespaceBelow && !sudo) {
    throw new BadRequest(
      'root or sudo privileges required to directly generate a token in a child namespace',
    )
  }
  const spans = spansOf(request)
  const type = typeOf(data.type, role, request)
  checkDemands(request, { role, sudo, spans, parent })
  const policies = childPolicies({
    asked: data.policies ?? [],
    parent: parent.policies,
    sudo,
    noDefaultPolicy: data.no_default_policy,
    role,
    inNamespaceBelow,
  })
  const numUses = role !== undefined && role.numUses > 0 ? role.numUses : data.num_uses
  if (type === 'batch') checkBatch({ id: data.id, numUses }, spans, policies)
  const orphan = data.no_parent || role?.orphan === true || request.path === 'create-orphan'
  const limits = limitsOf(request, { role, spans, policies, parent })
  const { token, record, warnings } = await issueToken(
    { root, nowMs, random, batch: parts.batch },
    {
      type,
      namespace,
      policies,
      path: pathOf(request, role),
      displayName: displayName(data.display_name),
      meta: data.meta !== undefined && Object.keys(data.meta).length > 0 ? data.meta : null,
      parent: orphan ? undefined : { accessor: parent.accessor, namespaceId: parent.namespaceId },
      entityId: await entityIdOf(request, parent, orphan),
      boundCidrs: role?.strictlyBindIp ? [request.client.address] : (role?.boundCidrs ?? []),
      numUses,
      noDefaultPolicy: data.no_default_policy,
      internal: {},
      ...(role !== undefined && { role: role.name }),
      ...(data.id !== undefined && data.id !== '' && { customId: data.id }),
      ...limits,
    },
  )
  const identity = await findIdentity(root, record)
  const missing = await missingPolicies(request, policies)
  const weak = data.id ? [WEAK_ID] : []
  return {
    authAnswer: authAnswer(record, token, nowMs, policiesIn(identity, namespace.id)),
    warnings: [...weak, ...warnings, ...missing],
  }
}

const WEAK_ID =
  'A token ID of your own choice is only as hard to guess as you made it; without `id` the server draws one of 142 random bits.'

async function parentOf(request: CreateRequest, { batch }: Parts): Promise<ServiceToken> {
  const { storage: root, nowMs, clientToken } = request
  const stored = await findRunning(root, clientToken, nowMs, batch)
  if (stored === undefined) throw new BadRequest('parent token lookup failed: no parent found')
  if (stored.type === 'batch') throw new BadRequest('batch tokens cannot create more tokens')
  if (stored.numUses !== 0) {
    throw new BadRequest('restricted use token cannot generate child tokens')
  }
  return stored
}

/** The calling token; one on its last use is found as well. */
async function findRunning(
  root: CreateRequest['storage'],
  token: string,
  nowMs: number,
  batch: Parts['batch'],
) {
  return findToken({ root, nowMs, batch, running: true }, token)
}

async function readRole({ data, storage, namespace }: Request<typeof roleFields>) {
  const role = await storage.get(tokenRoles, rolePrefix(namespace.id) + data.role_name)
  if (role === undefined) throw new BadRequest(`unknown role ${data.role_name}`)
  return role
}

interface Spans {
  readonly ttlSeconds: number
  readonly explicitMaxTtlSeconds: number
  readonly periodSeconds: number
}

function spansOf({ data }: CreateRequest): Spans {
  return {
    ttlSeconds: data.ttl === '' ? span(data.lease, 'lease') : span(data.ttl, 'ttl'),
    explicitMaxTtlSeconds: span(data.explicit_max_ttl, 'explicit_max_ttl'),
    periodSeconds: span(data.period, 'period'),
  }
}

/** @param name of the field, for the refusal */
function span(text: string, name: string): number {
  const seconds = fieldSeconds(name, text)
  if (seconds < 0) throw new BadRequest(`${name} must be positive`)
  // Answers and records know whole seconds only, and 0 would mean that nothing was asked for.
  return Math.ceil(seconds)
}

function typeOf(
  asked: string,
  role: TokenRole | undefined,
  { mount }: CreateRequest,
): 'service' | 'batch' {
  if (asked !== '' && asked !== 'service' && asked !== 'batch') {
    throw new BadRequest("invalid 'token_type' value")
  }
  const configured = role?.tokenType ?? mount.tokenType
  if (configured === 'service' || configured === 'batch') return configured
  if (asked === 'service' || asked === 'batch') return asked
  return configured === 'default-batch' ? 'batch' : 'service'
}

interface Demands {
  readonly role: TokenRole | undefined
  readonly sudo: boolean
  readonly spans: Spans
  readonly parent: ServiceToken
}

function checkDemands({ data, namespace }: CreateRequest, { role, sudo, spans }: Demands): void {
  if (data.num_uses < 0) throw new BadRequest('number of uses cannot be negative')
  if (data.id) checkCustomId(data.id, { sudo, inRoot: namespace.path === '' })
  if (data.no_parent && !sudo) {
    throw new BadRequest('root or sudo privileges required to create orphan token')
  }
  if (spans.periodSeconds > 0 && !sudo) {
    throw new BadRequest('root or sudo privileges required to create periodic token')
  }
  if (data.entity_alias === '') return
  if (role === undefined) {
    throw new BadRequest("'entity_alias' is only allowed in combination with token role")
  }
  const alias = data.entity_alias.toLowerCase()
  if (role.allowedEntityAliases?.some((glob) => matchesGlob(glob, alias)) !== true) {
    throw new BadRequest("invalid 'entity_alias' value")
  }
}

/** Whose token it will be: the parent's entity, or that of the alias which is asked for. */
async function entityIdOf(
  request: CreateRequest,
  parent: ServiceToken,
  orphan: boolean,
): Promise<string> {
  const { data, storage: root, nowMs, random, namespace, mount } = request
  if (data.entity_alias === '') return orphan ? '' : parent.entityId
  const context = { root, nowMs, random, namespaceId: namespace.id }
  return (await identify(context, mount, { name: data.entity_alias.toLowerCase() })).id
}

function checkCustomId(id: string, { sudo, inRoot }: { sudo: boolean; inRoot: boolean }): void {
  if (!sudo) throw new BadRequest('root or sudo privileges required to specify token id')
  if (!inRoot) {
    throw new BadRequest('token IDs can only be manually specified in the root namespace')
  }
  const reserved = RESERVED_PREFIXES.find((prefix) => id.startsWith(prefix))
  if (reserved !== undefined) {
    throw new BadRequest(`custom token ID cannot have the '${reserved}' prefix`)
  }
  if (id.includes('.')) throw new BadRequest("custom token ID cannot have a '.' in the value")
}

function checkBatch(
  { id, numUses }: { id: string | undefined; numUses: number },
  spans: Spans,
  policies: readonly string[],
): void {
  const set = [
    ['explicit_max_ttl', spans.explicitMaxTtlSeconds > 0],
    ['num_uses', numUses > 0],
    ['period', spans.periodSeconds > 0],
  ].find(([, isSet]) => isSet)
  if (set !== undefined) throw new BadRequest(`batch tokens cannot have "${set[0]}" set`)
  if (policies.includes(ROOT_POLICY)) throw new BadRequest('batch tokens cannot be root tokens')
  if (id) throw new BadRequest('batch tokens cannot have "id" set')
}

type Limits = Pick<
  TokenSpec,
  | 'ttlSeconds'
  | 'maxTtlSeconds'
  | 'explicitMaxTtlSeconds'
  | 'periodSeconds'
  | 'renewable'
  | 'mount'
  | 'neverExpires'
>

function limitsOf(
  { data, mount }: CreateRequest,
  { role, spans, policies, parent }: Omit<Demands, 'sudo'> & { policies: readonly string[] },
): Limits {
  const isRoot = policies.includes(ROOT_POLICY)
  const periodSeconds =
    role !== undefined && role.periodSeconds > 0 ? role.periodSeconds : spans.periodSeconds
  const explicitMaxTtlSeconds = smallest(
    spans.explicitMaxTtlSeconds,
    role?.explicitMaxTtlSeconds ?? 0,
  )
  const renewable = data.renewable && (role?.renewable ?? true)
  const common = { maxTtlSeconds: 0, explicitMaxTtlSeconds, periodSeconds }
  if (isRoot && spans.ttlSeconds === 0 && periodSeconds === 0) {
    if (explicitMaxTtlSeconds > 0) {
      // A root token is not held to the mount's limits.
      const own = { defaultTtlSeconds: explicitMaxTtlSeconds, maxTtlSeconds: explicitMaxTtlSeconds }
      return { ...common, ttlSeconds: 0, renewable, mount: { ...mount, ...own } }
    }
    if (parent.expiresAtMs !== null) {
      throw new BadRequest('expiring root tokens cannot create non-expiring root tokens')
    }
    return { ...common, ttlSeconds: 0, renewable: false, mount, neverExpires: true }
  }
  return { ...common, ttlSeconds: spans.ttlSeconds, renewable, mount }
}

function smallest(a: number, b: number): number {
  return a > 0 && b > 0 ? Math.min(a, b) : a || b
}

function pathOf({ mount, path: own }: CreateRequest, role: TokenRole | undefined): string {
  const suffix = role !== undefined && role.pathSuffix !== '' ? `/${role.pathSuffix}` : ''
  return `${mount.path}${own}${suffix}`
}

function displayName(asked: string): string {
  if (asked === 'token' || asked === '') return 'token'
  return `token-${asked.replaceAll(/[^a-zA-Z0-9-]/g, '-').replaceAll(/^-+|-+$/g, '')}`
}

async function missingPolicies(
  { storage, namespace, nowMs }: CreateRequest,
  policies: readonly string[],
): Promise<string[]> {
  const warnings: string[] = []
  for (const name of policies) {
    if (name === ROOT_POLICY || name === DEFAULT_POLICY) continue
    const known = await findPolicy(storage, namespace.id, name, nowMs)
    if (known === undefined) warnings.push(`Policy "${name}" does not exist`)
  }
  return warnings
}
