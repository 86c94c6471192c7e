/** `creds/`: a user of its own for each request. */
import { z } from 'zod'
import { BadRequest } from '../../../core/errors.ts'
import type { EffectType, Secret } from '../../../core/plugin/effects.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import type { View } from '../../../core/store/view.ts'
import { createUser, removeUser } from '../broker.ts'
import {
  CONNECTION_KEY,
  connections,
  LEASE_KEY,
  leaseLimits,
  roles,
  ROLES_PREFIX,
  type Connection,
} from '../records.ts'

const fields = { name: string('Name of the role.').required() }
type CredsRequest = Request<typeof fields>

const DEFAULT_TEMPLATE = '{{ printf "%s-%s" (.DisplayName) (uuid) }}'
const PASSWORD_CHARACTERS = 36
const INTERNAL = z.object({ username: z.string() })

export const credsPath = path('creds/:name', {
  summary: 'Makes a user with the rights of a role',
  fields,
  operations: { read: giveUser },
})

export const users: EffectType = {
  async undo({ storage, signal }, internal) {
    const { username } = INTERNAL.parse(internal)
    await removeUser(await demandConnection(storage), username, signal)
  },
  async renew({ storage }) {
    return limitsOf(storage)
  },
}

async function giveUser(request: CredsRequest): Promise<Response> {
  const { storage, data } = request
  const role = await storage.get(roles, ROLES_PREFIX + data.name)
  if (role === undefined) throw new BadRequest(`unknown role: ${data.name}`)
  const connection = await demandConnection(storage)
  const username = nameFor(request, connection)
  const password = await passwordFor(request, connection)
  const internal = { username }
  return {
    effect: {
      type: 'creds',
      internal,
      leased: true,
      async act(signal) {
        await createUser(connection, { username, password }, role, signal)
        return async ({ storage: later }) => ({
          data: { username, password },
          secret: await secretOf(later, internal),
        })
      },
    },
  }
}

function nameFor(request: CredsRequest, { usernameTemplate: given }: Connection): string {
  const { caller, data } = request
  const template = usernameTemplate(given === '' ? DEFAULT_TEMPLATE : given)
  return template.render({ displayName: caller?.displayName ?? '', roleName: data.name }, request)
}

function passwordFor(
  { random, generatePassword }: CredsRequest,
  { passwordPolicy }: Connection,
): Promise<string> | string {
  return passwordPolicy === ''
    ? random.base62(PASSWORD_CHARACTERS)
    : generatePassword(passwordPolicy)
}

async function secretOf(storage: View, internal: Secret['internal']): Promise<Secret> {
  return { type: 'creds', internal, renewable: true, ...(await limitsOf(storage)) }
}

async function limitsOf(storage: RequestBase['storage']) {
  const limits = await storage.get(leaseLimits, LEASE_KEY)
  return { ttlSeconds: limits?.ttlSeconds ?? 0, maxTtlSeconds: limits?.maxTtlSeconds ?? 0 }
}

/** @throws {BadRequest} there is none */
async function demandConnection(storage: Pick<View, 'get'>): Promise<Connection> {
  const connection = await storage.get(connections, CONNECTION_KEY)
  if (connection !== undefined) return connection
  throw new BadRequest('there is no connection to a broker: write it to config/connection first')
}
