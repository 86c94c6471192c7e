/** `sys/plugins/catalog`: the engines and methods that can be mounted (contract: sys-auth.md, Plugins). */
import { BadRequest, listed, RequestError, UnsupportedOperation } from '../../../core/errors.ts'
import {
  findRegistered,
  listRegistered,
  putRegistered,
  removeRegistered,
  findPin,
  type Registered,
} from '../../../core/external/catalog.ts'
import type { Registry } from '../../../core/mounts/registry.ts'
import { boolean, list, string, stringArray } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { BUILTIN_VERSION } from '../../../core/request/audit.ts'
import type { View } from '../../../core/store/view.ts'
import { findVersion, readVersion } from '../plugin-version.ts'
import { readRegistration } from '../plugin-registration.ts'

const TYPES = ['auth', 'database', 'secret']
export const byType = {
  type: string('Type of plugin: auth, database or secret.').default('secret'),
}
const fields = {
  ...byType,
  name: string('Name of the plugin.').default(''),
  version: string('Version of the plugin: v1.2.3; reading one without means the newest.')
    .default('')
    .inQuery(),
  sha256: string('SHA-256 of its file, or digest of its package: `keyhold plugin digest`.').default(
    '',
  ),
  sha_256: string('Old name of `sha256`.').default('').deprecated(),
  command: string('Its file or folder in the plugin directory.').default(''),
  args: list('What it is started with.').default([]),
  env: stringArray('Its environment: NAME=value each.').default([]),
  oci: boolean('Kept for compatibility: plugins come as files.').default(false),
}
export type CatalogRequest = Request<typeof fields>

/** @param directory where this node finds plugins; `undefined`: it takes none */
export function pluginPaths(registry: () => Registry, directory: string | undefined) {
  const builtin = (type: string) =>
    registry()
      .types.filter((one) => one.kind === type && one.singleton !== true)
      .map((one) => one.type)
      .sort()
  return [
    path('plugins/catalog', {
      summary: 'All plugins',
      operations: { read: async ({ storage }) => ({ data: await catalog(storage, builtin) }) },
    }),
    path('plugins/catalog/:type', {
      summary: 'The plugins of one type',
      sudo: true,
      fields: byType,
      operations: {
        async list({ data, storage }) {
          if (!TYPES.includes(data.type)) throw new UnsupportedOperation()
          const external = isKind(data.type) ? await listRegistered(storage, data.type) : []
          return { data: { keys: namesOf(builtin(data.type), external) } }
        },
      },
    }),
    path('plugins/catalog/:type/:name', {
      summary: 'A plugin',
      description:
        'An external plugin is registered by its digest: nothing else than the file or package that has it will run.',
      sudo: true,
      fields,
      operations: {
        read: (request) => show(request, builtin),
        update: {
          rootOnly: true,
          handler: (request) => register(request, builtin, directory),
        },
        delete: { rootOnly: true, handler: deregister },
      },
      examples: [
        {
          summary: 'Register version 1.0.0 of the engine "tally"',
          operation: 'update',
          path: 'plugins/catalog/secret/tally',
          request: { command: 'tally', version: 'v1.0.0', sha256: '0'.repeat(64) },
        },
      ],
    }),
  ]
}

export function isKind(type: string): type is Registered['kind'] {
  return type === 'secret' || type === 'auth'
}

function namesOf(builtin: readonly string[], external: readonly Registered[]): string[] {
  return [...new Set([...builtin, ...external.map(({ name }) => name)])].sort()
}

async function catalog(
  root: View,
  builtin: (type: string) => readonly string[],
): Promise<Record<string, unknown>> {
  const data: Record<string, unknown> = { database: [] }
  const detailed: Record<string, unknown>[] = []
  for (const type of ['auth', 'secret'] as const) {
    const external = await listRegistered(root, type)
    data[type] = namesOf(builtin(type), external)
    for (const name of builtin(type)) {
      const version = BUILTIN_VERSION
      detailed.push({ type, name, version, builtin: true, deprecation_status: 'supported' })
    }
    for (const { name, version, sha256 } of external) {
      detailed.push({ type, name, version, builtin: false, sha256 })
    }
  }
  return { ...data, detailed }
}

async function show(
  { data, storage }: CatalogRequest,
  builtin: (type: string) => readonly string[],
): Promise<Response | undefined> {
  const { type, name } = data
  const version = data.version === BUILTIN_VERSION ? '' : readVersion(data.version)
  if (version === '' && builtin(type).includes(name)) return { data: describedBuiltin(name) }
  const found = isKind(type) ? await findVersion(storage, type, name, version) : undefined
  return found && { data: described(found) }
}

async function register(
  { data, storage }: CatalogRequest,
  builtin: (type: string) => readonly string[],
  directory: string | undefined,
): Promise<Response | undefined> {
  if ((data.sha256 || data.sha_256) === '') throw new BadRequest('missing SHA-256 value')
  if (data.command === '') throw new BadRequest('missing command value')
  if (directory === undefined) {
    throw new RequestError(500, listed('could not set plugin, plugin directory is not configured'))
  }
  if (builtin(data.type).includes(data.name)) {
    throw new BadRequest(`"${data.name}" is built in; register the plugin by another name`)
  }
  const registration = readRegistration(data)
  const { kind, name, version } = registration
  const known = await findRegistered(storage, kind, name, version)
  putRegistered(storage, { ...registration, reloads: known?.reloads ?? 0 })
  return undefined
}

async function deregister({ data, storage }: CatalogRequest): Promise<undefined> {
  const { type, name } = data
  if (!isKind(type)) return
  const found = await findRegistered(storage, type, name, readVersion(data.version))
  if (found === undefined) return
  const pin = await findPin(storage, type, name)
  if (pin?.version === found.version) {
    throw new BadRequest(`the plugin ${name} is pinned to this version: remove the pin first`)
  }
  removeRegistered(storage, found)
}

function describedBuiltin(name: string): Record<string, unknown> {
  return {
    name,
    command: '',
    args: null,
    sha256: '',
    builtin: true,
    oci: false,
    declarative: false,
    version: BUILTIN_VERSION,
    deprecation_status: 'supported',
  }
}

/** Its environment may hold secrets: it is not shown. */
function described({ name, command, args, sha256, version }: Registered): Record<string, unknown> {
  return { name, command, args, sha256, builtin: false, oci: false, declarative: false, version }
}
