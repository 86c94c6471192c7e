/** `sys/mounts`, `sys/auth`, and their tuning (contract: sys-auth.md, Mounts). */
import { BadRequest } from '../../../core/errors.ts'
import {
  isBuiltIn,
  isReserved,
  mount,
  tune,
  unmount,
  type ChangeContext,
} from '../../../core/mounts/change.ts'
import type { SystemTtl } from '../../../core/mounts/mount.ts'
import type { MountEntry } from '../../../core/mounts/record.ts'
import type { Registry } from '../../../core/mounts/registry.ts'
import { listMounts, mountAt } from '../../../core/mounts/table.ts'
import {
  anything,
  boolean,
  keyValues,
  mountPath,
  object,
  string,
} from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import type { View } from '../../../core/store/view.ts'
import {
  checkTtls,
  checkTunedTtls,
  readForceNoCache,
  readLockout,
  readMountConfig,
  shownTune,
} from '../mount-config.ts'
import { demandMountLimits } from '../mount-limits.ts'
import { chooseVersion } from '../plugin-version.ts'
import { shownMount } from '../shown-mount.ts'
import { remountPaths } from './remount.ts'

const mountFields = {
  path: mountPath('Where it is mounted.').default(''),
  type: string('Type of the engine or method.').default(''),
  description: string('What it is for.').default(''),
  config: object('Settings: TTLs, visibility, what the audit log shows.').default({}),
  options: keyValues("The engine's options, such as `version`."),
  local: boolean('Kept for compatibility.').default(false),
  seal_wrap: boolean('Kept for compatibility: every record is sealed.').default(false),
  external_entropy_access: boolean('Kept for compatibility.').default(false),
  plugin_name: string('Old name of `type`.').default('').deprecated(),
  plugin_version: string('Version of an external plugin; default: the newest.').default(''),
}
type MountRequest = Request<typeof mountFields>

const tuneFields = {
  path: mountPath('The mount.').default(''),
  default_lease_ttl: anything("Usual time to live; `system` for the system's."),
  max_lease_ttl: anything("Longest time to live; `system` for the system's."),
  description: string('What it is for.'),
  audit_non_hmac_request_keys: anything('Names whose values the audit log shows.'),
  audit_non_hmac_response_keys: anything('Names whose values the audit log shows.'),
  options: keyValues("The engine's options; `version` 2 upgrades kv."),
  listing_visibility: anything('`unauth`: shown to everybody.'),
  passthrough_request_headers: anything('Request headers that the engine sees.'),
  allowed_response_headers: anything('Response headers that the engine may set.'),
  token_type: anything('Type of the tokens that an auth method grants.'),
  user_lockout_config: anything('When users are locked out.'),
  plugin_version: string('Version of an external plugin from now on.'),
}
type TuneRequest = Request<typeof tuneFields>

type Family = 'secret' | 'auth'

export function mountPaths(registry: () => Registry, systemTtl: SystemTtl) {
  return [
    ...familyPaths('secret', 'mounts', registry, systemTtl),
    ...familyPaths('auth', 'auth', registry, systemTtl),
    ...remountPaths(registry),
  ]
}

function familyPaths(family: Family, at: string, registry: () => Registry, systemTtl: SystemTtl) {
  const what = family === 'secret' ? 'secrets engine' : 'auth method'
  const sudo = family === 'auth'
  return [
    path(at, {
      summary: `Lists the ${what}s that are mounted`,
      operations: { read: (request) => showAll(request, family) },
    }),
    path(`${at}/:path*/tune`, {
      summary: `Settings of a ${what}`,
      sudo,
      fields: tuneFields,
      operations: {
        read: (request) => showTune(request, family, systemTtl),
        update: (request) => writeTune(request, family, registry),
      },
    }),
    path(`${at}/:path*`, {
      summary: `Mounts, shows and removes a ${what}`,
      sudo,
      fields: mountFields,
      operations: {
        read: (request) => showMount(request, family),
        update: (request) => makeMount(request, family, registry),
        delete: (request) => removeMount(request, family, registry),
      },
      examples: [
        {
          summary: `Mounts a ${what}`,
          operation: 'update',
          path: `${at}/${family === 'secret' ? 'secret' : 'approle'}`,
          request:
            family === 'secret' ? { type: 'kv', options: { version: '2' } } : { type: 'approle' },
        },
      ],
    }),
  ]
}

function contextOf(request: Request, registry: () => Registry): ChangeContext {
  const { storage: root, namespace, random, nowMs } = request
  return { root, namespace, registry: registry(), random, nowMs }
}

/** As it is stored: with its trailing '/', auth methods below `auth/`. */
function storedPath(given: string, family: Family): string {
  const trimmed = given.replaceAll(/^\/+|\/+$/g, '')
  return `${family === 'auth' ? 'auth/' : ''}${trimmed}/`
}

function bare(given: string): string {
  return `${given.replaceAll(/^\/+|\/+$/g, '')}/`
}

async function showAll({ storage, namespace }: Request, family: Family): Promise<Response> {
  const entries = await listMounts(storage, namespace.id)
  const data: Record<string, unknown> = {}
  for (const entry of entries.filter(({ kind }) => kind === family)) {
    const name = family === 'auth' ? entry.path.slice('auth/'.length) : entry.path
    data[name] = await shownMount(storage, entry, namespace)
  }
  return { data }
}

async function showMount({ storage, namespace, data }: MountRequest, family: Family) {
  const entry = await mountAt(storage, namespace.id, storedPath(data.path, family))
  if (entry === undefined || entry.kind !== family) {
    throw new BadRequest(
      family === 'secret'
        ? `No secret engine mount at ${bare(data.path)}`
        : `No auth engine at ${bare(data.path)}`,
    )
  }
  return { data: await shownMount(storage, entry, namespace) }
}

async function makeMount(
  request: MountRequest,
  family: Family,
  registry: () => Registry,
): Promise<undefined> {
  const { data } = request
  const at = storedPath(data.path, family)
  demandMountLimits(data)
  const { type, options } = typeAndOptions(data)
  if (type === '') throw new BadRequest('backend type must be specified as a string')
  const { tokenType = 'default-service', ...config } = readMountConfig(data.config)
  checkTtls({ defaultTtlSeconds: 0, maxTtlSeconds: 0, ...config })
  if (family === 'secret' ? isReserved(at) : at === 'auth/token/') {
    throw new BadRequest(
      family === 'secret'
        ? `cannot mount "${at}"`
        : 'token credential backend cannot be instantiated',
    )
  }
  const pluginVersion = await checkType(registry(), family, { ...data, type, options }, request)
  await mount(contextOf(request, registry), {
    path: at,
    kind: family,
    type,
    pluginVersion,
    description: data.description,
    local: data.local,
    sealWrap: data.seal_wrap,
    externalEntropyAccess: data.external_entropy_access,
    options: options ?? {},
    config: {
      ...config,
      forceNoCache: readForceNoCache(data.config),
      ...(family === 'auth' && { tokenType }),
    },
  })
}

/** Names that stand for an engine with a version, and the old ways to give a type. */
function typeAndOptions({ type, plugin_name: name, options }: MountRequest['data']) {
  const given = type === 'plugin' || type === '' ? name || type : type
  switch (given) {
    case 'kv-v1':
      return { type: 'kv', options: { ...options, version: '1' } }
    case 'kv-v2':
      return { type: 'kv', options: { ...options, version: '2' } }
    case 'generic':
      return { type: 'kv', options }
    default:
      return { type: given, options }
  }
}

/** @returns the version, of an external plugin @throws {BadRequest} no such thing can be mounted */
async function checkType(
  registry: Registry,
  family: Family,
  given: Pick<MountRequest['data'], 'type' | 'options' | 'plugin_version' | 'config'>,
  { storage }: MountRequest,
): Promise<string | undefined> {
  const { type, options } = given
  const own = registry.types.find((one) => one.type === type && one.singleton === true)
  if (own !== undefined) {
    throw new BadRequest(
      family === 'auth' && type === 'token'
        ? 'token credential backend cannot be instantiated'
        : `mount type of "${type}" is not mountable`,
    )
  }
  if (registry.type(family, type) === undefined) {
    const version = given.plugin_version || given.config['plugin_version']
    return chooseVersion(storage, family, type, typeof version === 'string' ? version : '')
  }
  if (options?.['version'] !== undefined && type !== 'kv') {
    throw new BadRequest(`secrets engine "${type}" does not allow setting a version`)
  }
  return undefined
}

async function removeMount(
  request: MountRequest,
  family: Family,
  registry: () => Registry,
): Promise<undefined> {
  const at = storedPath(request.data.path, family)
  if (isBuiltIn(at)) {
    throw new BadRequest(
      family === 'secret'
        ? `cannot unmount "${at}"`
        : 'token credential backend cannot be disabled',
    )
  }
  const { storage, namespace } = request
  // Auth methods are removed through `sys/auth` alone, which needs sudo.
  if ((await mountAt(storage, namespace.id, at))?.kind !== family) return
  await unmount(contextOf(request, registry), at)
}

function tuned(
  { storage, namespace, data }: TuneRequest,
  family: Family,
): Promise<MountEntry | undefined> {
  return mountAt(storage, namespace.id, storedPath(data.path, family))
}

async function showTune(request: TuneRequest, family: Family, systemTtl: SystemTtl) {
  const entry = await tuned(request, family)
  if (entry === undefined) {
    const at = storedPath(request.data.path, family)
    throw new BadRequest(`cannot fetch sysview for path "${at}"`)
  }
  return { data: shownTune(entry, systemTtl) }
}

/** What may be changed of the server's own mounts. */
const TUNABLE_ON_OWN = new Set(['audit_non_hmac_request_keys', 'audit_non_hmac_response_keys'])

async function writeTune(
  request: TuneRequest,
  family: Family,
  registry: () => Registry,
): Promise<Response | undefined> {
  const { data, body, storage } = request
  const entry = await tuned(request, family)
  if (entry === undefined) {
    const at = storedPath(data.path, family)
    throw new BadRequest(`tune of path "${at}" failed: no mount entry found`)
  }
  if (entry.kind === 'secret' && isBuiltIn(entry.path)) {
    const refused = Object.keys(body).find(
      (name) => name in tuneFields && !TUNABLE_ON_OWN.has(name),
    )
    if (refused !== undefined) {
      throw new BadRequest(`cannot tune parameter ${refused} of ${entry.path}`)
    }
  }
  demandMountLimits(data)
  checkTokenType(entry, data.token_type !== undefined)
  const config = { ...entry.config, ...readMountConfig(body) }
  checkTunedTtls(config)
  const lockout = data.user_lockout_config
  const options = changedOptions(entry, data.options)
  const pluginVersion = await tunedVersion(storage, entry, data.plugin_version)
  const { warnings } = await tune(contextOf(request, registry), entry, {
    ...(pluginVersion !== undefined && { pluginVersion }),
    description: data.description ?? entry.description,
    options,
    config:
      lockout === undefined ? config : { ...config, userLockout: readLockout(entry, lockout) },
  })
  const upgraded =
    entry.type === 'kv' && options?.['version'] === '2' && entry.options?.['version'] !== '2'
  if (upgraded) return { data: null, warnings: [...warnings, UPGRADED] }
  return warnings.length === 0 ? undefined : { data: null, warnings }
}

/** @returns the version from now on; `undefined`: it is built in @throws {BadRequest} */
async function tunedVersion(
  root: View,
  { kind, type, pluginVersion }: MountEntry,
  given: string | undefined,
): Promise<string | undefined> {
  if (pluginVersion === undefined || given === undefined) return pluginVersion
  return chooseVersion(root, kind, type, given)
}

const UPGRADED =
  'Upgraded mount from version 1 to version 2. Old values are version 1 of their keys.'

function checkTokenType(entry: MountEntry, isGiven: boolean): void {
  if (!isGiven) return
  if (entry.kind !== 'auth') {
    throw new BadRequest("'token_type' can only be modified on auth mounts")
  }
  if (entry.type === 'token') {
    throw new BadRequest("'token_type' cannot be set for 'token' or 'ns_token' auth mounts")
  }
}

function changedOptions(
  entry: MountEntry,
  given: Readonly<Record<string, string>> | undefined,
): MountEntry['options'] {
  if (given === undefined) return entry.options
  const version = given['version']
  // What an external plugin's versions mean is its own affair.
  if (version !== undefined && entry.pluginVersion === undefined) {
    if (entry.type !== 'kv') {
      throw new BadRequest(`secrets engine "${entry.type}" does not allow setting a version`)
    }
    if (version !== '1' && version !== '2')
      throw new BadRequest(`invalid version provided: ${version}`)
    if (version === '1' && entry.options?.['version'] === '2') {
      throw new BadRequest('cannot downgrade mount from version 2')
    }
  }
  return { ...entry.options, ...given }
}
