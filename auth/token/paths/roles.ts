/** `auth/token/roles` says what tokens made through a role may be. */
import { isCidr, showCidr } from '../../../core/cidr.ts'
import { BadRequest } from '../../../core/errors.ts'
import { boolean, duration, integer, list, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import { canonicalPolicyNames } from '../../../core/policy/names.ts'
import { bindingFault } from '../../../core/plugin/token-settings.ts'
import { newRole, rolePrefix, tokenRoles, type TokenRole } from '../role.ts'

const fields = {
  role_name: string('Name of the role.').default(''),
  allowed_policies: list('Policies that its tokens may have; empty: those of the parent.'),
  disallowed_policies: list('Policies that its tokens may not have.'),
  allowed_policies_glob: list('The same with `*` for any text.'),
  disallowed_policies_glob: list('The same with `*` for any text.'),
  allowed_entity_aliases: list('Entity aliases that may be asked for; `*` for any text.'),
  orphan: boolean('Its tokens have no parent.'),
  renewable: boolean('Its tokens can be renewed.'),
  path_suffix: string('Put behind the path under which its tokens are known.'),
  token_type: string('`service`, `batch`, `default-service` or `default-batch`.'),
  token_period: duration('Each renewal gives this span, without an end.'),
  token_explicit_max_ttl: duration('End that no renewal passes.'),
  token_bound_cidrs: list('Networks that its tokens may be used from.'),
  token_num_uses: integer('Uses until a token is revoked; 0 for any number.'),
  token_no_default_policy: boolean('Its tokens lack the policy `default`.'),
  token_strictly_bind_ip: boolean('Its tokens are bound to the address that made them.'),
  period: duration('Old name of `token_period`.').deprecated(),
  explicit_max_ttl: duration('Old name of `token_explicit_max_ttl`.').deprecated(),
  bound_cidrs: list('Old name of `token_bound_cidrs`.').deprecated(),
}
type RoleRequest = Request<typeof fields>
type RoleData = RoleRequest['data']

export function rolePaths() {
  return [
    path('roles', {
      summary: 'Lists the roles',
      operations: {
        list: async ({ storage, namespace }) => ({
          data: { keys: await storage.list(rolePrefix(namespace.id)) },
        }),
      },
    }),
    path('roles/:role_name', {
      summary: 'A role: what tokens made through it may be',
      fields,
      exists: async (request) => (await readRole(request)) !== undefined,
      operations: { read: showRole, update: writeRole, delete: deleteRole },
    }),
  ]
}

function readRole({ storage, namespace, data }: RoleRequest) {
  return storage.get(tokenRoles, rolePrefix(namespace.id) + data.role_name)
}

async function showRole(request: RoleRequest) {
  const role = await readRole(request)
  return role === undefined ? undefined : { data: shown(role) }
}

function shown(role: TokenRole): Record<string, unknown> {
  const { legacy } = role
  const cidrs = role.boundCidrs.map(showCidr)
  return {
    name: role.name,
    allowed_policies: role.allowedPolicies,
    disallowed_policies: role.disallowedPolicies,
    allowed_policies_glob: role.allowedPoliciesGlob,
    disallowed_policies_glob: role.disallowedPoliciesGlob,
    allowed_entity_aliases: role.allowedEntityAliases,
    orphan: role.orphan,
    renewable: role.renewable,
    path_suffix: role.pathSuffix,
    period: legacy.period ? role.periodSeconds : 0,
    token_period: role.periodSeconds,
    explicit_max_ttl: legacy.explicitMaxTtl ? role.explicitMaxTtlSeconds : 0,
    token_explicit_max_ttl: role.explicitMaxTtlSeconds,
    token_type: role.tokenType,
    token_no_default_policy: role.noDefaultPolicy,
    bound_cidrs: legacy.boundCidrs && cidrs.length > 0 ? cidrs : undefined,
    token_bound_cidrs: cidrs.length > 0 ? cidrs : undefined,
    token_num_uses: role.numUses > 0 ? role.numUses : undefined,
    token_strictly_bind_ip: role.strictlyBindIp ? true : undefined,
  }
}

async function writeRole(request: RoleRequest) {
  const { storage, namespace, data } = request
  const known = (await readRole(request)) ?? newRole(data.role_name)
  const role = changed(known, data)
  checkUses(role)
  checkBinding(role)
  if (role.tokenType === 'batch') checkBatchRole(role)
  storage.put(tokenRoles, rolePrefix(namespace.id) + role.name, role)
}

function changed(role: TokenRole, data: RoleData): TokenRole {
  const names = (given: readonly string[] | undefined, kept: readonly string[]) =>
    given === undefined ? kept : canonicalPolicyNames(given, { addDefault: false })
  const cidrs = data.token_bound_cidrs ?? data.bound_cidrs
  if (cidrs !== undefined) checkCidrs(cidrs)
  return {
    name: role.name,
    allowedPolicies: names(data.allowed_policies, role.allowedPolicies),
    disallowedPolicies: names(data.disallowed_policies, role.disallowedPolicies),
    allowedPoliciesGlob: lowerCase(data.allowed_policies_glob) ?? role.allowedPoliciesGlob,
    disallowedPoliciesGlob: lowerCase(data.disallowed_policies_glob) ?? role.disallowedPoliciesGlob,
    allowedEntityAliases: lowerCase(data.allowed_entity_aliases) ?? role.allowedEntityAliases,
    orphan: data.orphan ?? role.orphan,
    renewable: data.renewable ?? role.renewable,
    pathSuffix: data.path_suffix ?? role.pathSuffix,
    tokenType: data.token_type === undefined ? role.tokenType : roleType(data.token_type),
    periodSeconds: data.token_period ?? data.period ?? role.periodSeconds,
    explicitMaxTtlSeconds:
      data.token_explicit_max_ttl ?? data.explicit_max_ttl ?? role.explicitMaxTtlSeconds,
    boundCidrs: cidrs ?? role.boundCidrs,
    numUses: data.token_num_uses ?? role.numUses,
    noDefaultPolicy: data.token_no_default_policy ?? role.noDefaultPolicy,
    strictlyBindIp: data.token_strictly_bind_ip ?? role.strictlyBindIp,
    legacy: {
      period: isLegacy(data.token_period, data.period, role.legacy.period),
      explicitMaxTtl: isLegacy(
        data.token_explicit_max_ttl,
        data.explicit_max_ttl,
        role.legacy.explicitMaxTtl,
      ),
      boundCidrs: isLegacy(data.token_bound_cidrs, data.bound_cidrs, role.legacy.boundCidrs),
    },
  }
}

function isLegacy(current: unknown, old: unknown, kept: boolean): boolean {
  return current === undefined && (old === undefined ? kept : true)
}

function lowerCase(names: readonly string[] | undefined): readonly string[] | undefined {
  return names && [...new Set(names.map((name) => name.toLowerCase()))].sort()
}

function roleType(text: string): TokenRole['tokenType'] {
  switch (text) {
    case '':
    case 'default':
    case 'default-service':
      return 'default-service'
    case 'default-batch':
    case 'service':
    case 'batch':
      return text
    default:
      throw new BadRequest(
        "invalid 'token_type' value; it is one of service, batch, default-service, default-batch",
      )
  }
}

function checkCidrs(cidrs: readonly string[]): void {
  if (cidrs.every(isCidr)) return
  throw new BadRequest(
    'error parsing role fields: error parsing address: each entry of token_bound_cidrs is an IPv4 or IPv6 address or network, such as 10.0.0.0/8',
  )
}

function checkUses({ numUses, tokenType }: TokenRole): void {
  const refuse = (fault: string) => new BadRequest(`error parsing role fields: ${fault}`)
  if (numUses < 0) throw refuse("'token_num_uses' cannot be negative")
  if (numUses > 0 && (tokenType === 'batch' || tokenType === 'default-batch')) {
    throw refuse(
      "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count",
    )
  }
}

function checkBinding(role: TokenRole): void {
  const fault = bindingFault(role)
  if (fault !== undefined) throw new BadRequest(`error parsing role fields: ${fault}`)
}

function checkBatchRole(role: TokenRole): void {
  const fault = !role.orphan
    ? 'non-orphan tokens'
    : role.periodSeconds > 0
      ? 'periodic tokens'
      : role.renewable
        ? 'renewable tokens'
        : role.explicitMaxTtlSeconds > 0
          ? 'tokens with explicit max TTLs'
          : undefined
  if (fault !== undefined) {
    throw new BadRequest(`'token_type' cannot be 'batch' when role is set to generate ${fault}`)
  }
}

async function deleteRole({ storage, namespace, data }: RoleRequest) {
  storage.delete(rolePrefix(namespace.id) + data.role_name)
}
