/** `config/connection`: where the broker is, and who makes its users. */
import { BadRequest } from '../../../core/errors.ts'
import { boolean, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import { BrokerUnavailable, verify } from '../broker.ts'
import { CONNECTION_KEY, connections, type Connection } from '../records.ts'

const fields = {
  connection_uri: string('Address of the management API, such as `https://broker:15671`.').default(
    '',
  ),
  username: string('An administrator of the broker.').default(''),
  password: string('Its password.').default(''),
  verify_connection: boolean('Asks the broker before the connection is stored.').default(true),
  password_policy: string('Password policy for the passwords of users.').default(''),
  username_template: string('Template of the names of users.').default(''),
}
type ConnectionRequest = Request<typeof fields>

export const connectionPath = path('config/connection', {
  summary: 'Where the broker is, and who makes its users',
  fields,
  operations: { read: show, update: write },
  examples: [
    {
      summary: 'A broker on this machine',
      operation: 'update',
      path: 'config/connection',
      request: {
        connection_uri: 'http://localhost:15672',
        username: 'admin',
        password: '...',
      },
    },
  ],
})

async function show({ storage }: ConnectionRequest): Promise<Response | undefined> {
  const found = await storage.get(connections, CONNECTION_KEY)
  if (found === undefined) return undefined
  return {
    data: {
      connection_uri: found.uri,
      username: found.username,
      password_policy: found.passwordPolicy,
      username_template: found.usernameTemplate,
    },
  }
}

async function write({ storage, data }: ConnectionRequest): Promise<Response | undefined> {
  const connection = connectionOf(data)
  const before = await storage.get(connections, CONNECTION_KEY)
  if (!data.verify_connection) {
    storage.put(connections, CONNECTION_KEY, connection)
    return answer(before, connection)
  }
  return {
    effect: {
      type: 'verify',
      internal: {},
      async act(signal) {
        await tryOut(connection, signal)
        return ({ storage: later }) => {
          later.put(connections, CONNECTION_KEY, connection)
          return answer(before, connection)
        }
      },
    },
  }
}

/** Whoever writes it has named the broker: that it does not answer is a mistake of theirs. */
async function tryOut(connection: Connection, signal: AbortSignal): Promise<void> {
  try {
    await verify(connection, signal)
  } catch (error) {
    if (error instanceof BrokerUnavailable) throw new BadRequest(error.message)
    throw error
  }
}

/** Users of another broker are removed by nobody. */
function answer(before: Connection | undefined, after: Connection): Response | undefined {
  if (before === undefined || before.uri === after.uri) return undefined
  return {
    warnings: [
      'The connection_uri has changed. Where it leads to another broker, users of the one before that have leases still have to be removed there.',
    ],
  }
}

function connectionOf(data: ConnectionRequest['data']): Connection {
  const { connection_uri: uri, username, password } = data
  if (uri === '') throw new BadRequest('missing connection_uri')
  if (username === '') throw new BadRequest('missing username')
  if (password === '') throw new BadRequest('missing password')
  if (username.includes(':')) throw new BadRequest('username must not hold a ":"')
  checkUri(uri)
  if (data.username_template !== '') usernameTemplate(data.username_template)
  return {
    uri,
    username,
    password,
    passwordPolicy: data.password_policy,
    usernameTemplate: data.username_template,
  }
}

function checkUri(uri: string): void {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new BadRequest('connection_uri is http://HOST:PORT or https://HOST:PORT')
  }
  if (url.username !== '' || url.password !== '') {
    throw new BadRequest('connection_uri holds no name and password: there are fields for those')
  }
  if (url.search !== '' || url.hash !== '') {
    throw new BadRequest('connection_uri ends with its path, without "?" and "#"')
  }
}
