/** Leases as they are stored, each under its id, with what leads to it from its end, its token and its mount. */
import { z } from 'zod'
import { dueName } from '../effects/due-name.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { namespacePrefix, ROOT } from '../namespaces.ts'
import { noteEnd } from '../quota/count-leases.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'

/** Of many leases few are read before they end: they would only push others from the cache. */
const SELDOM = { keptWhenWritten: false }

const leaseSchema = z
  .object({
    /** The path of the request that made it, a random part, and the id of the namespace where that is not the root. */
    id: z.string(),
    namespaceId: z.string(),
    /** Relative to the namespace. */
    path: z.string(),
    mountUuid: z.string(),
    /** Which of the engine's effects. */
    type: z.string(),
    internal: z.custom<JsonObject>(isJsonObject),
    /** Accessor of the token that it ends with: of a batch token its parent's; empty: of none. */
    token: z.string(),
    tokenNamespaceId: z.string(),
    issuedAtMs: z.number(),
    expiresAtMs: z.number(),
    /** It never gets past this, whatever its renewals: the end of the batch token that it was given to. */
    endsAtMs: z.number().nullable(),
    lastRenewalAtMs: z.number().nullable(),
    ttlSeconds: z.number(),
    maxTtlSeconds: z.number(),
    renewable: z.boolean(),
    /** Which quota counts it; `null`: none. */
    quotaId: z.string().nullable().default(null),
    /** It is to be revoked, or is being: nothing brings it back. */
    revocation: z
      .object({
        /** When it is tried next; `null`: no more, an operator has to. */
        dueAtMs: z.number().nullable(),
        attempts: z.number().int(),
        /** Why the last attempt failed; empty: there was none. */
        error: z.string(),
        /** An operator wants it gone, also if it cannot be undone. */
        force: z.boolean(),
      })
      .readonly()
      .nullable(),
  })
  .readonly()

export type Lease = z.infer<typeof leaseSchema>
export const leaseRecords = kind('lease', leaseSchema, SELDOM)

const refSchema = z.object({ namespaceId: z.string(), id: z.string() }).readonly()
/** Which lease. */
export type LeaseRef = z.infer<typeof refSchema>
export const leaseRefs = kind('lease-ref', refSchema, SELDOM)

export const LEASE_DUE_PREFIX = 'lease-due/'
/** The folders in it are paths, the names random parts. */
export const leasePrefix = (namespaceId: string) => `${namespacePrefix(namespaceId)}lease/`
export const leaseKey = ({ namespaceId, id }: LeaseRef) => leasePrefix(namespaceId) + id
export const tokenLeasePrefix = (accessor: string) => `token-lease/${accessor}/`
export const MOUNT_LEASES_PREFIX = 'mount-lease/'
export const mountLeasePrefix = (uuid: string) => `${MOUNT_LEASES_PREFIX}${uuid}/`
export const irrevocablePrefix = (namespaceId: string) => `irrevocable-lease/${namespaceId}/`

/** The random part of an id, with the namespace's id where it has one. */
const leaseName = (id: string) => id.slice(id.lastIndexOf('/') + 1)

/** The namespace that a lease's id names. */
export function namespaceIdOfLease(id: string): string {
  const name = leaseName(id)
  const dot = name.indexOf('.')
  return dot < 0 ? ROOT.id : name.slice(dot + 1)
}

/** When the sweep has to come to it; `null`: never, it is irrevocable. */
function dueAtMs({ revocation, expiresAtMs }: Lease): number | null {
  return revocation === null ? expiresAtMs : revocation.dueAtMs
}

/** Writes a lease and what leads to it. @param before the lease as it is stored; `undefined`: it is new */
export function putLease(root: View, lease: Lease, before: Lease | undefined): void {
  const { namespaceId, id } = lease
  const ref = { namespaceId, id }
  const name = leaseName(id)
  root.put(leaseRecords, leaseKey(ref), lease)
  if (before === undefined) {
    if (lease.token !== '') root.put(leaseRefs, tokenLeasePrefix(lease.token) + name, ref)
    root.put(leaseRefs, mountLeasePrefix(lease.mountUuid) + name, ref)
  }
  const due = dueAtMs(lease)
  const dueBefore = before && dueAtMs(before)
  if (due === dueBefore) return
  if (before !== undefined) root.delete(dueKeyOf(before))
  root.put(leaseRefs, dueKeyOf(lease), ref)
}

/** Removes a lease and what leads to it. */
export function deleteLease(root: View, lease: Lease): void {
  const name = leaseName(lease.id)
  root.delete(leaseKey(lease))
  root.delete(dueKeyOf(lease))
  if (lease.token !== '') root.delete(tokenLeasePrefix(lease.token) + name)
  root.delete(mountLeasePrefix(lease.mountUuid) + name)
  if (lease.quotaId !== null) noteEnd(root, lease.quotaId, name)
}

function dueKeyOf(lease: Lease): string {
  const due = dueAtMs(lease)
  const name = leaseName(lease.id)
  return due === null
    ? irrevocablePrefix(lease.namespaceId) + name
    : LEASE_DUE_PREFIX + dueName(due, lease.mountUuid, name)
}
