/** A real MariaDB for a test. */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { freePort } from './free-port.ts'
import { missing } from './outside.ts'
import { AS_NOBODY, startTemporary, type TemporaryServer } from './temporary-server.ts'

const PROGRAM = ['/usr/sbin/mariadbd', '/usr/bin/mariadbd'].find((path) => existsSync(path)) ?? ''
const INSTALL = '/usr/bin/mariadb-install-db'
/** Why tests with it are skipped. */
export const noMariadb =
  PROGRAM === '' || !existsSync(INSTALL)
    ? missing("MariaDB is not here: install Debian's mariadb-server")
    : undefined

const USER = 'vaultroot'
const PASSWORD = "first'-pw\\"

export interface Mariadb extends TemporaryServer {
  readonly port: number
  /** Go's form, with places for a user and a password. */
  readonly url: string
  readonly user: string
  readonly password: string
  query(text: string, values?: readonly string[]): Promise<readonly unknown[]>
  login(user: string, password: string): Promise<boolean>
  users(prefix: string): Promise<string[]>
}

export async function startMariadb(): Promise<Mariadb> {
  const port = await freePort()
  const query = (text: string, values: readonly string[] = []) =>
    withConnection({ port, user: USER, password: PASSWORD }, async (connection) => {
      const [rows] = await connection.query(text, [...values])
      return Array.isArray(rows) ? rows : []
    })
  const server = await startTemporary({
    name: 'mariadb',
    unprivileged: true,
    prepare: makeData,
    command: (folder) => ({
      program: PROGRAM,
      args: [
        '--no-defaults',
        `--datadir=${join(folder, 'data')}`,
        `--socket=${join(folder, 'socket')}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--init-file=${join(folder, 'init.sql')}`,
        '--skip-log-bin',
        '--innodb-flush-log-at-trx-commit=0',
        ...(AS_NOBODY.uid === undefined ? [] : ['--user=nobody']),
      ],
    }),
    isReady: () => succeeds(() => query('SELECT 1')),
  })
  return {
    ...server,
    port,
    url: `{{username}}:{{password}}@tcp(127.0.0.1:${port})/`,
    user: USER,
    password: PASSWORD,
    query,
    login: (user, password) =>
      succeeds(() => withConnection({ port, user, password }, () => Promise.resolve())),
    async users(prefix) {
      const rows = await query('SELECT User AS name FROM mysql.user WHERE User LIKE ? ORDER BY 1', [
        `${prefix}%`,
      ])
      return rows.flatMap((row) =>
        typeof row === 'object' && row !== null && 'name' in row
          ? [String(Reflect.get(row, 'name'))]
          : [],
      )
    },
  }
}

function makeData(folder: string): void {
  const args = ['--no-defaults', `--datadir=${join(folder, 'data')}`, '--skip-test-db']
  const made = spawnSync(INSTALL, [...args, '--auth-root-authentication-method=normal'], {
    ...AS_NOBODY,
    cwd: folder,
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`${INSTALL} failed: ${made.stdout}${made.stderr}`)
  const quoted = `'${PASSWORD.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
  writeFileSync(
    join(folder, 'init.sql'),
    `CREATE USER IF NOT EXISTS '${USER}'@'%' IDENTIFIED BY ${quoted};\nGRANT ALL ON *.* TO '${USER}'@'%' WITH GRANT OPTION;\n`,
  )
}

async function withConnection<T>(
  login: { readonly port: number; readonly user: string; readonly password: string },
  work: (connection: mysql.Connection) => Promise<T>,
): Promise<T> {
  const connection = await mysql.createConnection({ ...login, host: '127.0.0.1' })
  try {
    return await work(connection)
  } finally {
    await connection.end()
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
