/** `sys/leases` and `sys/leases/count`: the leases that could not be revoked, for an operator to decide. */
import { BadRequest } from '../../../core/errors.ts'
import {
  irrevocablePrefix,
  leaseKey,
  leaseRecords,
  leaseRefs,
  type Lease,
} from '../../../core/leases/record.ts'
import { findMountedOrRemoved } from '../../../core/mounts/removed.ts'
import type { MountServices } from '../../../core/mounts/services.ts'
import { scanChildren } from '../../../core/namespace/table.ts'
import { boolean, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { RequestBase } from '../../../core/plugin/request.ts'

/** Leases that are shown where no limit is given. */
const MOST_SHOWN = 10_000
const HALTED =
  'Command halted because many irrevocable leases were found. To emit the entire list, re-run the command with force set true.'
const NUMBER = /^[1-9]\d{0,8}$/

const fields = {
  type: string('Which leases: "irrevocable".').inQuery(),
  include_child_namespaces: boolean('Those of the namespaces below as well.')
    .inQuery()
    .default(false),
}
const limit = string(`At most so many; "none": all. Default: ${MOST_SHOWN}.`).inQuery().default('')

export function leaseReportPaths(mounts: () => MountServices) {
  return [
    path('leases', {
      summary: 'Shows the leases that could not be revoked',
      sudo: true,
      fields: { ...fields, limit },
      operations: {
        async read(request) {
          const { data } = request
          if (!isIrrevocable(data.type)) return undefined
          const most = mostShown(data.limit)
          const found = await irrevocable(request, data.include_child_namespaces, most + 1)
          const leases = []
          for (const lease of found.slice(0, most)) {
            leases.push({
              lease_id: lease.id,
              mount_id: await accessorOfMount(request, mounts(), lease),
              error: lease.revocation?.error ?? '',
            })
          }
          return {
            data: { lease_count: leases.length, leases },
            ...(found.length > most && { warnings: [HALTED] }),
          }
        },
      },
    }),
    path('leases/count', {
      summary: 'Counts the leases that could not be revoked, by mount',
      fields,
      operations: {
        async read(request) {
          const { data } = request
          if (!isIrrevocable(data.type)) return undefined
          const found = await irrevocable(request, data.include_child_namespaces, Infinity)
          const counts: Record<string, number> = {}
          for (const lease of found) {
            const accessor = await accessorOfMount(request, mounts(), lease)
            counts[accessor] = (counts[accessor] ?? 0) + 1
          }
          return { data: { lease_count: found.length, counts } }
        },
      },
    }),
  ]
}

function isIrrevocable(type: string | undefined): boolean {
  return type?.toLowerCase() === 'irrevocable'
}

/** @throws {BadRequest} it is neither a number nor "none" */
function mostShown(text: string): number {
  if (text === '') return MOST_SHOWN
  if (text.toLowerCase() === 'none') return Number.MAX_SAFE_INTEGER - 1
  if (!NUMBER.test(text)) throw new BadRequest('limit must be "none" or a whole number from 1')
  return Number(text)
}

/** In the order in which they ended. */
async function irrevocable(
  { storage: root, namespace }: RequestBase,
  below: boolean,
  most: number,
): Promise<Lease[]> {
  const inside = below ? await scanChildren(root, namespace.id) : []
  const found: Lease[] = []
  for (const { id } of [namespace, ...inside]) {
    const prefix = irrevocablePrefix(id)
    for (const name of await root.list(prefix)) {
      const ref = await root.get(leaseRefs, prefix + name)
      const lease = ref && (await root.get(leaseRecords, leaseKey(ref)))
      if (lease !== undefined) found.push(lease)
      if (found.length >= most) break
    }
  }
  return found.toSorted((a, b) => a.expiresAtMs - b.expiresAtMs || (a.id < b.id ? -1 : 1))
}

async function accessorOfMount(
  { storage: root }: RequestBase,
  services: MountServices,
  { namespaceId, mountUuid }: Lease,
): Promise<string> {
  const mounted = await findMountedOrRemoved(root, services, namespaceId, mountUuid)
  return mounted?.entry.accessor ?? 'mount-accessor-not-found'
}
