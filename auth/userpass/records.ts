/** What the method stores: users, by their names in lower case. */
import { z } from 'zod'
import { kind } from '../../core/store/kind.ts'
import { tokenSettingsSchema } from '../../core/plugin/token-settings.ts'

export const users = kind(
  'userpass-user',
  z
    .object({
      /** Of argon2id or bcrypt. */
      passwordHash: z.string(),
      token: tokenSettingsSchema,
      /** Which settings were sent by their old names: a read shows them so, too. */
      legacy: z
        .object({
          policies: z.boolean(),
          ttl: z.boolean(),
          maxTtl: z.boolean(),
          boundCidrs: z.boolean(),
        })
        .readonly(),
    })
    .readonly(),
)
export const USERS_PREFIX = 'user/'
export type User = ReturnType<typeof users.decode>
