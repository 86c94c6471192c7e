/**
 * One request of the API: its URL, its headers, and what is done about refusals, redirects and dropped connections.
 * As Vault's Go client does it, because servers and proxies in front of them expect that.
 */
import { posix } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isJsonObject, parseJson, stringifyJson } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { systemRandom } from '../../core/random.ts'
import type { Connection } from './connection.ts'
import { DryRun } from './dry-run.ts'
import { ApiError, ClientProblem, ConnectionFailed } from './errors.ts'
import { exchange } from './http.ts'
import type { Answer, Exchange } from './http.ts'
import type { Secret } from './secret.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  /** Without `/v1/`; slashes are made single, one at the end is dropped. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: JsonObject
  /** false: this answer is needed here, never wrapped (a preflight). */
  readonly mayWrap?: boolean
}

/**
 * @throws {ApiError} an error status
 * @throws {ConnectionFailed} no answer
 * @throws {DryRun} the connection shows requests instead of sending them
 */
export async function send(connection: Connection, request: ApiRequest): Promise<Answer> {
  const answer = await sendAny(connection, request)
  if (!isSuccess(answer.status, request.path)) throw apiError(connection, request, answer)
  return answer
}

/** As `send`, but every status is an answer. */
export async function sendAny(connection: Connection, request: ApiRequest): Promise<Answer> {
  const planned = plannedExchange(connection, request)
  const answer = await sendWithRetries(planned, connection.maxRetries)
  const target = connection.followRedirects ? redirectTarget(planned, answer) : undefined
  if (target === undefined) return answer
  return sendWithRetries({ ...planned, url: target }, connection.maxRetries)
}

/** @throws {DryRun} the connection shows requests instead of sending them */
export function plannedExchange(connection: Connection, request: ApiRequest): Exchange {
  const { body } = request
  const planned: Exchange = {
    method: request.method,
    url: requestUrl(connection.address, request),
    headers: requestHeaders(connection, request),
    body: body === undefined ? undefined : stringifyJson(body),
    tls: connection.tls,
    socketPath: connection.socketPath,
    proxy: connection.proxy,
    timeoutMs: connection.timeoutMs,
  }
  if (connection.mode === 'send') return planned
  throw new DryRun(connection.mode, { ...planned, curlTls: connection.curlTls })
}

export function requestUrl(address: URL, { path, query = {} }: ApiRequest): URL {
  const url = new URL(address)
  const joined = posix.join(address.pathname, 'v1', path)
  url.pathname = escapePath(joined.length > 1 ? joined.replace(/\/$/, '') : joined)
  for (const name of Object.keys(query).sort())
    for (const value of [query[name] ?? []].flat()) url.searchParams.append(name, value)
  return url
}

/** Escapes a path as Go's `url.URL` does; a `%` of the user is a character like any other. */
function escapePath(path: string): string {
  return encodeURI(path).replace(
    /[?#!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function requestHeaders(
  connection: Connection,
  request: ApiRequest,
): Record<string, string | readonly string[]> {
  const wrapTtl =
    request.mayWrap === false ? undefined : (connection.wrapTtl ?? defaultWrap(request))
  return {
    ...connection.headers,
    ...(request.method === 'PATCH' ? { 'Content-Type': 'application/merge-patch+json' } : {}),
    ...(connection.namespace === '' ? {} : { 'X-Vault-Namespace': connection.namespace }),
    'X-Vault-Request': 'true',
    ...(connection.token === '' ? {} : { 'X-Vault-Token': connection.token }),
    ...(wrapTtl === undefined ? {} : { 'X-Vault-Wrap-TTL': wrapTtl }),
    ...(connection.mfa.length === 0 ? {} : { 'X-Vault-MFA': connection.mfa }),
    ...(connection.policyOverride ? { 'X-Vault-Policy-Override': 'true' } : {}),
  }
}

/** `sys/wrapping/wrap` makes sense with wrapping only; five minutes, as the Go client asks for. */
function defaultWrap({ method, path }: ApiRequest): string | undefined {
  return (method === 'PUT' || method === 'POST') && path === 'sys/wrapping/wrap' ? '5m' : undefined
}

function isSuccess(status: number, path: string): boolean {
  return (status >= 200 && status < 400) || (status === 429 && path === 'sys/health')
}

const RETRY_MIN_MS = 1_000
const RETRY_SPREAD_MS = 500
/** A server may ask for a longer pause; no longer than this. */
const RETRY_AFTER_MAX_SECONDS = 60

async function sendWithRetries(planned: Exchange, maxRetries: number): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const last = attempt >= maxRetries
    try {
      const answer = await exchange(planned)
      if (last || !worthRetrying(answer.status)) return answer
      await pause(retryAfterMs(answer) ?? backoffMs(attempt))
    } catch (cause) {
      if (last) throw new ConnectionFailed(planned.method, planned.url.href, cause)
      await pause(backoffMs(attempt))
    }
  }
}

function worthRetrying(status: number): boolean {
  return status === 412 || status === 429 || (status >= 500 && status !== 501)
}

/** Grows by one step an attempt; the spread keeps many clients from coming back together. */
function backoffMs(attempt: number): number {
  const spread = (systemRandom.bytes(1)[0] ?? 0) / 255
  return (RETRY_MIN_MS + spread * RETRY_SPREAD_MS) * (attempt + 1)
}

function retryAfterMs({ headers }: Answer): number | undefined {
  const text = headers['retry-after']
  if (text === undefined || !/^\d+$/.test(text)) return undefined
  return Math.min(Number(text), RETRY_AFTER_MAX_SECONDS) * 1_000
}

/** Where a standby node sends us: followed once, with method, body and token, never from https to http. */
export function redirectTarget(
  planned: Pick<Exchange, 'url'>,
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
): URL | undefined {
  if (![301, 302, 307].includes(status) || headers.location === undefined) return undefined
  const target = new URL(headers.location, planned.url)
  if (planned.url.protocol === 'https:' && target.protocol !== 'https:')
    throw new ClientProblem('redirect would cause protocol downgrade')
  return target
}

/** @param secret what a 404 says beside its errors, such as a warning about the path */
export function apiError(
  connection: Connection,
  request: ApiRequest,
  answer: Answer,
  secret?: Secret,
): ApiError {
  const body = answer.body.toString('utf8')
  return new ApiError({
    method: request.method,
    url: requestUrl(connection.address, request).href,
    status: answer.status,
    errors: errorTexts(body),
    body,
    namespace: connection.namespace,
    secret,
  })
}

function errorTexts(body: string): readonly string[] | undefined {
  const parsed = tryParse(body)
  if (!isJsonObject(parsed)) return undefined
  const errors = parsed['errors']
  return Array.isArray(errors) ? errors.map(String) : []
}

function tryParse(body: string): Json | undefined {
  try {
    return parseJson(body)
  } catch {
    return undefined // not JSON: a proxy's page, or nothing
  }
}
