/**
 * How to reach a server and who asks: made once a command from its flags, the environment and the token file.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isTrue, setting } from './environment.ts'
import type { Environment } from './environment.ts'
import { parseDurationSeconds } from '../../core/duration.ts'
import { ClientProblem } from './errors.ts'
import type { TlsSettings } from './http.ts'
import { proxySettings, type ProxySettings } from './proxy.ts'

/** What the command line says; members that are undefined leave it to the environment. */
export interface ConnectionFlags {
  readonly agentAddress?: string | undefined
  readonly address?: string | undefined
  readonly caCert?: string | undefined
  readonly caPath?: string | undefined
  readonly clientCert?: string | undefined
  readonly clientKey?: string | undefined
  readonly tlsServerName?: string | undefined
  readonly tlsSkipVerify?: boolean
  readonly namespace?: string | undefined
  readonly wrapTtlSeconds?: number | undefined
  readonly mfa?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly policyOverride?: boolean
  readonly disableRedirects?: boolean
}

/** `curl` and `policy`: nothing is sent; the request is thrown as `DryRun`. */
export type Mode = 'send' | 'curl' | 'policy'

export interface Connection {
  readonly address: URL
  readonly socketPath: string | undefined
  readonly proxy: ProxySettings | undefined
  readonly tls: TlsSettings
  /** Flags of curl that do what the TLS settings do. */
  readonly curlTls: readonly string[]
  readonly token: string
  /** Canonical: no slash in front, one at the end; '' is the root. */
  readonly namespace: string
  /** The wrapping that was asked for, as a Go duration; undefined: what the request's path has by default. */
  readonly wrapTtl: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly mfa: readonly string[]
  readonly policyOverride: boolean
  readonly maxRetries: number
  readonly timeoutMs: number
  readonly followRedirects: boolean
  readonly mode: Mode
}

const DEFAULT_ADDRESS = 'https://127.0.0.1:8200'
const DEFAULT_TIMEOUT_SECONDS = 60

/** @throws {ClientProblem} a setting that cannot be used, named */
export function connectionFrom(
  flags: ConnectionFlags,
  env: Environment,
  { token, mode }: { token: string; mode: Mode },
): Connection {
  const agent = flags.agentAddress ?? setting(env, 'AGENT_ADDR')
  const addressText = agent ?? flags.address ?? setting(env, 'ADDR') ?? DEFAULT_ADDRESS
  const unix = addressText.startsWith('unix://')
  const files = tlsFiles(flags, env)
  return {
    address: unix ? new URL('http://localhost') : parseAddress(addressText),
    socketPath: unix ? addressText.slice('unix://'.length) : undefined,
    proxy: unix ? undefined : proxySettings(env),
    tls: tlsSettings(files),
    curlTls: curlTls(files),
    token: printable(token),
    namespace: canonicalNamespace(flags.namespace ?? setting(env, 'NAMESPACE') ?? ''),
    wrapTtl: wrapTtl(flags, env),
    headers: customHeaders(flags.headers ?? {}),
    mfa: flags.mfa?.length ? flags.mfa : listed(setting(env, 'MFA')),
    policyOverride: flags.policyOverride ?? false,
    maxRetries: wholeNumber(setting(env, 'MAX_RETRIES'), 0),
    timeoutMs: timeoutMs(setting(env, 'CLIENT_TIMEOUT')),
    followRedirects: !(
      flags.disableRedirects === true || isTrue(setting(env, 'DISABLE_REDIRECTS'))
    ),
    mode,
  }
}

/** The same way to the server for somebody else. */
export function connectionWithToken(connection: Connection, token: string): Connection {
  return { ...connection, token: printable(token) }
}

function parseAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new ClientProblem(
      'failed to create client: the address must be like https://HOST:PORT, http://HOST:PORT or unix:///PATH',
    )
  return url
}

/** A token with a line break in it would end the header; the text never shows it. */
function printable(token: string): string {
  if (/[^\x20-\x7e]/.test(token))
    throw new ClientProblem(
      'the configured token contains non-printable characters and cannot be used',
    )
  return token
}

export function canonicalNamespace(text: string): string {
  const bare = text.trim().replace(/^\/+|\/+$/g, '')
  return bare === '' || bare === 'root' ? '' : `${bare}/`
}

function wrapTtl(flags: ConnectionFlags, env: Environment): string | undefined {
  const seconds = flags.wrapTtlSeconds
  if (seconds !== undefined && seconds !== 0) return `${seconds}s`
  return setting(env, 'WRAP_TTL')
}

function customHeaders(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const reserved = Object.keys(headers).filter((name) => /^x-vault-/i.test(name))
  if (reserved.length > 0)
    throw new ClientProblem(
      `failed to setup Headers[${reserved.join(', ')}]: names that start with 'X-Vault-' are set by this program only`,
    )
  return headers
}

function listed(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(',').map((item) => item.trim())
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : otherwise
}

function timeoutMs(text: string | undefined): number {
  const seconds = text === undefined ? 0 : parseDurationSeconds(text)
  return (seconds > 0 ? seconds : DEFAULT_TIMEOUT_SECONDS) * 1000
}

interface TlsFiles {
  readonly caCert: string | undefined
  readonly caBytes: string | undefined
  readonly caPath: string | undefined
  readonly clientCert: string | undefined
  readonly clientKey: string | undefined
  /** The texts of the two, where no file was named. */
  readonly clientCertBytes: string | undefined
  readonly clientKeyBytes: string | undefined
  readonly serverName: string | undefined
  readonly skipVerify: boolean
}

function tlsFiles(flags: ConnectionFlags, env: Environment): TlsFiles {
  const clientCert = flags.clientCert ?? setting(env, 'CLIENT_CERT')
  const clientKey = flags.clientKey ?? setting(env, 'CLIENT_KEY')
  const noFile = clientCert === undefined && clientKey === undefined
  return {
    caCert: flags.caCert ?? setting(env, 'CACERT'),
    caBytes: flags.caCert === undefined ? setting(env, 'CACERT_BYTES') : undefined,
    caPath: flags.caPath ?? setting(env, 'CAPATH'),
    clientCert,
    clientKey,
    clientCertBytes: noFile ? setting(env, 'CLIENT_CERT_BYTES') : undefined,
    clientKeyBytes: noFile ? setting(env, 'CLIENT_KEY_BYTES') : undefined,
    serverName: flags.tlsServerName ?? setting(env, 'TLS_SERVER_NAME'),
    skipVerify: flags.tlsSkipVerify === true || isTrue(setting(env, 'SKIP_VERIFY')),
  }
}

function tlsSettings(files: TlsFiles): TlsSettings {
  const cert = clientPem(files.clientCert, files.clientCertBytes)
  const key = clientPem(files.clientKey, files.clientKeyBytes)
  if ((cert === undefined) !== (key === undefined))
    throw new ClientProblem(
      'failed to setup TLS config: -client-cert and -client-key belong together; give both',
    )
  const ca = authorities(files)
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(files.serverName === undefined ? {} : { servername: files.serverName }),
    rejectUnauthorized: !files.skipVerify,
  }
}

function clientPem(file: string | undefined, bytes: string | undefined): Buffer | undefined {
  if (file !== undefined) return readTlsFile(file)
  return bytes === undefined ? undefined : pemOf(bytes)
}

/** PEM as it is, or in base64. */
function pemOf(bytes: string): Buffer {
  return Buffer.from(bytes, bytes.includes('-----BEGIN') ? 'utf8' : 'base64')
}

/** The certificates that are trusted instead of the machine's; one file wins over a folder. */
function authorities({ caCert, caBytes, caPath }: TlsFiles): readonly Buffer[] | undefined {
  if (caCert !== undefined) return [readTlsFile(caCert)]
  if (caBytes !== undefined) return [pemOf(caBytes)]
  if (caPath === undefined) return undefined
  return readFolder(caPath).map((name) => readTlsFile(join(caPath, name)))
}

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name)
  } catch (cause) {
    throw new ClientProblem(`failed to setup TLS config: the folder ${path} cannot be read`, {
      cause,
    })
  }
}

function readTlsFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ClientProblem(`failed to setup TLS config: the file ${path} cannot be read`, {
      cause,
    })
  }
}

function curlTls(files: TlsFiles): readonly string[] {
  const quoted = (flag: string, path: string | undefined): string[] =>
    path === undefined ? [] : [`${flag} ${shellQuote(path)}`]
  return [
    ...(files.skipVerify ? ['--insecure'] : []),
    ...quoted('--cacert', files.caCert),
    ...quoted('--capath', files.caPath),
    ...quoted('--cert', files.clientCert),
    ...quoted('--key', files.clientKey),
  ]
}

/** One word of a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`
}
