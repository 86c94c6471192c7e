/** `sys/plugins/reload`: external plugins are started anew, on all nodes. What is built in needs no reload. */
import { BadRequest, listed } from '../../../core/errors.ts'
import {
  findRegistered,
  putRegistered,
  servingVersion,
  versionsOf,
} from '../../../core/external/catalog.ts'
import type { MountEntry } from '../../../core/mounts/record.ts'
import { mountAt } from '../../../core/mounts/table.ts'
import { ROOT } from '../../../core/namespaces.ts'
import { list, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import type { View } from '../../../core/store/view.ts'

const fields = {
  plugin: string('Name of a plugin: all its versions.').default(''),
  mounts: list('Mounts: the plugins that serve them.').default([]),
  scope: string('Kept for compatibility: a reload is always that of all nodes.').default(''),
}
type ReloadRequest = Request<typeof fields>

export const pluginReloadPaths = [
  path('plugins/reload/backend', {
    summary: 'Starts plugins anew',
    description:
      'Requests that are under way end in the old process; those that come after it go to the new one.',
    fields,
    operations: { update: reload },
  }),
]

async function reload({ id, data, storage, namespace }: ReloadRequest): Promise<Response> {
  if (data.plugin === '' && data.mounts.length === 0) {
    throw new BadRequest('plugin or mounts must be provided')
  }
  if (data.plugin !== '' && data.mounts.length > 0) {
    throw new BadRequest('plugin and mounts cannot be set at the same time')
  }
  // It serves all namespaces, so no tenant may do this.
  if (data.plugin !== '' && namespace.id !== ROOT.id) {
    throw new BadRequest('operation only available in root namespace')
  }
  const entries = await mountsOf(storage, namespace.id, data.mounts)
  for (const entry of entries) await reloadServing(storage, entry)
  if (data.plugin !== '') await reloadNamed(storage, data.plugin)
  return { data: { reload_id: id } }
}

/** @throws {BadRequest} one of them is not there */
async function mountsOf(
  root: View,
  namespaceId: string,
  paths: readonly string[],
): Promise<MountEntry[]> {
  const found: MountEntry[] = []
  for (const [i, one] of paths.entries()) {
    const entry = await mountAt(root, namespaceId, `${one.replace(/\/+$/, '')}/`)
    if (entry === undefined) {
      throw new BadRequest(
        listed(`cannot fetch mount entry: item ${i + 1} of mounts is no mount's path`),
      )
    }
    found.push(entry)
  }
  return found
}

async function reloadServing(root: View, entry: MountEntry): Promise<void> {
  if (entry.pluginVersion === undefined) return
  const version = await servingVersion(root, entry)
  const plugin = await findRegistered(root, entry.kind, entry.type, version)
  if (plugin !== undefined) putRegistered(root, { ...plugin, reloads: plugin.reloads + 1 })
}

async function reloadNamed(root: View, name: string): Promise<void> {
  for (const kind of ['secret', 'auth'] as const) {
    for (const plugin of await versionsOf(root, kind, name)) {
      putRegistered(root, { ...plugin, reloads: plugin.reloads + 1 })
    }
  }
}
