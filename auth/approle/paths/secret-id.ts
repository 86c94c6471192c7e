/** `auth/approle/role/:role_name/secret-id`: the secrets that programs log in with. */
import { BlockList, isIPv6 } from 'node:net'
import { addCidr } from '../../../core/cidr.ts'
import { BadRequest, listed, RequestError } from '../../../core/errors.ts'
import { isJsonObject, parseJson } from '../../../core/json.ts'
import { duration, integer, list, string } from '../../../core/plugin/fields.ts'
import { page, pageFields } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import {
  accessorPrefix,
  accessors,
  expiries,
  expiryKey,
  findRole,
  findSecretId,
  hashSecretId,
  removeSecretId,
  secretIdPrefix,
  secretIds,
  type Role,
  type SecretId,
} from '../records.ts'
import { checkCidrs, roleName } from './role.ts'

const makeFields = {
  role_name: roleName,
  secret_id: string('Secret id of your own choice.').default(''),
  metadata: string('JSON object of texts, put into the metadata of its tokens.').default(''),
  cidr_list: list('Networks that its logins may come from.').default([]),
  token_bound_cidrs: list('Networks that its tokens may be used from.').default([]),
  num_uses: integer('Logins; at most what the role says.'),
  ttl: duration('Time to live; at most what the role says.'),
}
type MakeRequest = Request<typeof makeFields>

const bySecretId = { role_name: roleName, secret_id: string('Secret id.').default('') }
const byAccessor = {
  role_name: roleName,
  secret_id_accessor: string('Accessor of the secret id.').default(''),
}

export const secretIdPaths = [
  path('role/:role_name/secret-id', {
    summary: 'Makes a secret id; lists the accessors',
    fields: {
      ...makeFields,
      ...pageFields,
    },
    operations: {
      update: (request) => makeSecretId(request, request.random.uuid()),
      async list({ storage, data }) {
        const role = await findRole(storage, data.role_name)
        if (role === undefined) throw new BadRequest(`role "${data.role_name}" does not exist`)
        return { data: { keys: await storage.list(accessorPrefix(role.uid), page(data)) } }
      },
    },
  }),
  path('role/:role_name/custom-secret-id', {
    summary: 'Makes a secret id of your own choice',
    fields: makeFields,
    operations: {
      update(request) {
        if (request.data.secret_id === '') throw new BadRequest('missing secret_id')
        return makeSecretId(request, request.data.secret_id)
      },
    },
  }),
  path('role/:role_name/secret-id/lookup', {
    summary: 'What is known of a secret id',
    fields: bySecretId,
    operations: {
      async update(request) {
        const { role, hash } = await bySecret(request)
        const found = await findSecretId(request.storage, role, hash, request.nowMs)
        return found && { data: shown(found) }
      },
    },
  }),
  path('role/:role_name/secret-id/destroy', {
    summary: 'Ends a secret id',
    fields: bySecretId,
    operations: { update: destroy, delete: destroy },
  }),
  path('role/:role_name/secret-id-accessor/lookup', {
    summary: 'What is known of the secret id with an accessor',
    fields: byAccessor,
    operations: {
      async update(request): Promise<Response> {
        const found = await findByAccessor(request)
        if (found.secret === undefined) {
          return { status: 404, data: { error: unknownAccessor(request.data.secret_id_accessor) } }
        }
        return { data: shown(found.secret) }
      },
    },
  }),
  path('role/:role_name/secret-id-accessor/destroy', {
    summary: 'Ends the secret id with an accessor',
    fields: byAccessor,
    operations: { update: destroyByAccessor, delete: destroyByAccessor },
  }),
]

async function makeSecretId(request: MakeRequest, secretId: string): Promise<Response> {
  const { storage, data, random, nowMs } = request
  const role = await findRole(storage, data.role_name)
  if (role === undefined) throw new RequestError(404, `role "${data.role_name}" does not exist`)
  const numUses = usesWithin(role, data.num_uses)
  const ttlSeconds = ttlWithin(role, data.ttl)
  const cidrs = cidrsWithin(role, data.cidr_list)
  checkCidrs(data.token_bound_cidrs.map(asNetwork))
  const hash = hashSecretId(role, secretId)
  if ((await findSecretId(storage, role, hash, nowMs)) !== undefined) {
    throw new BadRequest(listed('failed to store secret_id: SecretID is already registered'))
  }
  await removeExpired(storage, role, hash)
  const secret: SecretId = {
    accessor: random.uuid(),
    numUses,
    ttlSeconds,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    expiresAtMs: ttlSeconds === 0 ? null : nowMs + ttlSeconds * 1000,
    metadata: metadataOf(data.metadata),
    cidrs,
    tokenBoundCidrs: data.token_bound_cidrs,
  }
  storage.put(secretIds, secretIdPrefix(role.uid) + hash, secret)
  storage.put(accessors, accessorPrefix(role.uid) + secret.accessor, { hash })
  if (secret.expiresAtMs !== null) {
    storage.put(expiries, expiryKey(secret.expiresAtMs, hash), { uid: role.uid, hash })
  }
  return {
    wrappedAccessor: secret.accessor,
    data: {
      secret_id: secretId,
      secret_id_accessor: secret.accessor,
      secret_id_num_uses: numUses,
      secret_id_ttl: ttlSeconds,
    },
  }
}

/** What is left of a secret id of the same text whose time is over: its accessor must not lead to the new one. */
async function removeExpired(storage: MakeRequest['storage'], role: Role, hash: string) {
  const former = await storage.get(secretIds, secretIdPrefix(role.uid) + hash)
  if (former !== undefined) removeSecretId(storage, role.uid, hash, former)
}

function asNetwork(cidr: string): string {
  return cidr.includes('/') ? cidr : `${cidr}/${isIPv6(cidr) ? 128 : 32}`
}

function usesWithin(role: Role, asked: number | undefined): number {
  if (asked === undefined) return role.secretIdNumUses
  if (asked < 0) throw new BadRequest('num_uses cannot be negative')
  if (role.secretIdNumUses > 0 && (asked === 0 || asked > role.secretIdNumUses)) {
    throw new BadRequest("num_uses cannot be higher than the role's secret_id_num_uses")
  }
  return asked
}

function ttlWithin(role: Role, asked: number | undefined): number {
  if (asked === undefined) return role.secretIdTtlSeconds
  if (role.secretIdTtlSeconds > 0 && (asked === 0 || asked > role.secretIdTtlSeconds)) {
    throw new BadRequest("ttl cannot be longer than the role's secret_id_ttl")
  }
  return asked
}

/** Each network lies within one of the role's. */
function cidrsWithin(role: Role, cidrs: readonly string[]): readonly string[] {
  checkCidrs(cidrs)
  const bounds = role.secretIdBoundCidrs ?? []
  if (bounds.length === 0 || cidrs.every((cidr) => bounds.some((bound) => contains(bound, cidr)))) {
    return cidrs
  }
  throw new BadRequest(
    listed(
      'failed to verify subset relationship between CIDR blocks on the role and CIDR blocks on the secret ID',
    ),
  )
}

function contains(outer: string, inner: string): boolean {
  const [address = '', bits = ''] = inner.split('/')
  const outerBits = Number(outer.split('/')[1])
  const block = new BlockList()
  addCidr(block, outer)
  return Number(bits) >= outerBits && block.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

function metadataOf(text: string): Readonly<Record<string, string>> {
  if (text === '') return {}
  const parsed = tryParse(text)
  if (!isJsonObject(parsed)) throw unusableMetadata()
  const entries = Object.entries(parsed).map(([key, value]) => {
    if (typeof value !== 'string') throw unusableMetadata()
    return [key, value] as const
  })
  return Object.fromEntries(entries)
}

function tryParse(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function unusableMetadata(): BadRequest {
  return new BadRequest(
    'failed to parse metadata: failed to parse the input: invalid <key,value> format',
  )
}

async function bySecret({ storage, data }: Request<typeof bySecretId>) {
  if (data.secret_id === '') throw new BadRequest('missing secret_id')
  const role = await demandRole(storage, data.role_name)
  return { role, hash: hashSecretId(role, data.secret_id) }
}

async function demandRole(storage: MakeRequest['storage'], name: string): Promise<Role> {
  const role = await findRole(storage, name)
  if (role === undefined) throw new BadRequest(listed(`role "${name}" does not exist`))
  return role
}

async function destroy(request: Request<typeof bySecretId>): Promise<undefined> {
  const { role, hash } = await bySecret(request)
  const found = await findSecretId(request.storage, role, hash, request.nowMs)
  if (found !== undefined) removeSecretId(request.storage, role.uid, hash, found)
}

async function findByAccessor({ storage, data, nowMs }: Request<typeof byAccessor>) {
  if (data.secret_id_accessor === '') throw new BadRequest('missing secret_id_accessor')
  const role = await demandRole(storage, data.role_name)
  const entry = await storage.get(accessors, accessorPrefix(role.uid) + data.secret_id_accessor)
  const hash = entry?.hash ?? ''
  const secret = entry && (await findSecretId(storage, role, hash, nowMs))
  return { role, hash, secret }
}

async function destroyByAccessor(request: Request<typeof byAccessor>): Promise<undefined> {
  const { role, hash, secret } = await findByAccessor(request)
  if (secret === undefined) {
    throw new BadRequest(listed(unknownAccessor(request.data.secret_id_accessor)))
  }
  removeSecretId(request.storage, role.uid, hash, secret)
}

/** An accessor names a secret id, it is none. */
function unknownAccessor(accessor: string): string {
  return `failed to find accessor entry for secret_id_accessor: "${accessor}"`
}

/** Contract: sys-auth.md. */
function shown(secret: SecretId): Record<string, unknown> {
  return {
    secret_id_accessor: secret.accessor,
    secret_id_num_uses: secret.numUses,
    secret_id_ttl: secret.ttlSeconds,
    creation_time: new Date(secret.createdAtMs),
    expiration_time:
      secret.expiresAtMs === null ? '0001-01-01T00:00:00Z' : new Date(secret.expiresAtMs),
    last_updated_time: new Date(secret.updatedAtMs),
    metadata: secret.metadata,
    cidr_list: secret.cidrs,
    token_bound_cidrs: secret.tokenBoundCidrs,
  }
}
