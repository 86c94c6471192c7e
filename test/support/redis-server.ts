/** A real Redis or Valkey for a test. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RedisClient } from '../../engines/database/redis/client.ts'
import type { Reply } from '../../engines/database/redis/resp.ts'
import { freePort } from './free-port.ts'
import { missing } from './outside.ts'
import { startTemporary, type TemporaryServer } from './temporary-server.ts'

const PROGRAM =
  ['/usr/bin/valkey-server', '/usr/bin/redis-server'].find((path) => existsSync(path)) ?? ''
/** Why tests with it are skipped. */
export const noRedis =
  PROGRAM === '' ? missing("Redis is not here: install Debian's redis-server") : undefined

const USER = 'vaultroot'
const PASSWORD = 'first-pw'

export interface RedisServer extends TemporaryServer {
  readonly port: number
  readonly user: string
  readonly password: string
  /** As the administrator. */
  send(...words: readonly string[]): Promise<Reply>
  login(user: string, password: string): Promise<boolean>
  /** Names of all users that begin so. */
  users(prefix: string): Promise<string[]>
}

export async function startRedis(): Promise<RedisServer> {
  const port = await freePort()
  const as = async <T>(
    login: readonly [string, string],
    work: (client: RedisClient) => Promise<T>,
  ) => {
    const address = { host: '127.0.0.1', port }
    const client = await RedisClient.connect(address, AbortSignal.timeout(10_000))
    try {
      await client.send('AUTH', ...login)
      return await work(client)
    } finally {
      client.close()
    }
  }
  const send = (...words: readonly string[]) =>
    as([USER, PASSWORD], (client) => client.send(...words))
  const succeeds = async (work: () => Promise<unknown>) => {
    try {
      await work()
      return true
    } catch {
      return false
    }
  }
  const server = await startTemporary({
    name: 'redis',
    prepare: (folder) =>
      writeFileSync(
        join(folder, 'users.acl'),
        `user default off\nuser ${USER} on ~* &* +@all >${PASSWORD}\n`,
      ),
    command: (folder) => ({
      program: PROGRAM,
      args: [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--aclfile',
        join(folder, 'users.acl'),
      ],
    }),
    isReady: () => succeeds(() => send('PING')),
  })
  return {
    ...server,
    port,
    user: USER,
    password: PASSWORD,
    send,
    login: (user, password) => succeeds(() => as([user, password], () => Promise.resolve())),
    async users(prefix) {
      const reply = await send('ACL', 'USERS')
      const names = Array.isArray(reply) ? reply.map(String) : []
      return names.filter((name) => name.startsWith(prefix)).toSorted()
    },
  }
}
