/** Counts leases by their quotas, in the transactions that make and end them. */
import { RequestError } from '../errors.ts'
import type { View } from '../store/view.ts'
import {
  leaseCountKey,
  leaseCounts,
  leaseEnds,
  leaseEndsFolder,
  leaseQuotaOf,
  type LeaseQuota,
} from './lease-quotas.ts'

/** 429: there are as many leases as a quota allows. */
export class LeaseCountExceeded extends RequestError {
  override readonly name = 'LeaseCountExceeded'
  /** @param path of the request, relative to its namespace */
  constructor(path: string) {
    super(429, `request path "${path}": lease count quota exceeded`)
  }
}

/** Ends that are taken off a count at once. */
const ENDS_PAGE = 500

/** Where a lease comes from. */
export interface LeaseOrigin {
  readonly namespaceId: string
  readonly mountUuid: string
  /** Of the mount, relative to its namespace; empty where it is gone. */
  readonly mountPath: string
  /** Of the request that makes it, relative to its namespace. */
  readonly path: string
}

/** The quota that counts leases from there. */
export function quotaOfLeases(
  root: View,
  { namespaceId, mountUuid, mountPath, path }: LeaseOrigin,
): Promise<LeaseQuota | undefined> {
  // A mount that was moved since is known by its uuid, and what was below it no more.
  const isBelow = mountPath !== '' && path.startsWith(mountPath)
  const suffix = isBelow ? path.slice(mountPath.length).replace(/\/$/, '') : ''
  return leaseQuotaOf(root, { namespaceId, mountUuid, suffix, role: '' })
}

/**
 * Counts a lease that is about to be made.
 *
 * @returns which quota counts it, for its record; `null`: none does
 * @throws {LeaseCountExceeded}
 */
export async function countLease(root: View, origin: LeaseOrigin): Promise<string | null> {
  const quota = await quotaOfLeases(root, origin)
  if (quota === undefined) return null
  const count = await countWithRoom(root, quota)
  if (count >= quota.maxLeases) throw new LeaseCountExceeded(origin.path)
  root.put(leaseCounts, leaseCountKey(quota.id), { count: count + 1 })
  return quota.id
}

/** Before something is done for which a lease will be made. @throws {LeaseCountExceeded} */
export async function demandRoom(root: View, origin: LeaseOrigin): Promise<void> {
  const quota = await quotaOfLeases(root, origin)
  if (quota === undefined) return
  const count = (await root.get(leaseCounts, leaseCountKey(quota.id)))?.count ?? 0
  if (count < quota.maxLeases) return
  const [ended] = await root.list(leaseEndsFolder(quota.id), { limit: 1 })
  if (ended === undefined) throw new LeaseCountExceeded(origin.path)
}

/** How many leases a quota counts now. @returns `ended` of the `count` are gone */
export async function presentCount(
  root: View,
  quotaId: string,
): Promise<{ readonly count: number; readonly ended: number }> {
  const count = (await root.get(leaseCounts, leaseCountKey(quotaId)))?.count ?? 0
  const ended = (await root.list(leaseEndsFolder(quotaId))).length
  return { count, ended }
}

/** A lease that a quota counted has ended. */
export function noteEnd(root: View, quotaId: string, leaseName: string): void {
  root.put(leaseEnds, leaseEndsFolder(quotaId) + leaseName, {})
}

/** The count; where it is full, without those that have ended. */
async function countWithRoom(root: View, { id, maxLeases }: LeaseQuota): Promise<number> {
  const count = (await root.get(leaseCounts, leaseCountKey(id)))?.count ?? 0
  return count < maxLeases ? count : count - (await takeEnds(root, id))
}

/** Takes notes of ends away. @returns how many: the count has to be written less by so many */
export async function takeEnds(root: View, quotaId: string): Promise<number> {
  const folder = leaseEndsFolder(quotaId)
  const names = await root.list(folder, { limit: ENDS_PAGE })
  for (const name of names) root.delete(folder + name)
  return names.length
}
