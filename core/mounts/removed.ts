/**
 * Mounts that are gone for everybody, while the server still has to clean up after them: what they did outside is undone
 * with the settings that they had.
 */
import { z } from 'zod'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { mountOf } from './mount.ts'
import { mountSchema, type MountEntry } from './record.ts'
import { findMounted, type Mounted, type MountServices } from './services.ts'

const purgeSchema = z
  .object({
    uuid: z.string(),
    namespaceId: z.string().optional(),
    entry: mountSchema.optional(),
    /** Names of its leases up to this one are on their way to be revoked. */
    leasesUpTo: z.string().optional(),
  })
  .readonly()

export type Removed = z.infer<typeof purgeSchema>
export const purgeRecords = kind('purge', purgeSchema)
export const PURGE_PREFIX = 'purge/'

/** Leaves a note, in the transaction that unmounts. */
export function purgeLater(root: View, namespaceId: string, entry: MountEntry): void {
  const { uuid } = entry
  root.put(purgeRecords, PURGE_PREFIX + uuid, { uuid, namespaceId, entry })
}

/** The same of a mount whose record cannot be read: what it holds is removed; who its secrets are for, nobody knows. */
export function purgeUnread(root: View, uuid: string): void {
  root.put(purgeRecords, PURGE_PREFIX + uuid, { uuid })
}

/** The mount with this uuid, also while it is being cleaned up after. */
export async function findMountedOrRemoved(
  root: View,
  services: MountServices,
  namespaceId: string,
  uuid: string,
): Promise<Mounted | undefined> {
  const mounted = await findMounted(root, services, namespaceId, uuid)
  if (mounted !== undefined) return mounted
  const entry = (await root.get(purgeRecords, PURGE_PREFIX + uuid))?.entry
  const instance = entry && (await services.registry.find(root, entry))
  if (entry === undefined || instance === undefined) return undefined
  return { entry, mount: mountOf(entry, services.systemTtl), instance }
}
