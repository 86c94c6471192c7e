/** `auth/approle/role/:role_name`: who may log in, and what they get. */
import { isCidr } from '../../../core/cidr.ts'
import { BadRequest, listed } from '../../../core/errors.ts'
import {
  boolean,
  caselessName,
  duration,
  integer,
  list,
  string,
} from '../../../core/plugin/fields.ts'
import { listPath } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Mount, Request } from '../../../core/plugin/request.ts'
import {
  changedTokenSettings,
  demandCountable,
  NO_TOKEN_SETTINGS,
  shownTokenSettings,
  tokenFields,
} from '../../../core/plugin/token-settings.ts'
import { findRole, roleIdKey, roleIds, roles, ROLE_PREFIX, type Role } from '../records.ts'
import { removeSecretIdsLater } from '../tidy.ts'

export const roleName = caselessName(
  'Name of the role; upper and lower case are the same.',
).default('')

const fields = {
  role_name: roleName,
  bind_secret_id: boolean('Logging in takes a secret id.'),
  secret_id_bound_cidrs: list('Networks that logins may come from.'),
  bound_cidr_list: list('Old name of `secret_id_bound_cidrs`.').deprecated(),
  secret_id_num_uses: integer('Logins of one secret id; 0 for any number.'),
  secret_id_ttl: duration('Time to live of secret ids; 0 for ever.'),
  local_secret_ids: boolean('Kept for compatibility; set once.'),
  role_id: string('Id that programs log in with; made by the server if left out.'),
  policies: list('Old name of `token_policies`.').deprecated(),
  period: duration('Old name of `token_period`.').deprecated(),
  ...tokenFields,
}
type RoleRequest = Request<typeof fields>

export const rolePaths = [
  listPath('role', { summary: 'Lists the roles', prefix: ROLE_PREFIX }),
  path('role/:role_name', {
    summary: 'A role: who may log in, and what they get',
    fields,
    exists: async ({ storage, data }) => (await findRole(storage, data.role_name)) !== undefined,
    operations: { read: showRole, update: writeRole, delete: deleteRole },
    examples: [
      {
        summary: 'A role for a web server',
        operation: 'update',
        path: 'role/web',
        request: { token_policies: ['web'], token_ttl: '20m', secret_id_ttl: '24h' },
      },
    ],
  }),
]

async function showRole({ storage, data }: RoleRequest) {
  const role = await findRole(storage, data.role_name)
  if (role === undefined) return undefined
  const { legacy, token } = role
  return {
    data: {
      bind_secret_id: role.bindSecretId,
      secret_id_bound_cidrs: role.secretIdBoundCidrs,
      secret_id_num_uses: role.secretIdNumUses,
      secret_id_ttl: role.secretIdTtlSeconds,
      local_secret_ids: role.localSecretIds,
      ...shownTokenSettings(token),
      policies: legacy.policies ? token.policies : undefined,
      period: legacy.period ? token.periodSeconds : undefined,
    },
  }
}

async function writeRole(request: RoleRequest) {
  const { storage, data, mount } = request
  const known = await findRole(storage, data.role_name)
  const role = changed(known ?? newRole(request), request, known !== undefined)
  if (role.roleId !== known?.roleId) await claimRoleId(storage, role, known?.roleId)
  storage.put(roles, ROLE_PREFIX + role.name, role)
  return warningsOf(role, mount.maxTtlSeconds)
}

function newRole({ data, random }: RoleRequest): Role {
  return {
    name: data.role_name,
    uid: random.uuid(),
    roleId: random.uuid(),
    secretIdKey: random.bytes(32).toString('base64'),
    bindSecretId: true,
    secretIdBoundCidrs: null,
    secretIdNumUses: 0,
    secretIdTtlSeconds: 0,
    localSecretIds: false,
    token: NO_TOKEN_SETTINGS,
    legacy: { policies: false, period: false },
  }
}

function changed(role: Role, { data, mount }: RoleRequest, exists: boolean): Role {
  if (
    exists &&
    data.local_secret_ids !== undefined &&
    data.local_secret_ids !== role.localSecretIds
  ) {
    throw new BadRequest('local_secret_ids can only be modified during role creation')
  }
  const policies = data.token_policies ?? data.policies
  const period = data.token_period ?? data.period
  const next: Role = {
    ...role,
    roleId: data.role_id === undefined || data.role_id === '' ? role.roleId : data.role_id,
    bindSecretId: data.bind_secret_id ?? role.bindSecretId,
    secretIdBoundCidrs:
      data.secret_id_bound_cidrs ?? data.bound_cidr_list ?? role.secretIdBoundCidrs,
    secretIdNumUses: data.secret_id_num_uses ?? role.secretIdNumUses,
    secretIdTtlSeconds: data.secret_id_ttl ?? role.secretIdTtlSeconds,
    localSecretIds: data.local_secret_ids ?? role.localSecretIds,
    token: changedTokenSettings(role.token, {
      ...data,
      token_policies: policies,
      token_period: period,
    }),
    legacy: {
      policies: isLegacy(data.token_policies, data.policies, role.legacy.policies),
      period: isLegacy(data.token_period, data.period, role.legacy.period),
    },
  }
  checkRole(next, mount)
  return next
}

function isLegacy(current: unknown, old: unknown, kept: boolean): boolean {
  return current === undefined && (old === undefined ? kept : true)
}

/** @throws {BadRequest} */
export function checkRole(role: Role, mount: Mount): void {
  demandCountable(role.token, mount)
  if (role.secretIdNumUses < 0) throw new BadRequest('secret_id_num_uses cannot be negative')
  checkCidrs(role.secretIdBoundCidrs ?? [])
  const constrained =
    role.bindSecretId ||
    (role.secretIdBoundCidrs ?? []).length > 0 ||
    role.token.boundCidrs.length > 0
  if (!constrained) {
    throw new BadRequest(listed('at least one constraint should be enabled on the role'))
  }
}

/** @throws {BadRequest} */
export function checkCidrs(cidrs: readonly string[]): void {
  if (cidrs.every((cidr) => cidr.includes('/') && isCidr(cidr))) return
  throw new BadRequest(
    listed('failed to validate CIDR blocks: each is a network such as 10.0.0.0/8'),
  )
}

/** Gives the role its id, which no other may have. @throws {BadRequest} */
export async function claimRoleId(
  storage: RoleRequest['storage'],
  role: Role,
  former: string | undefined,
): Promise<void> {
  const owner = await storage.get(roleIds, roleIdKey(role.roleId))
  if (owner !== undefined && owner.role !== role.name) {
    throw new BadRequest(listed('role_id already in use'))
  }
  if (former !== undefined) storage.delete(roleIdKey(former))
  storage.put(roleIds, roleIdKey(role.roleId), { role: role.name })
}

export function warningsOf(role: Role, mountMaxTtlSeconds: number) {
  if (role.token.maxTtlSeconds <= mountMaxTtlSeconds) return undefined
  return {
    warnings: [
      "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated",
    ],
  }
}

async function deleteRole({ storage, data }: RoleRequest) {
  const role = await findRole(storage, data.role_name)
  if (role === undefined) return
  storage.delete(ROLE_PREFIX + role.name)
  storage.delete(roleIdKey(role.roleId))
  removeSecretIdsLater(storage, role.uid)
}
