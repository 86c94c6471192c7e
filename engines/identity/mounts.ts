/** The auth mounts that aliases are of. */
import { BadRequest } from '../../core/errors.ts'
import type { Place } from '../../core/identity/entities.ts'
import type { MountEntry } from '../../core/mounts/record.ts'
import { listMounts, mountByUuid } from '../../core/mounts/table.ts'

/** @throws {BadRequest} no auth mount of the namespace has it */
export async function demandMount(
  { root, namespaceId }: Place,
  accessor: string,
): Promise<MountEntry> {
  const mounts = await listMounts(root, namespaceId)
  const found = mounts.find((mount) => mount.kind === 'auth' && mount.accessor === accessor)
  if (found === undefined) throw new BadRequest(`invalid mount accessor "${accessor}"`)
  return found
}

/** As answers have it; nothing where the mount is gone. */
export async function shownMount({ root, namespaceId }: Place, uuid: string) {
  const entry = await mountByUuid(root, namespaceId, uuid)
  return entry === undefined
    ? { mount_path: '', mount_type: '' }
    : { mount_path: entry.path, mount_type: entry.type }
}
