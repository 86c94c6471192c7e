/**
 * `sys/internal/inspect`: how the server sees its mounts and a request, for who looks for a fault. It answers only
 * where the configuration says `introspection_endpoint = true` (contract: sys-auth.md, internal/ui).
 */
import { BadRequest, UnsupportedPath } from '../../../core/errors.ts'
import type { MountEntry } from '../../../core/mounts/record.ts'
import { listMounts } from '../../../core/mounts/table.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Namespace, Request } from '../../../core/plugin/request.ts'

/** By what the reference looks mounts up; here one table serves all of it. */
const TAGS = ['root', 'uuid', 'accessor', 'storage']
const fields = {
  tag: string('By what mounts are looked up: root, uuid, accessor or storage.').default(''),
}

export function inspectPaths({ isOpen }: { readonly isOpen: boolean }) {
  const demandOpen = () => {
    if (!isOpen) throw new BadRequest(CLOSED)
  }
  return [
    path('internal/inspect/router/:tag', {
      summary: 'The mounts of the namespace as the router finds them, and where their records lie',
      sudo: true,
      fields,
      operations: {
        read(request) {
          demandOpen()
          return showRouter(request)
        },
      },
    }),
    path('internal/inspect/request', {
      summary: 'This very request as handlers see it, without its token',
      sudo: true,
      operations: {
        read(request) {
          demandOpen()
          return { data: { request: shownRequest(request) } }
        },
      },
    }),
  ]
}

const CLOSED =
  'the Vault configuration must set "introspection_endpoint" to true to enable this endpoint'

async function showRouter({ data, storage, namespace }: Request<typeof fields>) {
  if (!TAGS.includes(data.tag)) throw new UnsupportedPath()
  const mounts = await listMounts(storage, namespace.id)
  return { data: { [data.tag]: mounts.map((mount) => shownRoute(mount, namespace)) } }
}

function shownRoute(mount: MountEntry, { id, path: namespacePath }: Namespace) {
  return {
    mount_namespace: namespacePath,
    mount_path: mount.path,
    mount_type: mount.type,
    uuid: mount.uuid,
    accessor: mount.accessor,
    namespace_id: id,
    storage_prefix: `mount/${mount.uuid}/`,
    tainted: false,
  }
}

function shownRequest({ id, operation, path: below, mount, namespace, caller, client }: Request) {
  return {
    id,
    operation,
    path: below,
    mount_point: mount.path,
    mount_type: mount.type,
    mount_accessor: mount.accessor,
    namespace: { id: namespace.id, path: namespace.path },
    display_name: caller?.displayName ?? '',
    policies: caller?.policies ?? [],
    entity_id: caller?.entityId ?? '',
    remote_address: client.address,
    remote_port: client.port,
  }
}
