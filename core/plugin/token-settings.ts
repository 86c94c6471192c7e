/** The `token_*` fields that every auth method has in its roles (contract: http.md, 10.6). */
import { z } from 'zod'
import { isCidr, showCidr } from '../cidr.ts'
import { BadRequest } from '../errors.ts'
import {
  canonicalPolicyName,
  PolicyNotAssignable,
  RESPONSE_WRAPPING_POLICY,
  ROOT_POLICY,
} from '../policy/names.ts'
import { boolean, duration, integer, list, string, type Parsed } from './fields.ts'
import type { Mount } from './request.ts'
import type { Grant } from './response.ts'

export const tokenFields = {
  token_ttl: duration("Time to live of its tokens; 0 for the mount's."),
  token_max_ttl: duration("End that renewals do not pass; 0 for the mount's."),
  token_explicit_max_ttl: duration('End that nothing passes, not even a period.'),
  token_period: duration('Each renewal gives this span, without an end.'),
  token_policies: list('Policies of its tokens.'),
  token_bound_cidrs: list('Networks that its tokens may be used from.'),
  token_no_default_policy: boolean('Its tokens lack the policy `default`.'),
  token_num_uses: integer('Uses until a token is revoked; 0 for any number.'),
  token_type: string('`default`, `service`, `batch`, `default-service` or `default-batch`.'),
  token_strictly_bind_ip: boolean('Its tokens are bound to the address that logged in.'),
}
export type TokenData = Parsed<typeof tokenFields>

const strings = z.array(z.string()).readonly()

/** To be part of a role's record. */
export const tokenSettingsSchema = z
  .object({
    ttlSeconds: z.number(),
    maxTtlSeconds: z.number(),
    explicitMaxTtlSeconds: z.number(),
    periodSeconds: z.number(),
    policies: strings,
    boundCidrs: strings,
    noDefaultPolicy: z.boolean(),
    numUses: z.number().int(),
    type: z.enum(['default', 'default-service', 'default-batch', 'service', 'batch']),
    strictlyBindIp: z.boolean(),
  })
  .readonly()
export type TokenSettings = z.infer<typeof tokenSettingsSchema>

export const NO_TOKEN_SETTINGS: TokenSettings = {
  ttlSeconds: 0,
  maxTtlSeconds: 0,
  explicitMaxTtlSeconds: 0,
  periodSeconds: 0,
  policies: [],
  boundCidrs: [],
  noDefaultPolicy: false,
  numUses: 0,
  type: 'default',
  strictlyBindIp: false,
}

/** The settings with what was sent. @throws {BadRequest} they do not go together */
export function changedTokenSettings(settings: TokenSettings, data: TokenData): TokenSettings {
  const changed: TokenSettings = {
    ttlSeconds: data.token_ttl ?? settings.ttlSeconds,
    maxTtlSeconds: data.token_max_ttl ?? settings.maxTtlSeconds,
    explicitMaxTtlSeconds: data.token_explicit_max_ttl ?? settings.explicitMaxTtlSeconds,
    periodSeconds: data.token_period ?? settings.periodSeconds,
    policies: data.token_policies ? policyNames(data.token_policies) : settings.policies,
    boundCidrs: data.token_bound_cidrs ?? settings.boundCidrs,
    noDefaultPolicy: data.token_no_default_policy ?? settings.noDefaultPolicy,
    numUses: data.token_num_uses ?? settings.numUses,
    type: data.token_type === undefined ? settings.type : typeOf(data.token_type),
    strictlyBindIp: data.token_strictly_bind_ip ?? settings.strictlyBindIp,
  }
  check(changed)
  return changed
}

/** Canonical, each once, in the order given: a read shows them so. @throws {BadRequest} no login could give them */
function policyNames(names: readonly string[]): readonly string[] {
  const policies = [...new Set(names.map(canonicalPolicyName))]
  if (policies.includes(ROOT_POLICY)) throw new BadRequest('auth methods cannot create root tokens')
  if (policies.includes(RESPONSE_WRAPPING_POLICY)) {
    throw new PolicyNotAssignable(RESPONSE_WRAPPING_POLICY)
  }
  return policies
}

function typeOf(text: string): TokenSettings['type'] {
  switch (text) {
    case '':
    case 'default':
      return 'default'
    case 'default-service':
    case 'default-batch':
    case 'service':
    case 'batch':
      return text
    default:
      throw new BadRequest(
        "invalid 'token_type' value; it is one of default, service, batch, default-service, default-batch",
      )
  }
}

function check(settings: TokenSettings): void {
  if (settings.maxTtlSeconds > 0 && settings.ttlSeconds > settings.maxTtlSeconds) {
    throw new BadRequest("'token_ttl' cannot be greater than 'token_max_ttl'")
  }
  if (settings.numUses < 0) throw new BadRequest("'token_num_uses' cannot be negative")
  if (!settings.boundCidrs.every(isCidr)) {
    throw new BadRequest(
      'error parsing address: each entry of token_bound_cidrs is an IPv4 or IPv6 address or network, such as 10.0.0.0/8',
    )
  }
  const twice = bindingFault(settings)
  if (twice !== undefined) throw new BadRequest(twice)
  if (settings.type !== 'batch' && settings.type !== 'default-batch') return
  const cannot = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
  if (settings.periodSeconds > 0) throw new BadRequest(`${cannot} periodic tokens`)
  if (settings.numUses > 0) throw new BadRequest(`${cannot} tokens with limited use count`)
}

/** Tokens bound to one address and to networks: one of the two would have no effect. @returns what to say of it */
export function bindingFault({
  strictlyBindIp,
  boundCidrs,
}: Pick<TokenSettings, 'strictlyBindIp' | 'boundCidrs'>): string | undefined {
  if (!strictlyBindIp || boundCidrs.length === 0) return undefined
  return "'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one"
}

/**
 * Judges the settings beside those of the mount, which may make batch tokens of all that it grants: their uses are not
 * counted, so a role that bounds them would be good for any number.
 *
 * @throws {BadRequest}
 */
export function demandCountable(settings: TokenSettings, mount: Mount): void {
  if (settings.numUses === 0 || grantedType(settings, mount) === 'service') return
  throw new BadRequest(
    `'token_num_uses' cannot be set where the mount makes batch tokens (its token_type is ${mount.tokenType}): their uses are not counted`,
  )
}

/** As a read of the role shows them. */
export function shownTokenSettings(settings: TokenSettings): Record<string, unknown> {
  return {
    token_ttl: settings.ttlSeconds,
    token_max_ttl: settings.maxTtlSeconds,
    token_explicit_max_ttl: settings.explicitMaxTtlSeconds,
    token_period: settings.periodSeconds,
    token_policies: settings.policies,
    token_bound_cidrs: settings.boundCidrs.map(showCidr),
    token_no_default_policy: settings.noDefaultPolicy,
    token_num_uses: settings.numUses,
    token_type: settings.type,
    token_strictly_bind_ip: settings.strictlyBindIp,
  }
}

type Granted = Pick<
  Grant,
  | 'type'
  | 'policies'
  | 'ttlSeconds'
  | 'maxTtlSeconds'
  | 'explicitMaxTtlSeconds'
  | 'periodSeconds'
  | 'numUses'
  | 'boundCidrs'
  | 'renewable'
  | 'noDefaultPolicy'
>

/**
 * What a login through such a role grants.
 *
 * @param address of the client
 * @throws {BadRequest} the mount was tuned since, and now makes tokens whose uses cannot be counted
 */
export function grantOf(settings: TokenSettings, mount: Mount, address: string): Granted {
  demandCountable(settings, mount)
  const type = grantedType(settings, mount)
  return {
    type,
    policies: settings.policies,
    ttlSeconds: settings.ttlSeconds,
    maxTtlSeconds: settings.maxTtlSeconds,
    explicitMaxTtlSeconds: settings.explicitMaxTtlSeconds,
    periodSeconds: type === 'batch' ? 0 : settings.periodSeconds,
    numUses: settings.numUses,
    boundCidrs: settings.strictlyBindIp ? [address] : settings.boundCidrs,
    renewable: type !== 'batch',
    noDefaultPolicy: settings.noDefaultPolicy,
  }
}

/** The mount decides where it leaves no choice; else the role; else the mount's default. */
function grantedType({ type }: TokenSettings, { tokenType }: Mount): 'service' | 'batch' {
  if (tokenType === 'service' || tokenType === 'batch') return tokenType
  if (type === 'service' || type === 'batch') return type
  const fallback = type === 'default' ? tokenType : type
  return fallback === 'default-batch' ? 'batch' : 'service'
}
