/** The mounted plugin of a token, for who has to ask it again. */
import type { Mount } from '../plugin/request.ts'
import type { View } from '../store/view.ts'
import { mountOf, type SystemTtl } from './mount.ts'
import type { MountEntry } from './record.ts'
import type { Instance, Registry } from './registry.ts'
import { mountByUuid } from './table.ts'

export interface MountServices {
  readonly registry: Registry
  readonly systemTtl: SystemTtl
}

export interface Mounted {
  readonly entry: MountEntry
  readonly mount: Mount
  readonly instance: Instance
}

/** The mount with this uuid, if it is still there. */
export async function findMounted(
  root: View,
  { registry, systemTtl }: MountServices,
  namespaceId: string,
  uuid: string,
): Promise<Mounted | undefined> {
  const entry = await mountByUuid(root, namespaceId, uuid)
  const instance = entry && (await registry.find(root, entry))
  if (entry === undefined || instance === undefined) return undefined
  return { entry, mount: mountOf(entry, systemTtl), instance }
}
