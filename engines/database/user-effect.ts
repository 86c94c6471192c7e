/** A user that was made for a lease: how it is removed, and how it is prolonged. */
import { z } from 'zod'
import { BadRequest, listed } from '../../core/errors.ts'
import type { EffectType } from '../../core/plugin/effects.ts'
import { grantedTtl } from '../../core/ttl.ts'
import type { Mount } from '../../core/plugin/request.ts'
import type { Connections } from './connections.ts'
import { findRole, readConfig, type Role } from './records.ts'

/** What a lease knows of its user, by the names that Vault has for them. */
const userSchema = z.object({
  username: z.string(),
  role: z.string(),
  db_name: z.string(),
  revocation_statements: z.array(z.string()),
})
export type LeasedUser = z.infer<typeof userSchema>

const RENEW_MS = 30_000

/** The role as it is now says how; one that is gone, what the lease remembers of it. */
export function userEffect(connections: Connections): EffectType {
  return {
    async undo({ storage, mount, signal }, internal) {
      const user = userSchema.parse(internal)
      const role = await findRole(storage, user.role)
      const dbName = role?.dbName ?? user.db_name
      const statements = role?.revocation ?? user.revocation_statements
      const config = await readConfig(storage, dbName)
      await connections.use({ mountUuid: mount.uuid, name: dbName }, config, signal, (session) =>
        session.drop({ username: user.username, statements }),
      )
    },
    async renew({ storage, mount, nowMs }, { internal, issuedAtMs, incrementSeconds }) {
      const { username, role: name } = userSchema.parse(internal)
      const role = await findRole(storage, name)
      if (role === undefined) {
        throw new BadRequest(listed(`error during renew: could not find role with name "${name}"`))
      }
      const asked = { incrementSeconds, issuedAtMs, nowMs }
      const { ttlSeconds } = grantedTtl(limitsOf(role, mount), asked)
      const config = await readConfig(storage, role.dbName)
      const at = { mountUuid: mount.uuid, name: role.dbName }
      await connections.use(at, config, AbortSignal.timeout(RENEW_MS), (session) =>
        session.renew({
          username,
          expiresAtMs: nowMs + ttlSeconds * 1000,
          statements: role.renewal,
        }),
      )
      return { ttlSeconds: role.defaultTtlSeconds, maxTtlSeconds: role.maxTtlSeconds }
    },
  }
}

/** The limits of the leases of a role. */
export function limitsOf(role: Role, mount: Mount) {
  return {
    ttlSeconds: role.defaultTtlSeconds,
    maxTtlSeconds: role.maxTtlSeconds,
    explicitMaxTtlSeconds: 0,
    periodSeconds: 0,
    mountDefaultTtlSeconds: mount.defaultTtlSeconds,
    mountMaxTtlSeconds: mount.maxTtlSeconds,
  }
}
