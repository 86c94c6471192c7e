/** `sys/locked-users`: who has failed to log in too often, and letting them in again (contract: sys-auth.md). */
import { listMounts } from '../../../core/mounts/table.ts'
import { mountPrefix, type MountEntry } from '../../../core/mounts/record.ts'
import { clearFailures, lockedNames } from '../../../core/plugin/lockout.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'

const listFields = { mount_accessor: string('Of this auth method alone.').inQuery().default('') }
const unlockFields = {
  mount_accessor: string('Accessor of the auth method.').required(),
  alias_identifier: string('As the method names who logs in.').default(''),
}

export const lockedUserPaths = [
  path('locked-users', {
    summary: 'Who is locked out',
    fields: listFields,
    operations: { read: show },
  }),
  path('locked-users/:mount_accessor/unlock/:alias_identifier*', {
    summary: 'Lets somebody log in again who was locked out',
    fields: unlockFields,
    operations: { update: unlock },
  }),
]

async function methodsWith({ storage, namespace }: RequestBase, accessor: string) {
  const mounts = await listMounts(storage, namespace.id)
  return mounts.filter(
    (mount) => mount.kind === 'auth' && (accessor === '' || mount.accessor === accessor),
  )
}

const below = ({ storage }: RequestBase, { uuid }: MountEntry) => storage.below(mountPrefix(uuid))

async function show(request: Request<typeof listFields>): Promise<Response> {
  const { namespace, nowMs, data } = request
  const mounts: { mount_accessor: string; counts: number; alias_identifiers: string[] }[] = []
  for (const mount of await methodsWith(request, data.mount_accessor)) {
    const names = await lockedNames(below(request, mount), nowMs)
    if (names.length > 0) {
      mounts.push({
        mount_accessor: mount.accessor,
        counts: names.length,
        alias_identifiers: names,
      })
    }
  }
  const total = mounts.reduce((sum, { counts }) => sum + counts, 0)
  const ofNamespace = {
    namespace_id: namespace.id,
    namespace_path: namespace.path,
    counts: total,
    mount_accessors: mounts,
  }
  return { data: { by_namespace: [ofNamespace], total } }
}

/** One who is not locked out, or is not known, is let in already. */
async function unlock(request: Request<typeof unlockFields>): Promise<void> {
  const { mount_accessor: accessor, alias_identifier: name } = request.data
  for (const mount of await methodsWith(request, accessor)) {
    await clearFailures(below(request, mount), name)
  }
}
