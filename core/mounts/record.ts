/**
 * The mounts of a namespace, as they are stored: a record for each, one for its path that says which mount is there,
 * and one for the namespace that each request rewrites which mounts, moves or removes. So a path has one owner, and a
 * mount costs the same beside ten others and beside ten thousand. Only `table.ts` knows these keys.
 */
import { z } from 'zod'
import { kind, texts } from '../store/kind.ts'
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

export const mountSchema = z
  .object({
    uuid: z.string(),
    /** Relative to the namespace, with a trailing '/'; auth methods below `auth/`. */
    path: z.string(),
    kind: z.enum(['secret', 'auth']),
    type: z.string(),
    /** Of an external plugin: which of its versions; where one is pinned, that counts. */
    pluginVersion: z.string().optional(),
    description: z.string(),
    accessor: z.string(),
    local: z.boolean(),
    sealWrap: z.boolean(),
    externalEntropyAccess: z.boolean(),
    options: texts.nullable(),
    config: configSchema,
  })
  .readonly()

export type MountConfig = z.infer<typeof configSchema>
export type MountEntry = z.infer<typeof mountSchema>

export const mountRecords = kind('mount', mountSchema)
export const mountPathRecords = kind('mount-path', z.object({ uuid: z.string() }).readonly())
export const mountChanges = kind('mount-changes', z.object({ count: z.number() }).readonly())

export function mountKey(namespaceId: string, uuid: string): string {
  return `${mountFolder(namespaceId)}${uuid}`
}

/** Where the entries of all mounts of a namespace lie, by uuid. */
export function mountFolder(namespaceId: string): string {
  return `${namespacePrefix(namespaceId)}mount/`
}

/** @param path with its trailing '/' */
export function mountPathKey(namespaceId: string, path: string): string {
  return mountPathFolder(namespaceId) + nameOfPath(path)
}

export function mountPathFolder(namespaceId: string): string {
  return `${namespacePrefix(namespaceId)}mount-path/`
}

export function mountChangesKey(namespaceId: string): string {
  return `${namespacePrefix(namespaceId)}mount-changes`
}

/** A path as one segment of a key. What lies below a path has its name as a beginning, and so stands next to it. */
export function nameOfPath(path: string): string {
  return path.replaceAll('%', '%25').replaceAll('/', '%2F')
}

export function pathOfName(name: string): string {
  return name.replaceAll('%2F', '/').replaceAll('%25', '%')
}

/** Where a mount's own records lie. */
export function mountPrefix(uuid: string): string {
  return `mount/${uuid}/`
}
