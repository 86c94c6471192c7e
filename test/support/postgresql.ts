/** A real PostgreSQL for a test, with a superuser of its own and all that its log says. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, globSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { missing } from './outside.ts'
import { AS_NOBODY, startTemporary, type TemporaryServer } from './temporary-server.ts'

/** Of Debian, and of others that have it on the PATH. */
const [initdb = ''] = globSync([
  '/usr/lib/postgresql/*/bin/initdb',
  '/usr/local/bin/initdb',
  '/usr/bin/initdb',
])
/** Why tests with it are skipped. */
export const noPostgresql =
  initdb === '' ? missing("PostgreSQL is not here: install Debian's postgresql") : undefined

const USER = 'vaultroot'
const PASSWORD = 'first-pw'
const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  'fsync = off',
  'max_connections = 300',
  // All that a database can be told to log.
  "log_statement = 'all'",
]

export interface Postgresql extends TemporaryServer {
  readonly port: number
  /** With places for a user and a password. */
  readonly url: string
  readonly user: string
  readonly password: string
  /** As the superuser. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** Whether this user may log in. */
  login(user: string, password: string): Promise<boolean>
  /** Users whose names begin so. */
  users(prefix: string): Promise<string[]>
}

export async function startPostgresql(settings: readonly string[] = []): Promise<Postgresql> {
  const port = await freePort()
  const query = (text: string, values: readonly unknown[] = []) =>
    withClient({ port, user: USER, password: PASSWORD }, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(text, [...values])
      return rows
    })
  const server = await startTemporary({
    name: 'postgresql',
    unprivileged: true,
    prepare: (folder) => makeCluster(folder, settings),
    command: (folder) => ({
      program: join(dirname(initdb), 'postgres'),
      args: ['-D', join(folder, 'data'), '-p', String(port)],
    }),
    isReady: () => succeeds(() => query('SELECT 1')),
  })
  return {
    ...server,
    port,
    url: `postgresql://{{username}}:{{password}}@127.0.0.1:${port}/postgres?sslmode=disable`,
    user: USER,
    password: PASSWORD,
    query,
    login: (user, password) =>
      succeeds(() => withClient({ port, user, password }, () => Promise.resolve())),
    async users(prefix) {
      const text =
        'SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1) ORDER BY rolname COLLATE "C"'
      return (await query(text, [prefix])).map(({ rolname }) => String(rolname))
    },
  }
}

function makeCluster(folder: string, settings: readonly string[]): void {
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, PASSWORD)
  const args = ['-D', data, '--auth=scram-sha-256', `--username=${USER}`]
  const more = [`--pwfile=${passwordFile}`, '--no-sync', '--encoding=UTF8', '--no-locale']
  const made = spawnSync(initdb, [...args, ...more], {
    ...AS_NOBODY,
    cwd: folder,
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stdout}${made.stderr}`)
  appendFileSync(join(data, 'postgresql.conf'), [...SETTINGS, ...settings, ''].join('\n'))
}

async function withClient<T>(
  login: { readonly port: number; readonly user: string; readonly password: string },
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ ...login, host: '127.0.0.1', database: 'postgres' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function succeeds(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch {
    return false
  }
}
