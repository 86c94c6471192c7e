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
  for (const id of await namespaceIds(root)) {
    for (const entry of await listMounts(root, id)) {
      const work = (await registry.find(root, entry))?.plugin.periodic
      if (work !== undefined) found.push({ entry, work })
    }
  }
  return found
}
