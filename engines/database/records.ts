/** What the engine stores, in the view of its mount. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { kind, texts } from '../../core/store/kind.ts'
import type { Awaitable } from '../../core/store/awaitable.ts'
import type { View } from '../../core/store/view.ts'
import { BadRequest, listed } from '../../core/errors.ts'

const strings = z.array(z.string()).readonly()
const credentialType = z.enum(['password', 'rsa_private_key', 'client_certificate'])

const configSchema = z
  .object({
    pluginName: z.string(),
    allowedRoles: strings,
    rootRotationStatements: strings,
    passwordPolicy: z.string(),
    skipStaticRoleImportRotation: z.boolean(),
    /** Whatever else was sent, for the database itself, its password too. */
    details: z.custom<JsonObject>(isJsonObject),
    /** Another one with each change: connections of an older one are not used any more. */
    generation: z.string(),
  })
  .readonly()
export type Config = z.infer<typeof configSchema>
export const configs = kind('database-config', configSchema)
export const CONFIG_PREFIX = 'config/'

const roleSchema = z
  .object({
    dbName: z.string(),
    creation: strings,
    revocation: strings,
    renewal: strings,
    rollback: strings,
    defaultTtlSeconds: z.number(),
    maxTtlSeconds: z.number(),
    credentialType,
    credentialConfig: texts,
  })
  .readonly()
export type Role = z.infer<typeof roleSchema>
export const roles = kind('database-role', roleSchema)
export const ROLE_PREFIX = 'role/'

const credentialSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('password'), password: z.string() }).readonly(),
    z
      .object({ type: z.literal('rsa_private_key'), privateKey: z.string(), publicKey: z.string() })
      .readonly(),
  ])
  .readonly()
export type StaticCredential = z.infer<typeof credentialSchema>

const staticRoleSchema = z
  .object({
    dbName: z.string(),
    username: z.string(),
    rotation: strings,
    credentialType,
    credentialConfig: texts,
    /** 0: by schedule. */
    periodSeconds: z.number(),
    /** Empty: by period. */
    schedule: z.string(),
    /** 0: no limit. */
    windowSeconds: z.number(),
    /** `null`: it was taken over without a rotation, and its credential is not known. */
    credential: credentialSchema.nullable(),
    /** `null`: never. */
    rotatedAtMs: z.number().nullable(),
    /** When it is to be rotated next, or tried again. */
    dueAtMs: z.number(),
    /** Attempts in a row that failed or are under way. */
    attempts: z.number().int(),
  })
  .readonly()
export type StaticRole = z.infer<typeof staticRoleSchema>
export const staticRoles = kind('database-static-role', staticRoleSchema)
export const STATIC_ROLE_PREFIX = 'static-role/'

/**
 * The credential that a static role is being given: written before the database has it, and removed when the role has it. Every
 * attempt uses the same one, so attempts that cross agree, and a crash between the two is made good by the next attempt.
 */
export const pendingCredentials = kind(
  'database-pending-credential',
  z.object({ username: z.string(), dbName: z.string(), credential: credentialSchema }).readonly(),
)
export const PENDING_PREFIX = 'pending/'

/** That a static role is due then; the names are in order of time. */
export const dueRotations = kind('database-due', z.object({ role: z.string() }).readonly(), {
  keptWhenWritten: false,
})
export const DUE_PREFIX = 'due/'
export const dueName = (dueAtMs: number, role: string) =>
  `${String(Math.floor(dueAtMs)).padStart(14, '0')}.${role}`

export function findConfig(
  storage: Pick<View, 'get'>,
  name: string,
): Awaitable<Config | undefined> {
  return storage.get(configs, CONFIG_PREFIX + name)
}

/** @throws {BadRequest} there is none */
export async function readConfig(storage: Pick<View, 'get'>, name: string): Promise<Config> {
  const config = await findConfig(storage, name)
  if (config !== undefined) return config
  throw new BadRequest(listed(`failed to find entry for connection with name: "${name}"`))
}

export function findRole(storage: Pick<View, 'get'>, name: string): Awaitable<Role | undefined> {
  return storage.get(roles, ROLE_PREFIX + name)
}

export function findStaticRole(
  storage: Pick<View, 'get'>,
  name: string,
): Awaitable<StaticRole | undefined> {
  return storage.get(staticRoles, STATIC_ROLE_PREFIX + name)
}
