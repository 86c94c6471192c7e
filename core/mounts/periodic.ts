/** The mounts whose engines have timed work of their own. */
import { namespaceIds } from '../namespace/table.ts'
import type { Plugin } from '../plugin/plugin.ts'
import type { View } from '../store/view.ts'
import type { MountEntry } from './record.ts'
import type { Registry } from './registry.ts'
import { listMounts } from './table.ts'

export interface PeriodicWork {
  readonly entry: MountEntry
  readonly work: NonNullable<Plugin['periodic']>
}

export async function periodicWork(root: View, registry: Registry): Promise<PeriodicWork[]> {
  const found: PeriodicWork[] = []
  for await (const { entry, plugin } of allMounts(root, registry)) {
    if (plugin.periodic !== undefined) found.push({ entry, work: plugin.periodic })
  }
  return found
}

/** A mount whose engine has timed work in other systems. */
export interface TimedWork {
  readonly namespaceId: string
  readonly entry: MountEntry
  readonly work: NonNullable<Plugin['timed']>
}

export async function timedWork(root: View, registry: Registry): Promise<TimedWork[]> {
  const found: TimedWork[] = []
  for await (const { namespaceId, entry, plugin } of allMounts(root, registry)) {
    if (plugin.timed !== undefined) found.push({ namespaceId, entry, work: plugin.timed })
  }
  return found
}

async function* allMounts(root: View, registry: Registry) {
  for (const namespaceId of await namespaceIds(root)) {
    for (const entry of await listMounts(root, namespaceId)) {
      const plugin = (await registry.find(root, entry))?.plugin
      if (plugin !== undefined) yield { namespaceId, entry, plugin }
    }
  }
}
