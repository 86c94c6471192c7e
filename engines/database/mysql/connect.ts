/** Connects to MySQL or MariaDB, host after host. */
import type { Connection, ConnectionOptions, SslOptions } from 'mysql2'
import { DatabaseError, refused, unreachable, withoutSecrets } from '../errors.ts'
import type { MysqlDsn } from './dsn.ts'

const CONNECT_MS = 10_000
/** Backslashes escape in texts, whatever the server's settings. */
const SETTINGS = "SET SESSION sql_mode = REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', '')"

/** @throws {DatabaseError} */
export async function connectMysql(
  dsn: MysqlDsn,
  ssl: SslOptions | undefined,
  signal: AbortSignal,
): Promise<Connection> {
  let failure: unknown
  for (const host of dsn.hosts) {
    try {
      return await open(dsn, host, ssl, signal)
    } catch (error) {
      failure = error
      if (signal.aborted || (error instanceof DatabaseError && error.code !== '')) break
    }
  }
  signal.throwIfAborted()
  throw failure
}

async function open(
  { user, password, database }: MysqlDsn,
  host: MysqlDsn['hosts'][number],
  ssl: SslOptions | undefined,
  signal: AbortSignal,
): Promise<Connection> {
  const { default: mysql } = await import('mysql2')
  const options: ConnectionOptions = {
    ...('path' in host ? { socketPath: host.path } : host),
    user,
    password,
    connectTimeout: CONNECT_MS,
    ...(database !== '' && { database }),
    ...(ssl !== undefined && { ssl }),
  }
  const connection = mysql.createConnection(options)
  const cut = () => connection.destroy()
  signal.addEventListener('abort', cut)
  // What breaks while nobody asks for anything is seen by who asks next.
  connection.on('error', () => undefined)
  try {
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error ? reject(error) : resolve()))
      signal.addEventListener('abort', () => reject(new Error('it was given up')), { once: true })
    })
    await query(connection, SETTINGS)
    return connection
  } catch (error) {
    connection.destroy()
    signal.throwIfAborted()
    throw mysqlFailure(error, 'failed to connect: ', [password])
  } finally {
    signal.removeEventListener('abort', cut)
  }
}

/** The rows of an answer. */
export function query(
  connection: Connection,
  text: string,
  values: readonly string[] = [],
): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    connection.query(text, [...values], (error, rows) => {
      if (error) reject(error)
      else resolve(Array.isArray(rows) ? rows : [])
    })
  })
}

/** What the database said, or that it said nothing. */
export function mysqlFailure(
  error: unknown,
  before: string,
  secrets: readonly string[],
): DatabaseError {
  if (isSqlError(error)) {
    const { errno, sqlMessage, sqlState } = error
    const text = `Error ${errno} (${sqlState}): ${sqlMessage}`
    return refused(before + withoutSecrets(text, secrets), String(errno))
  }
  const text = error instanceof Error ? error.message || codeOf(error) : 'the connection broke'
  return unreachable(before + withoutSecrets(text, secrets))
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : 'the connection broke'
}

function isSqlError(
  error: unknown,
): error is Error & { errno: number; sqlMessage: string; sqlState: string } {
  return error instanceof Error && 'sqlMessage' in error && 'sqlState' in error && 'errno' in error
}
