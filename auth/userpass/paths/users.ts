/** `users/`: who may log in, with which password, and what they get. */
import { BadRequest, listed } from '../../../core/errors.ts'
import { caselessName, duration, list, string } from '../../../core/plugin/fields.ts'
import { listPath } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import {
  changedTokenSettings,
  demandCountable,
  NO_TOKEN_SETTINGS,
  shownTokenSettings,
  tokenFields,
} from '../../../core/plugin/token-settings.ts'
import { hashPassword, isBcrypt } from '../password.ts'
import { users, USERS_PREFIX, type User } from '../records.ts'

export const username = caselessName(
  'Name of the user; upper and lower case are the same.',
).required()

const passwordFields = {
  username,
  password: string('Password.').default(''),
  password_hash: string('Hash of the password by bcrypt, instead of it.').default(''),
}
const policyFields = {
  username,
  token_policies: list('Policies of the tokens.'),
  policies: list('Old name of `token_policies`.').deprecated(),
}
const fields = {
  ...passwordFields,
  policies: policyFields.policies,
  ttl: duration('Old name of `token_ttl`.').deprecated(),
  max_ttl: duration('Old name of `token_max_ttl`.').deprecated(),
  bound_cidrs: list('Old name of `token_bound_cidrs`.').deprecated(),
  ...tokenFields,
}
type UserRequest = Request<typeof fields>

/** Longer ones are no passwords, and would be work for nothing. */
export const MAX_PASSWORD_CHARACTERS = 1024
/** More is cut off by bcrypt itself. */
const NEW: User = {
  passwordHash: '',
  token: NO_TOKEN_SETTINGS,
  legacy: { policies: false, ttl: false, maxTtl: false, boundCidrs: false },
}

export const userPaths = [
  listPath('users', { summary: 'The names of the users', prefix: USERS_PREFIX }),
  path('users/:username', {
    summary: 'A user: the password, and what a login gives',
    fields,
    exists: async ({ storage, data }) => (await storage.get(users, keyOf(data))) !== undefined,
    operations: { read: show, update: write, delete: remove },
    examples: [
      {
        summary: 'A user with a policy',
        operation: 'update',
        path: 'users/ann',
        request: { password: '...', token_policies: ['dev'] },
      },
    ],
  }),
  path('users/:username/password', {
    summary: 'Another password for a user',
    fields: passwordFields,
    operations: { update: changePassword },
  }),
  path('users/:username/policies', {
    summary: 'Other policies for a user',
    fields: policyFields,
    operations: { update: changePolicies },
  }),
]

export const keyOf = ({ username: name }: { username: string }) => USERS_PREFIX + name

async function show({ storage, data }: UserRequest): Promise<Response | undefined> {
  const user = await storage.get(users, keyOf(data))
  if (user === undefined) return undefined
  const { token, legacy } = user
  const shown = shownTokenSettings(token)
  return {
    data: {
      ...shown,
      policies: legacy.policies ? token.policies : undefined,
      ttl: legacy.ttl ? token.ttlSeconds : undefined,
      max_ttl: legacy.maxTtl ? token.maxTtlSeconds : undefined,
      bound_cidrs: legacy.boundCidrs ? shown['token_bound_cidrs'] : undefined,
    },
  }
}

async function write(request: UserRequest): Promise<void> {
  const { storage, data, mount } = request
  const before = await storage.get(users, keyOf(data))
  const isNew = before === undefined
  const passwordHash =
    isNew || data.password !== '' || data.password_hash !== ''
      ? await hashOf(request)
      : before.passwordHash
  const token = changedTokenSettings((before ?? NEW).token, {
    ...data,
    token_policies: data.token_policies ?? data.policies,
    token_ttl: data.token_ttl ?? data.ttl,
    token_max_ttl: data.token_max_ttl ?? data.max_ttl,
    token_bound_cidrs: data.token_bound_cidrs ?? data.bound_cidrs,
  })
  demandCountable(token, mount)
  storage.put(users, keyOf(data), { passwordHash, token, legacy: legacyOf(before ?? NEW, data) })
}

/** By which names it was sent last. */
function legacyOf({ legacy }: User, data: UserRequest['data']): User['legacy'] {
  const by = (now: unknown, old: unknown, before: boolean) =>
    now === undefined && (old !== undefined || before)
  return {
    policies: by(data.token_policies, data.policies, legacy.policies),
    ttl: by(data.token_ttl, data.ttl, legacy.ttl),
    maxTtl: by(data.token_max_ttl, data.max_ttl, legacy.maxTtl),
    boundCidrs: by(data.token_bound_cidrs, data.bound_cidrs, legacy.boundCidrs),
  }
}

async function hashOf({
  data,
  random,
}: Pick<Request<typeof passwordFields>, 'data' | 'random'>): Promise<string> {
  const { password, password_hash: hash } = data
  if (password === '' && hash === '') {
    throw new BadRequest('must provide either password or password_hash')
  }
  if (password !== '' && hash !== '') {
    throw new BadRequest('only one of password or password_hash may be provided')
  }
  if (hash === '') {
    if (password.length <= MAX_PASSWORD_CHARACTERS) return hashPassword(password, random)
    throw new BadRequest(`password has up to ${MAX_PASSWORD_CHARACTERS} characters`)
  }
  if (!isBcrypt(hash)) throw new BadRequest('password_hash is not a valid bcrypt hash')
  return hash
}

async function changePassword(request: Request<typeof passwordFields>): Promise<void> {
  const { storage, data } = request
  const user = await demandUser(request)
  storage.put(users, keyOf(data), { ...user, passwordHash: await hashOf(request) })
}

async function changePolicies(request: Request<typeof policyFields>): Promise<void> {
  const { storage, data } = request
  const user = await demandUser(request)
  const token = changedTokenSettings(user.token, {
    ...NOTHING,
    token_policies: data.token_policies ?? data.policies,
  })
  const isOld = data.token_policies === undefined && data.policies !== undefined
  const legacy = {
    ...user.legacy,
    policies: isOld || (user.legacy.policies && data.token_policies === undefined),
  }
  storage.put(users, keyOf(data), { ...user, token, legacy })
}

const NOTHING = {
  token_ttl: undefined,
  token_max_ttl: undefined,
  token_explicit_max_ttl: undefined,
  token_period: undefined,
  token_bound_cidrs: undefined,
  token_no_default_policy: undefined,
  token_num_uses: undefined,
  token_type: undefined,
  token_strictly_bind_ip: undefined,
}

async function demandUser({
  storage,
  data,
}: Pick<Request<{ username: typeof username }>, 'storage' | 'data'>): Promise<User> {
  const user = await storage.get(users, keyOf(data))
  if (user === undefined) throw new BadRequest(listed('username does not exist'))
  return user
}

function remove({ storage, data }: UserRequest): void {
  storage.delete(keyOf(data))
}
