/** `login/`: with a name and a password. Whatever is wrong gets one text, and takes as long. */
import { isWithin } from '../../../core/cidr.ts'
import { BadRequest, PermissionDenied } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { demandNotLocked, noteFailure, noteSuccess } from '../../../core/plugin/lockout.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Plugin } from '../../../core/plugin/plugin.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { grantOf } from '../../../core/plugin/token-settings.ts'
import { hashPassword, isBcrypt, isRight, NOBODY } from '../password.ts'
import { users, type User } from '../records.ts'
import { keyOf, MAX_PASSWORD_CHARACTERS, username } from './users.ts'

const fields = { username, password: string('Password.').default('') }
type LoginRequest = Request<typeof fields>

export const loginPath = path('login/:username', {
  summary: 'Logs in',
  unauthenticated: true,
  fields,
  operations: { update: login },
  examples: [
    {
      summary: 'A person logs in',
      operation: 'update',
      path: 'login/ann',
      request: { password: '...' },
    },
  ],
})

/** At renewal the user says anew how long the token lives. */
export const renew: NonNullable<Plugin['renew']> = async ({ storage }, { metadata }) => {
  const user = await storage.get(users, keyOf({ username: metadata['username'] ?? '' }))
  if (user === undefined) return { refused: 'the user does not exist any more' }
  const { ttlSeconds, maxTtlSeconds, periodSeconds } = user.token
  return { ttlSeconds, maxTtlSeconds, periodSeconds }
}

async function login(request: LoginRequest): Promise<Response> {
  const { data, storage, mount, client } = request
  const { username: name, password } = data
  if (password === '') throw new BadRequest('missing password')
  await demandNotLocked(request, name)
  const user = await storage.get(users, keyOf(data))
  if (user === undefined || !(await hasPassword(user, password))) {
    if (user === undefined) await isRight(password.slice(0, MAX_PASSWORD_CHARACTERS), NOBODY)
    await noteFailure(request, name)
    throw new BadRequest('invalid username or password')
  }
  const { boundCidrs } = user.token
  if (boundCidrs.length > 0 && !isWithin(client.address, boundCidrs)) throw new PermissionDenied()
  await noteSuccess(request, name)
  if (isBcrypt(user.passwordHash)) await renewHash(request, user)
  return {
    auth: {
      ...grantOf(user.token, mount, client.address),
      displayName: `${mount.path.replace(/^auth\//, '').replaceAll('/', '-')}${name}`,
      metadata: { username: name },
      alias: { name },
    },
  }
}

async function hasPassword({ passwordHash }: User, password: string): Promise<boolean> {
  return isRight(password.slice(0, MAX_PASSWORD_CHARACTERS), passwordHash)
}

/** A hash of bcrypt was brought along; now that the password is known, it gets one like the others. */
async function renewHash({ storage, data, random }: LoginRequest, user: User): Promise<void> {
  const passwordHash = await hashPassword(data.password, random)
  storage.put(users, keyOf(data), { ...user, passwordHash })
}
