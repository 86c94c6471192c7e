/** What the method stores, in the view of its mount. */
import { hash as digest } from 'node:crypto'
import { z } from 'zod'
import { keyedHash } from '../../core/keyed-hash.ts'
import { tokenSettingsSchema } from '../../core/plugin/token-settings.ts'
import type { RequestBase } from '../../core/plugin/request.ts'
import { kind, texts } from '../../core/store/kind.ts'
import type { Awaitable } from '../../core/store/awaitable.ts'

const strings = z.array(z.string()).readonly()

const roleSchema = z
  .object({
    name: z.string(),
    /** Under which its secret ids lie: a role of the same name made anew does not get the old one's. */
    uid: z.string(),
    roleId: z.string(),
    /** Key of the hash of its secret ids, base64. */
    secretIdKey: z.string(),
    bindSecretId: z.boolean(),
    /** `null`: never set. */
    secretIdBoundCidrs: strings.nullable(),
    secretIdNumUses: z.number().int(),
    secretIdTtlSeconds: z.number(),
    localSecretIds: z.boolean(),
    token: tokenSettingsSchema,
    /** Set by their old names, which a read then shows as well. */
    legacy: z.object({ policies: z.boolean(), period: z.boolean() }).readonly(),
  })
  .readonly()
export type Role = z.infer<typeof roleSchema>
export const roles = kind('approle-role', roleSchema)
export const ROLE_PREFIX = 'role/'

/** role id -> role */
export const roleIds = kind('approle-role-id', z.object({ role: z.string() }).readonly())
export const roleIdKey = (roleId: string) => `role-id/${digest('sha256', roleId, 'base64url')}`

const secretIdSchema = z
  .object({
    accessor: z.string(),
    /** Logins left; 0: any number. */
    numUses: z.number().int(),
    ttlSeconds: z.number(),
    createdAtMs: z.number(),
    updatedAtMs: z.number(),
    /** `null`: never. */
    expiresAtMs: z.number().nullable(),
    metadata: texts,
    cidrs: strings,
    tokenBoundCidrs: strings,
  })
  .readonly()
export type SecretId = z.infer<typeof secretIdSchema>
export const secretIds = kind('approle-secret-id', secretIdSchema)

/** What leads to a secret id is written with each and read of few; in the cache it would take room for nothing. */
const INDEX = { keptWhenWritten: false }
/** accessor -> the hash of its secret id */
export const accessors = kind('approle-accessor', z.object({ hash: z.string() }).readonly(), INDEX)
/** That a secret id ends; the key begins with the time. */
export const expiries = kind(
  'approle-expiry',
  z.object({ uid: z.string(), hash: z.string() }).readonly(),
  INDEX,
)
export const EXPIRY_PREFIX = 'expiry/'
/** A role that was deleted, whose secret ids are still to be removed. */
export const deletions = kind('approle-deletion', z.object({ uid: z.string() }).readonly())
export const DELETION_PREFIX = 'deletion/'

export const secretIdPrefix = (uid: string) => `secret-id/${uid}/`
export const accessorPrefix = (uid: string) => `accessor/${uid}/`
export const expiryKey = (expiresAtMs: number, hash: string) =>
  `${EXPIRY_PREFIX}${String(Math.floor(expiresAtMs)).padStart(14, '0')}.${hash}`

/** A secret id is stored under its keyed hash, never itself. */
export function hashSecretId(role: Role, secretId: string): string {
  return keyedHash(role, role.secretIdKey, secretId)
}

type View = RequestBase['storage']

export function findRole(storage: View, name: string): Awaitable<Role | undefined> {
  return storage.get(roles, ROLE_PREFIX + name)
}

/** The secret id with this hash, unless its time is over. */
export async function findSecretId(
  storage: View,
  role: Role,
  hash: string,
  nowMs: number,
): Promise<SecretId | undefined> {
  const found = await storage.get(secretIds, secretIdPrefix(role.uid) + hash)
  const over = found !== undefined && found.expiresAtMs !== null && found.expiresAtMs <= nowMs
  return over ? undefined : found
}

export function removeSecretId(storage: View, uid: string, hash: string, found: SecretId): void {
  storage.delete(secretIdPrefix(uid) + hash)
  storage.delete(accessorPrefix(uid) + found.accessor)
  if (found.expiresAtMs !== null) storage.delete(expiryKey(found.expiresAtMs, hash))
}
