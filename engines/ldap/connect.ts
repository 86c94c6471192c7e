/**
 * A connection to a directory, as its administrator: made for one piece of work, and closed after it.
 *
 * The library would connect anew by itself where a connection broke, without the TLS and the bind before it. So it is given
 * one socket, and no second one.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type SecureVersion } from 'node:tls'
import type { Client } from 'ldapts'
import { BadRequest } from '../../core/errors.ts'
import {
  DirectoryRefused,
  DirectoryUnavailable,
  INVALID_CREDENTIALS,
  withoutSecrets,
} from './errors.ts'
import type { Config } from './records.ts'

/** For how long the password before the last rotation is tried: replicas may lag. */
const LAST_PASSWORD_MS = 10 * 60_000

const SECURE_VERSIONS: Readonly<Record<Config['tlsMinVersion'], SecureVersion>> = {
  tls10: 'TLSv1',
  tls11: 'TLSv1.1',
  tls12: 'TLSv1.2',
  tls13: 'TLSv1.3',
}
const PORTS: Readonly<Record<string, number>> = { 'ldap:': 389, 'ldaps:': 636 }

export interface Limits {
  readonly nowMs: number
  readonly signal: AbortSignal
}

/** One operation of the library, whose failure becomes one of ours. */
export type Run = <T>(what: string, operation: (client: Client) => Promise<T>) => Promise<T>

/** @param boundWith the administrator's password that is in force */
type Work<T> = (run: Run, boundWith: string) => Promise<T>

/**
 * Does work over a connection that is bound. Of several servers the first that can be reached is taken.
 *
 * @param secrets what no error may hold, beside the administrator's own passwords
 * @throws {RequestError} there is no connection, or the work's own
 */
export async function withDirectory<T>(
  config: Config,
  limits: Limits,
  secrets: readonly string[],
  work: Work<T>,
): Promise<T> {
  const faults: string[] = []
  for (const url of config.urls) {
    const socket = await dial(config, new URL(url), limits.signal).catch((error: unknown) => {
      limits.signal.throwIfAborted()
      faults.push(`${url}: ${reasonOf(error)}`)
      return undefined
    })
    if (socket !== undefined) return over(socket, url, { config, limits, secrets, work })
  }
  throw new DirectoryUnavailable(faults.join('; '))
}

interface Task<T> {
  readonly config: Config
  readonly limits: Limits
  readonly secrets: readonly string[]
  readonly work: Work<T>
}

async function over<T>(
  socket: Socket,
  url: string,
  { config, limits: { signal, nowMs }, secrets, work }: Task<T>,
): Promise<T> {
  const end = () => void socket.destroy()
  signal.addEventListener('abort', end)
  try {
    const client = await clientOver(socket, config)
    const { bindPassword, nextBindPassword, lastBindPassword } = config
    const hidden = [bindPassword, nextBindPassword, lastBindPassword, ...secrets]
    const run = runner(client, signal, hidden)
    if (config.startTls && url.startsWith('ldap:')) {
      const options = tlsOptions(config, new URL(url))
      await run('TLS cannot be started', (directory) => directory.startTLS(options))
    }
    return await work(run, await bind(run, config, nowMs))
  } finally {
    signal.removeEventListener('abort', end)
    socket.destroySoon()
  }
}

/** The library, loaded when it is first used. It is told of no TLS: what it is given is a socket that has it. */
async function clientOver(socket: Socket, config: Config): Promise<Client> {
  const { Client: LdapClient } = await import('ldapts')
  let given = false
  return new LdapClient({
    url: 'ldap://given',
    timeout: config.requestTimeoutSeconds * 1000,
    strictDN: false,
    createConnection() {
      if (given) throw new DirectoryUnavailable('the connection broke')
      given = true
      return socket
    },
  })
}

function runner(client: Client, signal: AbortSignal, hidden: readonly string[]): Run {
  return async (what, operation) => {
    try {
      return await operation(client)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof DirectoryUnavailable) throw error
      const { ResultCodeError } = await import('ldapts')
      if (error instanceof ResultCodeError) {
        throw new DirectoryRefused(what, error.code, withoutSecrets(saidIn(error), hidden))
      }
      throw new DirectoryUnavailable(`${what}: ${withoutSecrets(reasonOf(error), hidden)}`)
    }
  }
}

/**
 * A rotation of the administrator's own password stores the new one before it sets it: until it has said that it is done,
 * either may be in force.
 */
async function bind(run: Run, config: Config, nowMs: number): Promise<string> {
  const { bindPassword, nextBindPassword, lastBindPassword, bindRotatedAtMs } = config
  const isLastTried = nowMs - bindRotatedAtMs < LAST_PASSWORD_MS
  const others = [nextBindPassword, isLastTried ? lastBindPassword : '']
  for (const password of [bindPassword, ...others].filter((one) => one !== '')) {
    if (await isAccepted(run, config, password)) return password
  }
  throw new BadRequest('binddn and bindpass are refused by the directory (LDAP result 49)')
}

async function isAccepted(run: Run, config: Config, password: string): Promise<boolean> {
  try {
    await run('binddn and bindpass are refused', (client) =>
      client.bind(bindName(config), password),
    )
    return true
  } catch (error) {
    if (error instanceof DirectoryRefused && error.code === INVALID_CREDENTIALS) return false
    throw error
  }
}

function bindName({ bindDn, upnDomain }: Config): string {
  return upnDomain === '' ? bindDn : `${bindDn}@${upnDomain}`
}

function dial(config: Config, url: URL, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted()
  const host = hostOf(url)
  const port = url.port === '' ? (PORTS[url.protocol] ?? 0) : Number(url.port)
  const isTls = url.protocol === 'ldaps:'
  const socket = isTls
    ? connectTls({ host, port, ...tlsOptions(config, url) })
    : connectPlain({ host, port })
  return new Promise((resolve, reject) => {
    const spanMs = config.connectionTimeoutSeconds * 1000
    const fail = (error: Error) => {
      clear()
      socket.destroy()
      reject(error)
    }
    const abort = () => fail(new Error('given up'))
    const timer = setTimeout(() => fail(new Error(`no answer within ${spanMs / 1000} s`)), spanMs)
    const clear = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    signal.addEventListener('abort', abort)
    socket.once('error', fail)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clear()
      socket.removeListener('error', fail)
      resolve(socket)
    })
  })
}

function tlsOptions(config: Config, url: URL): ConnectionOptions {
  const host = hostOf(url)
  return {
    host,
    ...(isIP(host) === 0 && { servername: host }),
    minVersion: SECURE_VERSIONS[config.tlsMinVersion],
    maxVersion: SECURE_VERSIONS[config.tlsMaxVersion],
    rejectUnauthorized: !config.insecureTls,
    ...(config.certificate !== '' && { ca: config.certificate }),
    ...(config.clientCertificate !== '' && {
      cert: config.clientCertificate,
      key: config.clientKey,
    }),
  }
}

/** An address of IPv6 stands in brackets in a URL. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

/** The result's name, and what the server said beside it, which may be nothing. */
function saidIn({ name, message }: Error): string {
  const said = message.replace(/ ?Code: 0x[0-9a-f]+$/, '')
  return `${name.replace(/Error$/, '')} ${said}`
}

/** Short, and without an address: which one it was is said beside it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed'
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.message
}
