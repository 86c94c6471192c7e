/** Connects to PostgreSQL: host after host, with TLS as the configuration wants it. */
import { Socket } from 'node:net'
import type { Client, ClientConfig, DatabaseError as PgError } from 'pg'
import { DatabaseError, refused, unreachable, withoutSecrets } from '../errors.ts'
import type { Dsn } from './dsn.ts'
import { tlsOptions, type TlsSettings } from './tls.ts'

export interface Login {
  readonly dsn: Dsn
  readonly user: string
  readonly password: string
  readonly tls: TlsSettings
}

/** A client that is connected, and its socket, which can be cut. */
export interface Connected {
  readonly client: Client
  readonly socket: Socket
}

const CONNECT_MS = 10_000
/** What a text means does not depend on the server's settings. */
const SETTINGS = 'SET standard_conforming_strings = on'

/** @throws {DatabaseError} */
export async function connect(login: Login, signal: AbortSignal): Promise<Connected> {
  let failure: unknown
  for (const at of login.dsn.hosts) {
    try {
      return await connectTo(at, login, signal)
    } catch (error) {
      failure = error
      // A refused login is refused by the others as well; a host that is away is not.
      if (signal.aborted || (error instanceof DatabaseError && error.code !== '')) break
    }
  }
  signal.throwIfAborted()
  throw failure
}

async function connectTo(
  at: Dsn['hosts'][number],
  login: Login,
  signal: AbortSignal,
): Promise<Connected> {
  if (login.tls.mode === 'disable' || at.host.startsWith('/')) return open(at, login, signal, false)
  try {
    return await open(at, login, signal, true)
  } catch (error) {
    if (login.tls.mode !== 'prefer' || !(error instanceof WithoutTls)) throw error
    return open(at, login, signal, false)
  }
}

/** The server speaks no TLS. */
class WithoutTls extends DatabaseError {}

async function open(
  { host, port }: Dsn['hosts'][number],
  { dsn, user, password, tls }: Login,
  signal: AbortSignal,
  secure: boolean,
): Promise<Connected> {
  const { default: pg } = await import('pg')
  const socket = new Socket()
  const config: ClientConfig = {
    host,
    port,
    user,
    password,
    database: dsn.database,
    ssl: secure && (await tlsOptions(tls)),
    stream: () => socket,
    application_name: dsn.options.get('application_name') ?? 'keyhold',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  }
  const client = new pg.Client(config)
  const cut = () => socket.destroy()
  signal.addEventListener('abort', cut)
  // What breaks while nobody asks for anything is seen by who asks next.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(SETTINGS)
    return { client, socket }
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    throw connectFailure(error, password)
  } finally {
    signal.removeEventListener('abort', cut)
  }
}

/** pg says it in a text alone. */
const NO_TLS = 'The server does not support SSL connections'

function connectFailure(error: unknown, password: string): DatabaseError {
  if (isPgError(error)) return refused(`failed to connect: ${said(error, [password])}`, error.code)
  const text = error instanceof Error ? error.message : 'it broke'
  if (text === NO_TLS) return new WithoutTls(502, 'failed to connect: the server speaks no TLS')
  return unreachable(`failed to connect: ${withoutSecrets(text || codeOf(error), [password])}`)
}

/** Of a connection with several addresses, whose error has no text of its own. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'it broke'
}

/** What the database itself said of a failure. */
export function isPgError(error: unknown): error is PgError {
  return error instanceof Error && 'severity' in error && 'code' in error
}

/** `ERROR: role "x" does not exist (SQLSTATE 42704)` */
export function said(error: PgError, secrets: readonly string[]): string {
  const text = `${error.severity ?? 'ERROR'}: ${error.message} (SQLSTATE ${error.code ?? '?'})`
  return withoutSecrets(text, secrets)
}
