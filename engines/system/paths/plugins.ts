/** `sys/plugins/catalog`: the engines and methods that are built in (contract: sys-auth.md, Plugins). */
import { BadRequest, listed, UnsupportedOperation } from '../../../core/errors.ts'
import type { Registry } from '../../../core/mounts/registry.ts'
import { mountAt } from '../../../core/mounts/table.ts'
import { list, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import { BUILTIN_VERSION } from '../../../core/request/audit.ts'

const KINDS = ['auth', 'database', 'secret']
const byType = { type: string('Kind of plugin: auth, database or secret.').default('secret') }
const byName = {
  ...byType,
  name: string('Name of the plugin.').default(''),
  version: string('Version of the plugin.').inQuery(),
}
const reloadFields = {
  plugin: string('Name of a plugin.').default(''),
  mounts: list('Mounts.').default([]),
  scope: string('Kept for compatibility.').default(''),
}

const NO_EXTERNAL = 'this server takes no external plugins; its engines and methods are built in'

export function pluginPaths(registry: () => Registry) {
  const names = (type: string) =>
    registry()
      .types.filter((one) => one.kind === type && one.singleton !== true)
      .map((one) => one.type)
      .sort()
  const refuse = (): never => {
    throw new BadRequest(NO_EXTERNAL)
  }
  return [
    path('plugins/catalog', {
      summary: 'All plugins',
      operations: { read: () => ({ data: catalog(names) }) },
    }),
    path('plugins/catalog/:type', {
      summary: 'The plugins of one kind',
      sudo: true,
      fields: byType,
      operations: {
        list({ data }) {
          if (!KINDS.includes(data.type)) throw new UnsupportedOperation()
          return { data: { keys: names(data.type) } }
        },
      },
    }),
    path('plugins/catalog/:type/:name', {
      summary: 'A plugin',
      sudo: true,
      fields: byName,
      operations: {
        read: ({ data }) =>
          names(data.type).includes(data.name) ? { data: described(data.name) } : undefined,
        update: refuse,
        delete: () => undefined,
      },
    }),
    path('plugins/reload/backend', {
      summary: 'Kept for compatibility: what is built in needs no reload',
      fields: reloadFields,
      operations: {
        async update({ id, data, storage, namespace }: Request<typeof reloadFields>) {
          if (data.plugin === '' && data.mounts.length === 0) {
            throw new BadRequest('plugin or mounts must be provided')
          }
          if (data.plugin !== '' && data.mounts.length > 0) {
            throw new BadRequest('plugin and mounts cannot be set at the same time')
          }
          for (const [i, one] of data.mounts.entries()) {
            const entry = await mountAt(storage, namespace.id, `${one.replace(/\/+$/, '')}/`)
            if (entry !== undefined) continue
            throw new BadRequest(
              listed(`cannot fetch mount entry: item ${i + 1} of mounts is no mount's path`),
            )
          }
          return { data: { reload_id: id } }
        },
      },
    }),
  ]
}

function catalog(names: (type: string) => string[]): Record<string, unknown> {
  const detailed = ['auth', 'secret'].flatMap((type) =>
    names(type).map((name) => ({
      type,
      name,
      version: BUILTIN_VERSION,
      builtin: true,
      deprecation_status: 'supported',
    })),
  )
  return { auth: names('auth'), database: [], secret: names('secret'), detailed }
}

function described(name: string): Record<string, unknown> {
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
