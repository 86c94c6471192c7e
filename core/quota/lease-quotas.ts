/**
 * Quotas of leases as they are stored: all of them in one record, and a count for each. Which leases a quota counts is told
 * by the leases themselves: each remembers the quota that it was counted by.
 *
 * Exact    a lease is made and counted in one transaction, so that a quota is never passed, whichever nodes make them.
 * Ends     of a lease are notes, which who finds a quota full takes off first: leases that end together do not wait for
 *          each other at the count.
 */
import { z } from 'zod'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { TargetTable, targetFields, targetKey, type Target } from './target.ts'

const leaseQuotaSchema = z
  .object({
    /** Stays when it is changed; another one of its name, made later, has another. */
    id: z.string(),
    name: z.string(),
    ...targetFields,
    maxLeases: z.number().int(),
  })
  .readonly()
export type LeaseQuota = z.infer<typeof leaseQuotaSchema>

const tableSchema = z.array(leaseQuotaSchema).readonly()
type LeaseQuotas = z.infer<typeof tableSchema>
const quotaRecords = kind('lease-quotas', tableSchema)
const QUOTAS_KEY = 'core/lease-quotas'

/** All leases are looked at again, for which quota counts them may have changed; how far that is. */
const recountSchema = z
  .object({
    /** The mount that is looked at; empty: none yet. */
    mountUuid: z.string(),
    /** The last of its leases that was. */
    upTo: z.string(),
  })
  .readonly()
export const recounts = kind('lease-recount', recountSchema)
export const RECOUNT_KEY = 'core/lease-recount'

export const leaseCounts = kind('lease-count', z.object({ count: z.number().int() }).readonly())
export const leaseCountKey = (quotaId: string) => `lease-count/${quotaId}`
export const leaseEnds = kind('lease-end', z.object({}).readonly(), { keptWhenWritten: false })
export const LEASE_ENDS_PREFIX = 'lease-end/'
export const leaseEndsFolder = (quotaId: string) => `${LEASE_ENDS_PREFIX}${quotaId}/`

/** Of a whole server: they are one record, which each node parses anew when one changes. */
export const MAX_LEASE_QUOTAS = 4096

const NO_QUOTAS: LeaseQuotas = []

export async function readLeaseQuotas(root: View): Promise<LeaseQuotas> {
  return (await root.get(quotaRecords, QUOTAS_KEY)) ?? NO_QUOTAS
}

const tables = new WeakMap<LeaseQuotas, TargetTable<LeaseQuota>>()

/** hot: the quota that counts such a lease. */
export async function leaseQuotaOf(root: View, target: Target): Promise<LeaseQuota | undefined> {
  const quotas = await readLeaseQuotas(root)
  if (quotas.length === 0) return undefined
  let table = tables.get(quotas)
  if (table === undefined) {
    table = new TargetTable(quotas)
    tables.set(quotas, table)
  }
  return table.find(root, target)
}

/** In the place of the one of that name, if there is one. */
export async function putLeaseQuota(root: View, quota: LeaseQuota): Promise<void> {
  const quotas = await readLeaseQuotas(root)
  const before = quotas.find(({ name }) => name === quota.name)
  root.put(quotaRecords, QUOTAS_KEY, [...quotas.filter((one) => one !== before), quota])
  const same =
    before !== undefined &&
    targetKey(before) === targetKey(quota) &&
    before.inheritable === quota.inheritable
  if (!same) recountLater(root)
}

/** Removes those that `isGone` names; nothing is written where it names none. */
export async function removeLeaseQuotas(
  root: View,
  isGone: (quota: LeaseQuota) => boolean,
): Promise<void> {
  const quotas = await readLeaseQuotas(root)
  const gone = quotas.filter(isGone)
  if (gone.length === 0) return
  const left = quotas.filter((quota) => !gone.includes(quota))
  root.put(quotaRecords, QUOTAS_KEY, left)
  for (const { id } of gone) root.delete(leaseCountKey(id))
  recountLater(root)
}

function recountLater(root: View): void {
  root.put(recounts, RECOUNT_KEY, { mountUuid: '', upTo: '' })
}
