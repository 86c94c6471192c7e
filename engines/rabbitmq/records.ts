/** What the engine stores: the connection, the limits of its leases, and its roles. */
import { z } from 'zod'
import { isJsonObject } from '../../core/json.ts'
import { kind } from '../../core/store/kind.ts'

export const connections = kind(
  'rabbitmq-connection',
  z
    .object({
      /** Of the management API, such as `https://broker.example:15671`. */
      uri: z.string(),
      username: z.string(),
      password: z.string(),
      passwordPolicy: z.string(),
      usernameTemplate: z.string(),
    })
    .readonly(),
)
export const CONNECTION_KEY = 'config/connection'

/** Seconds; 0: the mount's. */
export const leaseLimits = kind(
  'rabbitmq-lease',
  z.object({ ttlSeconds: z.number(), maxTtlSeconds: z.number() }).readonly(),
)
export const LEASE_KEY = 'config/lease'

/** By names that a user gives. Not zod's record, which leaves out the name `__proto__`. */
function byName<T>(one: z.ZodType<T>) {
  return z.custom<Readonly<Record<string, T>>>(
    (value) =>
      isJsonObject(value) && Object.values(value).every((each) => one.safeParse(each).success),
  )
}
const rights = z.object({ configure: z.string(), write: z.string(), read: z.string() }).readonly()
const topicRights = z.object({ write: z.string(), read: z.string() }).readonly()

export const roles = kind(
  'rabbitmq-role',
  z
    .object({
      /** As the broker takes them: with commas between. */
      tags: z.string(),
      /** By virtual host. */
      vhosts: byName(rights),
      /** By virtual host and exchange. */
      vhostTopics: byName(byName(topicRights)),
    })
    .readonly(),
)
export const ROLES_PREFIX = 'role/'

export type Connection = NonNullable<ReturnType<typeof connections.decode>>
export type Role = NonNullable<ReturnType<typeof roles.decode>>
