/** `sys/plugins/pins`: the version of a plugin that serves all its mounts, whatever each of them asks for. */
import { BadRequest } from '../../../core/errors.ts'
import {
  findPin,
  findRegistered,
  listPins,
  putPin,
  removePin,
  type Pin,
} from '../../../core/external/catalog.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { readVersion } from '../plugin-version.ts'
import { byType, isKind } from './plugins.ts'

const fields = {
  ...byType,
  name: string('Name of the plugin.').default(''),
  version: string('Version that is registered: v1.2.3.').default(''),
}
type PinRequest = Request<typeof fields>

export const pluginPinPaths = [
  path('plugins/pins', {
    summary: 'All pinned versions',
    sudo: true,
    operations: {
      async read({ storage }) {
        return { data: { pinned_versions: (await listPins(storage)).map(shown) } }
      },
    },
  }),
  path('plugins/pins/:type/:name', {
    summary: 'The pinned version of a plugin',
    description: 'Another version serves all mounts of the plugin from the next request on.',
    sudo: true,
    fields,
    operations: {
      read: show,
      update: { rootOnly: true, handler: pin },
      delete: { rootOnly: true, handler: unpin },
    },
  }),
]

async function show({ data, storage }: PinRequest): Promise<Response | undefined> {
  const { type, name } = data
  const found = isKind(type) ? await findPin(storage, type, name) : undefined
  return found && { data: shown(found) }
}

async function pin({ data, storage }: PinRequest): Promise<undefined> {
  const { type, name } = data
  const version = readVersion(data.version)
  if (version === '') throw new BadRequest('version must be given, such as v1.2.3')
  const found = isKind(type) ? await findRegistered(storage, type, name, version) : undefined
  if (found === undefined) throw new BadRequest('that version is not in the catalog')
  putPin(storage, { kind: found.kind, name, version })
}

function unpin({ data, storage }: PinRequest): void {
  if (isKind(data.type)) removePin(storage, data.type, data.name)
}

function shown({ kind: type, name, version }: Pin): Record<string, unknown> {
  return { type, name, version }
}
