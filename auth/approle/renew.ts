/** At renewal the role says anew how long the token lives. */
import type { Plugin } from '../../core/plugin/plugin.ts'
import { findRole } from './records.ts'

export const renew: NonNullable<Plugin['renew']> = async ({ storage }, { metadata }) => {
  const name = metadata['role_name'] ?? ''
  const role = await findRole(storage, name)
  if (role === undefined) return { refused: `role "${name}" does not exist during renewal` }
  const { ttlSeconds, maxTtlSeconds, periodSeconds } = role.token
  return { ttlSeconds, maxTtlSeconds, periodSeconds }
}
