/** What `secrets` and `auth` share: the settings of a mount, its listing, its move. */
import { setTimeout as pause } from 'node:timers/promises'
import { goDuration } from '../../core/duration.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { askData } from '../client/logical.ts'
import { numberOf, objectOf, stringsOf, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import type { Printable } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { tableText } from '../output/table.ts'
import { orFail } from './failure.ts'
import { duration, list, pairs, text, whole, yesNo } from './flags.ts'
import type { FlagValues } from './flags.ts'
import { folder } from './paths.ts'

export const tuneFlags = {
  description: text('What it is for, in words.'),
  'default-lease-ttl': duration(
    'How long leases live where the request does not say; "system": as the server.',
  ),
  'max-lease-ttl': duration('How long leases live at most; "system": as the server.'),
  'audit-non-hmac-request-keys': list(
    'A field of requests that audit shows as it is; may be given several times.',
  ),
  'audit-non-hmac-response-keys': list(
    'A field of answers that audit shows as it is; may be given several times.',
  ),
  'listing-visibility': text('Whether it is listed before login: "unauth" or "hidden".'),
  'passthrough-request-headers': list(
    'A request header that it may see; may be given several times.',
  ),
  'allowed-response-headers': list(
    'A response header that it may set; may be given several times.',
  ),
  'plugin-version': text('Version of the plugin.'),
  options: pairs('An option of its type: key=value; may be given several times.'),
  version: whole('Version of the engine, such as 2 of kv.'),
}

export const enableFlags = {
  ...tuneFlags,
  path: text('Where it is mounted; default: named like its type.'),
  'plugin-name': text('Name of the plugin, where the type is "plugin".'),
  local: yesNo('Not replicated to other clusters.'),
  'seal-wrap': yesNo('Wrap its critical values by the seal once more.'),
  'external-entropy-access': yesNo('It may use an external source of randomness.'),
}

type TuneValues = FlagValues<typeof tuneFlags>

/** The settings that were given, and no others. */
export function tuneBody(flags: TuneValues): JsonObject {
  const options = optionsOf(flags)
  return {
    ...configOf(flags),
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...(options === null ? {} : { options }),
  }
}

function configOf(flags: TuneValues): JsonObject {
  const ttl = (name: string, seconds: number | undefined): JsonObject =>
    seconds === undefined ? {} : { [name]: seconds < 0 ? 'system' : goDuration(seconds) }
  const headers = (name: string, given: readonly string[]): JsonObject =>
    given.length === 0 ? {} : { [name]: given }
  const word = (name: string, given: string | undefined): JsonObject =>
    given === undefined ? {} : { [name]: given }
  return {
    ...ttl('default_lease_ttl', flags['default-lease-ttl']),
    ...ttl('max_lease_ttl', flags['max-lease-ttl']),
    ...headers('audit_non_hmac_request_keys', flags['audit-non-hmac-request-keys']),
    ...headers('audit_non_hmac_response_keys', flags['audit-non-hmac-response-keys']),
    ...word('listing_visibility', flags['listing-visibility']),
    ...headers('passthrough_request_headers', flags['passthrough-request-headers']),
    ...headers('allowed_response_headers', flags['allowed-response-headers']),
    ...word('plugin_version', flags['plugin-version']),
  }
}

function optionsOf({ options, version }: TuneValues): JsonObject | null {
  const given =
    version === undefined || version <= 0 ? options : { ...options, version: String(version) }
  return Object.keys(given).length === 0 ? null : given
}

/** @param more settings that only this kind of mount has */
export function enableBody(
  flags: FlagValues<typeof enableFlags>,
  type: string,
  more: JsonObject = {},
): JsonObject {
  return {
    type,
    description: flags.description ?? '',
    config: { ...configOf(flags), ...more },
    local: flags.local,
    seal_wrap: flags['seal-wrap'],
    external_entropy_access: flags['external-entropy-access'],
    options: optionsOf(flags),
  }
}

/** The type, and the path it is mounted at. `plugin` stands for the plugin that -plugin-name names. */
export function typeAndPath(
  flags: FlagValues<typeof enableFlags>,
  given: string,
): { type: string; path: string; thing: string } {
  const named = given.trim()
  const type = named === 'plugin' ? (flags['plugin-name'] ?? named) : named
  const version = flags['plugin-version'] === undefined ? '' : ` version ${flags['plugin-version']}`
  return { type, path: folder((flags.path ?? '') || type), thing: version }
}

export function askMounts(
  connection: Connection,
  path: 'sys/mounts' | 'sys/auth',
  what: string,
): Promise<JsonObject> {
  return orFail(what, askData(connection, { method: 'GET', path }))
}

/** Each mount with its members in the order of Vault's command line. */
export function mountMembers(mounts: JsonObject): Printable {
  return new Map(sortedMounts(mounts).map(([path, mount]) => [path, oneMount(mount)]))
}

export function sortedMounts(mounts: JsonObject): readonly (readonly [string, JsonObject])[] {
  return Object.keys(mounts)
    .sort()
    .map((path) => [path, objectOf(mounts[path]) ?? {}])
}

const TEXTS = ['plugin_version', 'running_plugin_version', 'running_sha256', 'deprecation_status']

function oneMount(mount: JsonObject): ReadonlyMap<string, Printable> {
  return new Map<string, Printable>([
    ['uuid', textOf(mount['uuid'])],
    ['type', textOf(mount['type'])],
    ['description', textOf(mount['description'])],
    ['accessor', textOf(mount['accessor'])],
    ['config', configMembers(objectOf(mount['config']) ?? {})],
    ['options', objectOf(mount['options'])],
    ['local', mount['local'] === true],
    ['seal_wrap', mount['seal_wrap'] === true],
    ['external_entropy_access', mount['external_entropy_access'] === true],
    ...TEXTS.map((name) => [name, textOf(mount[name])] as const),
  ])
}

const OPTIONAL_SETTINGS = [
  'audit_non_hmac_request_keys',
  'audit_non_hmac_response_keys',
  'listing_visibility',
  'passthrough_request_headers',
  'allowed_response_headers',
  'token_type',
  'allowed_managed_keys',
  'user_lockout_config',
]

function configMembers(config: JsonObject): ReadonlyMap<string, Printable> {
  return new Map<string, Printable>([
    ['default_lease_ttl', numberOf(config['default_lease_ttl'])],
    ['max_lease_ttl', numberOf(config['max_lease_ttl'])],
    ['force_no_cache', config['force_no_cache'] === true],
    ...OPTIONAL_SETTINGS.flatMap((name) => present(name, config[name])),
  ])
}

function present(name: string, value: Json | undefined): readonly (readonly [string, Json])[] {
  const empty =
    value === undefined || value === null || value === '' || stringsOf(value)?.length === 0
  return empty ? [] : [[name, value]]
}

/** @param own the column that only one kind has, before Replication: its title and how a mount fills it */
export function showDetailed(
  printer: Printer,
  mounts: JsonObject,
  own: { title: string; of: (config: JsonObject) => string },
): void {
  const rows = sortedMounts(mounts).map(([path, mount]) => {
    const config = objectOf(mount['config']) ?? {}
    const type = textOf(mount['type'])
    return [
      path,
      type,
      textOf(mount['accessor']),
      ttlText(type, config['default_lease_ttl']),
      ttlText(type, config['max_lease_ttl']),
      own.of(config),
      mount['local'] === true ? 'local' : 'replicated',
      String(mount['seal_wrap'] === true),
      String(mount['external_entropy_access'] === true),
      goValue(objectOf(mount['options']) ?? {}),
      textOf(mount['description']),
      textOf(mount['uuid']),
      ...TEXTS.map((name) => textOf(mount[name])),
    ]
  })
  printer.line(tableText([detailedTitles(own.title), ...rows]))
}

function detailedTitles(own: string): readonly string[] {
  const front = ['Path', 'Plugin', 'Accessor', 'Default TTL', 'Max TTL', own]
  return front.concat(
    ['Replication', 'Seal Wrap', 'External Entropy Access', 'Options', 'Description', 'UUID'],
    ['Version', 'Running Version', 'Running SHA256', 'Deprecation Status'],
  )
}

function ttlText(type: string, ttl: Json | undefined): string {
  if (type === 'system' || type === 'cubbyhole') return ''
  return numberOf(ttl) === 0 ? 'system' : String(numberOf(ttl))
}

const MOVE_POLL_MS = 500

/** Moves a mount and waits until the server has done it. */
export async function moveMount(
  connection: Connection,
  printer: Printer,
  { thing, from, to }: { thing: string; from: string; to: string },
): Promise<void> {
  const source = folder(from)
  const target = folder(to)
  const started = await orFail(
    `Error moving ${thing} ${source} to ${target}`,
    askData(connection, {
      method: 'POST',
      path: 'sys/remount',
      body: { from: source, to: target },
    }),
  )
  const id = textOf(started['migration_id'])
  const what = `moving ${thing} ${source} to ${target}, with migration ID ${id}`
  printer.line(`Started ${what}`)
  for (;;) {
    const state = await orFail(
      `Error checking migration status of ${thing} ${source} to ${target}`,
      askData(connection, { method: 'GET', path: `sys/remount/status/${id}` }),
    )
    const status = textOf(objectOf(state['migration_info'])?.['status'])
    if (status === 'success') return printer.line(`Success! Finished ${what}`)
    if (status === 'failure') return printer.warn(`Failure! Error encountered ${what}`)
    await pause(MOVE_POLL_MS)
  }
}
