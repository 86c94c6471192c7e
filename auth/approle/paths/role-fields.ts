/** `auth/approle/role/:role_name/FIELD`: one field of a role at a time. */
import { BadRequest, UnsupportedPath } from '../../../core/errors.ts'
import {
  boolean,
  duration,
  integer,
  list,
  string,
  type Field,
} from '../../../core/plugin/fields.ts'
import { path, type Path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import {
  changedTokenSettings,
  NO_TOKEN_SETTINGS,
  type TokenData,
} from '../../../core/plugin/token-settings.ts'
import { showCidr } from '../../../core/cidr.ts'
import { findRole, roles, ROLE_PREFIX, type Role } from '../records.ts'
import { checkRole, claimRoleId, roleName, warningsOf } from './role.ts'

/** How one field is read, changed and put back. */
interface RoleField<T> {
  /** Last segment of the path. */
  readonly at: string
  readonly summary: string
  /** Names under which it is sent; the first is the current one. */
  readonly names: readonly string[]
  readonly field: Field<T | undefined>
  show(role: Role): Readonly<Record<string, unknown>>
  change(role: Role, value: T): Role
  reset(role: Role): Role
  readonly warnings?: readonly string[]
}

function roleField<T>(declared: RoleField<T>): Path {
  const { at, names, field } = declared
  const named = Object.fromEntries(names.map((name) => [name, field]))
  const write = async (request: Request<{ role_name: typeof roleName }>) => {
    const role = await demandRole(request)
    const name = names.find((one) => request.body[one] !== undefined && request.body[one] !== null)
    const value = name === undefined ? undefined : field.parse(name, request.body[name] ?? null)
    if (value === undefined) throw new BadRequest(`missing ${names[0] ?? at}`)
    return store(request, declared.change(role, value))
  }
  return path(`role/:role_name/${at}`, {
    summary: declared.summary,
    fields: { role_name: roleName, ...named },
    operations: {
      async read(request) {
        const role = await findRole(request.storage, request.data.role_name)
        const warnings = declared.warnings ?? []
        return role && { data: declared.show(role), warnings }
      },
      update: write,
      delete: async (request) => {
        const role = await findRole(request.storage, request.data.role_name)
        return role && store(request, declared.reset(role))
      },
    },
  })
}

/** Fields of a role that is not there do not exist. */
async function demandRole({ storage, data }: Request<{ role_name: typeof roleName }>) {
  const role = await findRole(storage, data.role_name)
  if (role === undefined) throw new UnsupportedPath()
  return role
}

function store({ storage, mount }: Pick<Request, 'storage' | 'mount'>, role: Role) {
  checkRole(role, mount)
  storage.put(roles, ROLE_PREFIX + role.name, role)
  return warningsOf(role, mount.maxTtlSeconds)
}

const NOTHING_SENT: TokenData = {
  token_ttl: undefined,
  token_max_ttl: undefined,
  token_explicit_max_ttl: undefined,
  token_period: undefined,
  token_policies: undefined,
  token_bound_cidrs: undefined,
  token_no_default_policy: undefined,
  token_num_uses: undefined,
  token_type: undefined,
  token_strictly_bind_ip: undefined,
}

function withToken(role: Role, sent: Partial<TokenData>): Role {
  return { ...role, token: changedTokenSettings(role.token, { ...NOTHING_SENT, ...sent }) }
}

export const roleFieldPaths: readonly Path[] = [
  roleField<string[]>({
    at: 'policies',
    summary: 'Policies of the tokens of a role',
    names: ['token_policies', 'policies'],
    field: list('Policies.'),
    show: ({ token, legacy }) => ({
      token_policies: token.policies,
      policies: legacy.policies ? token.policies : undefined,
    }),
    change: (role, value) => withToken(role, { token_policies: value }),
    reset: (role) => withToken(role, { token_policies: [] }),
  }),
  roleField<string[]>({
    at: 'bound-cidr-list',
    summary: 'Old name of secret-id-bound-cidrs',
    names: ['bound_cidr_list'],
    field: list('Networks.'),
    show: () => ({ bound_cidr_list: null }),
    change: (role, value) => ({ ...role, secretIdBoundCidrs: value }),
    reset: (role) => ({ ...role, secretIdBoundCidrs: null }),
    warnings: [
      'The "bound_cidr_list" field is deprecated and will be removed. Please use "secret_id_bound_cidrs" instead.',
    ],
  }),
  roleField<string[]>({
    at: 'secret-id-bound-cidrs',
    summary: 'Networks that logins of a role may come from',
    names: ['secret_id_bound_cidrs'],
    field: list('Networks.'),
    show: ({ secretIdBoundCidrs }) => ({ secret_id_bound_cidrs: secretIdBoundCidrs }),
    change: (role, value) => ({ ...role, secretIdBoundCidrs: value }),
    reset: (role) => ({ ...role, secretIdBoundCidrs: null }),
  }),
  roleField<string[]>({
    at: 'token-bound-cidrs',
    summary: 'Networks that the tokens of a role may be used from',
    names: ['token_bound_cidrs'],
    field: list('Networks.'),
    show: ({ token }) => ({ token_bound_cidrs: token.boundCidrs.map(showCidr) }),
    change: (role, value) => withToken(role, { token_bound_cidrs: value }),
    reset: (role) => withToken(role, { token_bound_cidrs: [] }),
  }),
  roleField<boolean>({
    at: 'bind-secret-id',
    summary: 'Whether logging in to a role takes a secret id',
    names: ['bind_secret_id'],
    field: boolean('Whether it does.'),
    show: ({ bindSecretId }) => ({ bind_secret_id: bindSecretId }),
    change: (role, value) => ({ ...role, bindSecretId: value }),
    reset: (role) => ({ ...role, bindSecretId: true }),
  }),
  roleField<number>({
    at: 'secret-id-num-uses',
    summary: 'Logins of one secret id of a role',
    names: ['secret_id_num_uses'],
    field: integer('Number; 0 for any.'),
    show: ({ secretIdNumUses }) => ({ secret_id_num_uses: secretIdNumUses }),
    change: (role, value) => ({ ...role, secretIdNumUses: value }),
    reset: (role) => ({ ...role, secretIdNumUses: 0 }),
  }),
  roleField<number>({
    at: 'secret-id-ttl',
    summary: 'Time to live of the secret ids of a role',
    names: ['secret_id_ttl'],
    field: duration('Span; 0 for ever.'),
    show: ({ secretIdTtlSeconds }) => ({ secret_id_ttl: secretIdTtlSeconds }),
    change: (role, value) => ({ ...role, secretIdTtlSeconds: value }),
    reset: (role) => ({ ...role, secretIdTtlSeconds: 0 }),
  }),
  roleField<number>({
    at: 'period',
    summary: 'Period of the tokens of a role',
    names: ['token_period', 'period'],
    field: duration('Span that each renewal gives.'),
    show: ({ token, legacy }) => ({
      token_period: token.periodSeconds,
      period: legacy.period ? token.periodSeconds : undefined,
    }),
    change: (role, value) => withToken(role, { token_period: value }),
    reset: (role) => withToken(role, { token_period: 0 }),
  }),
  roleField<number>({
    at: 'token-num-uses',
    summary: 'Uses of one token of a role',
    names: ['token_num_uses'],
    field: integer('Number; 0 for any.'),
    show: ({ token }) => ({ token_num_uses: token.numUses }),
    change: (role, value) => withToken(role, { token_num_uses: value }),
    reset: (role) => withToken(role, { token_num_uses: 0 }),
  }),
  roleField<number>({
    at: 'token-ttl',
    summary: 'Time to live of the tokens of a role',
    names: ['token_ttl'],
    field: duration("Span; 0 for the mount's."),
    show: ({ token }) => ({ token_ttl: token.ttlSeconds }),
    change: (role, value) => withToken(role, { token_ttl: value }),
    reset: (role) => withToken(role, { token_ttl: NO_TOKEN_SETTINGS.ttlSeconds }),
  }),
  roleField<number>({
    at: 'token-max-ttl',
    summary: 'End that renewals of the tokens of a role do not pass',
    names: ['token_max_ttl'],
    field: duration("Span; 0 for the mount's."),
    show: ({ token }) => ({ token_max_ttl: token.maxTtlSeconds }),
    change: (role, value) => withToken(role, { token_max_ttl: value }),
    reset: (role) => withToken(role, { token_max_ttl: NO_TOKEN_SETTINGS.maxTtlSeconds }),
  }),
  path('role/:role_name/local-secret-ids', {
    summary: 'Whether the secret ids of a role are local',
    fields: { role_name: roleName },
    operations: {
      async read({ storage, data }) {
        const role = await findRole(storage, data.role_name)
        return role && { data: { local_secret_ids: role.localSecretIds } }
      },
    },
  }),
  path('role/:role_name/role-id', {
    summary: 'The id that programs log in to a role with',
    fields: { role_name: roleName, role_id: string('The id.').default('') },
    operations: {
      async read({ storage, data }) {
        const role = await findRole(storage, data.role_name)
        return role && { data: { role_id: role.roleId } }
      },
      async update(request) {
        const role = await demandRole(request)
        if (request.data.role_id === '') throw new BadRequest('missing role_id')
        const next = { ...role, roleId: request.data.role_id }
        await claimRoleId(request.storage, next, role.roleId)
        return store(request, next)
      },
    },
  }),
]
