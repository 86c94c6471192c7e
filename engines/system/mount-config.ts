/** The settings of a mount as requests give them, at its making and when it is tuned. */
import { parseDurationSeconds } from '../../core/duration.ts'
import { BadRequest } from '../../core/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { MountConfig, MountEntry } from '../../core/mounts/record.ts'
import type { SystemTtl } from '../../core/mounts/mount.ts'
import { demandNames } from './mount-limits.ts'

/** Where a lock-out of users can be set. */
const LOCKING_METHODS = new Set(['approle', 'ldap', 'userpass'])

/** What was given; what was not is absent. @throws {BadRequest} */
export function readMountConfig(given: JsonObject): Partial<MountConfig> {
  const config: { -readonly [K in keyof MountConfig]?: MountConfig[K] } = {}
  const defaultTtl = given['default_lease_ttl']
  const maxTtl = given['max_lease_ttl']
  if (isSet(defaultTtl))
    config.defaultTtlSeconds = ttl(defaultTtl, 'default TTL (default_lease_ttl)')
  if (isSet(maxTtl)) config.maxTtlSeconds = ttl(maxTtl, 'max TTL (max_lease_ttl)')
  const visibility = given['listing_visibility']
  if (isSet(visibility)) config.listingVisibility = readVisibility(visibility)
  const names = {
    auditNonHmacRequestKeys: readNames(given, 'audit_non_hmac_request_keys'),
    auditNonHmacResponseKeys: readNames(given, 'audit_non_hmac_response_keys'),
    passthroughRequestHeaders: readNames(given, 'passthrough_request_headers'),
    allowedResponseHeaders: readNames(given, 'allowed_response_headers'),
  }
  for (const [key, list] of Object.entries(names)) {
    if (list !== undefined) Object.assign(config, { [key]: list })
  }
  if (isSet(given['token_type'])) config.tokenType = readTokenType(given['token_type'])
  return config
}

function isSet(value: Json | undefined): value is Exclude<Json, null> {
  return value !== undefined && value !== null
}

/** `system`, and nothing, mean the system's: 0. So a part of a second is a whole one, and not 0. */
function ttl(value: Json, what: string): number {
  if (value === 'system' || value === '') return 0
  if (typeof value === 'string' || typeof value === 'number') {
    try {
      const seconds = parseDurationSeconds(value)
      return Math.trunc(seconds) || (seconds > 0 ? 1 : 0)
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
      throw new BadRequest(`unable to parse ${what}: ${error.message}`)
    }
  }
  throw new BadRequest(`unable to parse ${what}: give seconds or a duration such as "1h"`)
}

/** What only the making of a mount can set. @throws {BadRequest} */
export function readForceNoCache(given: JsonObject): boolean {
  return readFlag(given['force_no_cache'], 'force_no_cache') ?? false
}

function readFlag(value: Json | undefined, name: string): boolean | undefined {
  if (!isSet(value)) return undefined
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw new BadRequest(`${name} must be true or false`)
}

function readVisibility(value: Json): '' | 'unauth' | 'hidden' {
  if (value === '' || value === 'unauth' || value === 'hidden') return value
  throw new BadRequest('invalid listing_visibility; it is "", "unauth" or "hidden"')
}

function readTokenType(value: Json): NonNullable<MountConfig['tokenType']> {
  switch (value) {
    case 'default-service':
    case 'default-batch':
    case 'service':
    case 'batch':
      return value
    case '':
      return 'default-service'
    default:
      throw new BadRequest(
        "invalid value for 'token_type'; it is default-service, default-batch, service or batch",
      )
  }
}

function readNames(given: JsonObject, field: string): readonly string[] | undefined {
  const value = given[field]
  if (!isSet(value)) return undefined
  const items: readonly Json[] = Array.isArray(value) ? value : textOf(value).split(',')
  const names = items.map((item) => textOf(item).trim()).filter((item) => item !== '')
  demandNames(field, names)
  return names
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** @throws {BadRequest} the default is beyond the maximum */
export function checkTtls(config: Pick<MountConfig, 'defaultTtlSeconds' | 'maxTtlSeconds'>): void {
  const { defaultTtlSeconds: usual, maxTtlSeconds: max } = config
  if (max > 0 && usual > max) {
    throw new BadRequest('given default lease TTL greater than given max lease TTL')
  }
}

/** @throws {BadRequest} as `checkTtls`, with the text of tuning */
export function checkTunedTtls(config: MountConfig): void {
  const { defaultTtlSeconds: usual, maxTtlSeconds: max } = config
  if (max > 0 && usual > max) {
    throw new BadRequest(
      `backend max lease TTL of ${max} would be less than backend default lease TTL of ${usual}`,
    )
  }
}

/** Settings of the lock-out of users. @throws {BadRequest} */
export function readLockout(
  entry: Pick<MountEntry, 'type' | 'config'>,
  given: Json,
): NonNullable<MountConfig['userLockout']> {
  if (!LOCKING_METHODS.has(entry.type)) {
    throw new BadRequest(
      `tuning of user lockout configuration for auth type "${entry.type}" not allowed`,
    )
  }
  if (!isJsonObject(given)) throw new BadRequest('user_lockout_config must be an object')
  const before = entry.config.userLockout
  const threshold = given['lockout_threshold']
  const seconds = (name: string, kept = 0) => {
    const value = given[name]
    return isSet(value) ? ttl(value, name) : kept
  }
  return {
    threshold: isSet(threshold) ? readThreshold(threshold) : (before?.threshold ?? 0),
    durationSeconds: seconds('lockout_duration', before?.durationSeconds),
    counterResetSeconds: seconds('lockout_counter_reset', before?.counterResetSeconds),
    disable: readFlag(given['lockout_disable'], 'lockout_disable') ?? before?.disable ?? false,
  }
}

function readThreshold(value: Json): number {
  const text = textOf(value)
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new BadRequest(
    'unable to parse user lockout threshold: lockout_threshold is a whole number',
  )
}

/** As a mount's own entry shows it: what is not set is 0. */
export function shownConfig(config: MountConfig): Record<string, unknown> {
  return {
    default_lease_ttl: config.defaultTtlSeconds,
    max_lease_ttl: config.maxTtlSeconds,
    force_no_cache: config.forceNoCache,
    ...shownExtras(config),
    user_lockout_config: config.userLockout && shownLockout(config.userLockout),
  }
}

/** As tuning shows it: what holds, with the system's where nothing is set. */
export function shownTune(entry: MountEntry, system: SystemTtl): Record<string, unknown> {
  const { config } = entry
  return {
    default_lease_ttl: config.defaultTtlSeconds || system.defaultSeconds,
    max_lease_ttl: config.maxTtlSeconds || system.maxSeconds,
    force_no_cache: config.forceNoCache,
    description: entry.description,
    options: entry.options && Object.keys(entry.options).length > 0 ? entry.options : undefined,
    external_entropy_access: entry.externalEntropyAccess ? true : undefined,
    ...shownExtras(config),
    ...(config.userLockout && shownLockout(config.userLockout)),
  }
}

function shownExtras(config: MountConfig): Record<string, unknown> {
  return {
    audit_non_hmac_request_keys: config.auditNonHmacRequestKeys,
    audit_non_hmac_response_keys: config.auditNonHmacResponseKeys,
    listing_visibility: config.listingVisibility === '' ? undefined : config.listingVisibility,
    passthrough_request_headers: config.passthroughRequestHeaders,
    allowed_response_headers: config.allowedResponseHeaders,
    token_type: config.tokenType,
  }
}

function shownLockout(lockout: NonNullable<MountConfig['userLockout']>): Record<string, unknown> {
  return {
    user_lockout_threshold: lockout.threshold,
    user_lockout_duration: lockout.durationSeconds,
    user_lockout_counter_reset_duration: lockout.counterResetSeconds,
    user_lockout_disable: lockout.disable,
  }
}
