/** `sys/quotas/lease-count`: how many leases there may be at a time (Vault's wire). */
import { BadRequest } from '../../../core/errors.ts'
import type { Registry } from '../../../core/mounts/registry.ts'
import { boolean, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { presentCount } from '../../../core/quota/count-leases.ts'
import {
  MAX_LEASE_QUOTAS,
  putLeaseQuota,
  readLeaseQuotas,
  removeLeaseQuotas,
} from '../../../core/quota/lease-quotas.ts'
import { targetKey } from '../../../core/quota/target.ts'
import { isGlobal, pathOfTarget, targetOfPath } from '../quota-target.ts'

const fields = {
  name: string('Name of the quota.').default(''),
  type: string('Kept for compatibility.').default(''),
  path: string(
    'What is counted: empty for all, a namespace, a mount, or a path below one; `*` at the end: all that begins so.',
  ).default(''),
  role: string('Refused: it would count tokens, which are no leases here.').default(''),
  max_leases: integer('Leases that there may be at a time.').default(0),
  inheritable: boolean('Whether it holds in the namespaces below too; one for all does.'),
}
type QuotaRequest = Request<typeof fields>

export function leaseQuotaPaths(registry: () => Registry) {
  return [
    path('quotas/lease-count', {
      rootOnly: true,
      summary: 'Lists the quotas of leases',
      operations: {
        async list({ storage }) {
          const quotas = await readLeaseQuotas(storage)
          return { data: { keys: quotas.map(({ name }) => name).toSorted() } }
        },
      },
    }),
    path('quotas/lease-count/:name', {
      rootOnly: true,
      summary: 'A quota of leases: how many there may be at a time',
      description:
        'Counted on the whole server, exactly. Of the quotas that fit a lease the most specific counts it: of its path, mount, namespace, the whole server. Tokens are not counted.',
      fields,
      operations: {
        read: show,
        update: (request) => write(request, registry()),
        delete: ({ storage, data }) => removeLeaseQuotas(storage, ({ name }) => name === data.name),
      },
      examples: [
        {
          summary: 'At most 10,000 leases of one engine',
          operation: 'update',
          path: 'quotas/lease-count/database',
          request: { path: 'database/', max_leases: 10_000 },
        },
      ],
    }),
  ]
}

async function show({ storage, data }: QuotaRequest): Promise<Response | undefined> {
  const quotas = await readLeaseQuotas(storage)
  const quota = quotas.find(({ name }) => name === data.name)
  if (quota === undefined) return undefined
  const { count, ended } = await presentCount(storage, quota.id)
  return {
    data: {
      counter: count - ended,
      inheritable: quota.inheritable,
      max_leases: quota.maxLeases,
      name: quota.name,
      path: await pathOfTarget(storage, quota),
      role: '',
      type: 'lease-count',
    },
  }
}

async function write(request: QuotaRequest, registry: Registry): Promise<undefined> {
  const { storage, data, random } = request
  if (data.max_leases <= 0) throw new BadRequest("'max_leases' must be greater than zero")
  if (data.role !== '') {
    throw new BadRequest("'role' is not offered: logins make tokens, and this quota counts leases")
  }
  const target = await targetOfPath(storage, data, registry)
  const quotas = await readLeaseQuotas(storage)
  const others = quotas.filter(({ name }) => name !== data.name)
  const same = others.find((one) => targetKey(one) === targetKey(target))
  if (same !== undefined) {
    throw new BadRequest(`quota rule with similar properties exists under the name "${same.name}"`)
  }
  if (others.length >= MAX_LEASE_QUOTAS) {
    throw new BadRequest(
      `there are ${MAX_LEASE_QUOTAS} quotas of leases already, which is the most`,
    )
  }
  await putLeaseQuota(storage, {
    ...target,
    id: quotas.find(({ name }) => name === data.name)?.id ?? random.uuid(),
    name: data.name,
    maxLeases: data.max_leases,
    inheritable: data.inheritable ?? isGlobal(target),
  })
}
