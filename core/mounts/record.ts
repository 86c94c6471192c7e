/**
 * The mount table of a namespace, as it is stored: one record, so that a request that mounts is in conflict with each
 * other one that does, and a path has one owner.
 */
import { z } from 'zod'
import { kind } from '../store/kind.ts'
import { namespacePrefix } from '../namespaces.ts'

const seconds = z.number().int()
const names = z.array(z.string()).readonly()

const lockoutSchema = z
  .object({
    threshold: z.number().int(),
    durationSeconds: seconds,
    counterResetSeconds: seconds,
    disable: z.boolean(),
  })
  .readonly()

const configSchema = z
  .object({
    /** 0: the system's. */
    defaultTtlSeconds: seconds,
    maxTtlSeconds: seconds,
    forceNoCache: z.boolean(),
    auditNonHmacRequestKeys: names.optional(),
    auditNonHmacResponseKeys: names.optional(),
    listingVisibility: z.enum(['', 'unauth', 'hidden']).optional(),
    passthroughRequestHeaders: names.optional(),
    allowedResponseHeaders: names.optional(),
    /** Auth mounts only. */
    tokenType: z.enum(['default-service', 'default-batch', 'service', 'batch']).optional(),
    userLockout: lockoutSchema.optional(),
  })
  .readonly()

const mountSchema = z
  .object({
    uuid: z.string(),
    /** Relative to the namespace, with a trailing '/'; auth methods below `auth/`. */
    path: z.string(),
    kind: z.enum(['secret', 'auth']),
    type: z.string(),
    description: z.string(),
    accessor: z.string(),
    local: z.boolean(),
    sealWrap: z.boolean(),
    externalEntropyAccess: z.boolean(),
    options: z.record(z.string(), z.string()).readonly().nullable(),
    config: configSchema,
  })
  .readonly()

export type MountConfig = z.infer<typeof configSchema>
export type MountEntry = z.infer<typeof mountSchema>

export const mountTable = kind('mounts', z.array(mountSchema).readonly())

export function mountTableKey(namespaceId: string): string {
  return `${namespacePrefix(namespaceId)}mounts`
}

/** Where a mount's own records lie. */
export function mountPrefix(uuid: string): string {
  return `mount/${uuid}/`
}
