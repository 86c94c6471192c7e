/**
 * An HTTP request as the pipeline understands it: operation, canonical path, fields, and what the headers say. Made
 * once; whatever is decided later is decided from this.
 */
import { parseDurationSeconds, InvalidDuration } from '../duration.ts'
import { BadRequest, RequestError } from '../errors.ts'
import { parseBody, type BodyLimits } from '../http/body.ts'
import type { HttpRequest } from '../http/message.ts'
import type { Json, JsonObject } from '../json.ts'
import type { OpenedBy, Operation } from '../plugin/path.ts'
import type { Client } from '../plugin/request.ts'

export interface Incoming {
  readonly operation: Operation
  /** Below `/v1/`, and below what the namespace header names. A list's ends in '/'. */
  readonly path: string
  readonly body: JsonObject
  /** As sent; empty: none. */
  readonly token: string
  /** The value of `X-Vault-Namespace`; `undefined`: not sent. */
  readonly namespace: string | undefined
  /** 0: not asked for. */
  readonly wrapTtlSeconds: number
  readonly wrapFormat: 'token' | 'jwt'
  readonly client: Client
  readonly headers: HttpRequest['headers']
  /** As the listener's settings open them. */
  readonly opened: readonly OpenedBy[]
}

const NONE_OPENED: readonly OpenedBy[] = []
const API_PREFIX = '/v1/'
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['', '0', 'f', 'F', 'FALSE', 'false', 'False'])

/** hot. @throws {RequestError} it is no request that the API knows */
export function readRequest(http: HttpRequest, limits: BodyLimits): Incoming {
  const operation = operationOf(http)
  const writes = operation === 'update' || operation === 'patch'
  if (writes && http.path.endsWith('/')) {
    throw new BadRequest("cannot write to a path ending in '/'")
  }
  return readHead(http, operation, writes ? parseBody(http, limits) : queryFields(http.query))
}

/** What audit is told of a request whose body nobody reads. @throws {RequestError} */
export function readUnread(http: HttpRequest): Incoming {
  return readHead(http, operationOf(http), NO_FIELDS)
}

function readHead(http: HttpRequest, operation: Operation, body: JsonObject): Incoming {
  const base = http.path.slice(API_PREFIX.length)
  const listing = operation === 'list' || operation === 'scan'
  return {
    operation,
    path: listing && !base.endsWith('/') ? `${base}/` : base,
    body,
    token: tokenOf(http),
    namespace: header(http, 'x-vault-namespace'),
    wrapTtlSeconds: wrapTtlOf(http),
    wrapFormat: header(http, 'x-vault-wrap-format') === 'jwt' ? 'jwt' : 'token',
    client: http.client,
    headers: http.headers,
    opened: http.opened ?? NONE_OPENED,
  }
}

/** The value of a header, the first where there are several. */
export function header(http: Pick<HttpRequest, 'headers'>, name: string): string | undefined {
  const value = http.headers[name]
  return typeof value === 'object' ? value[0] : value
}

function operationOf(http: HttpRequest): Operation {
  if (http.query.size > 0 && flag(http, 'help')) return 'help'
  switch (http.method) {
    case 'GET':
      return http.query.size === 0 ? 'read' : readOrList(http)
    case 'LIST':
      return 'list'
    case 'SCAN':
      return 'scan'
    case 'POST':
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return 'delete'
    case 'HEAD':
      return 'header'
    case 'HELP':
      return 'help'
    case 'OPTIONS':
      throw new BadRequest('cannot handle internal-only request operation')
    default:
      throw new RequestError(405, [])
  }
}

function readOrList(http: HttpRequest): Operation {
  const list = flag(http, 'list')
  const scan = flag(http, 'scan')
  if (list && scan) throw new RequestError(400, [])
  return list ? 'list' : scan ? 'scan' : 'read'
}

function flag(http: HttpRequest, name: string): boolean {
  const value = http.query.get(name)?.[0]
  if (value === undefined || FALSE.has(value)) return false
  if (TRUE.has(value)) return true
  throw new RequestError(400, [])
}

const NOT_FIELDS = new Set(['help', 'list', 'scan'])
const NO_FIELDS: JsonObject = Object.freeze({})

function queryFields(query: HttpRequest['query']): JsonObject {
  if (query.size === 0) return NO_FIELDS
  const fields: [string, Json][] = []
  for (const [name, values] of query) {
    if (!NOT_FIELDS.has(name)) fields.push([name, values.length === 1 ? (values[0] ?? '') : values])
  }
  return Object.fromEntries(fields)
}

const BEARER = 'Bearer '

function tokenOf(http: HttpRequest): string {
  const token = header(http, 'x-vault-token')
  if (token !== undefined && token !== '') return token
  const authorization = header(http, 'authorization')
  return authorization?.startsWith(BEARER) ? authorization.slice(BEARER.length) : ''
}

function wrapTtlOf(http: HttpRequest): number {
  const text = header(http, 'x-vault-wrap-ttl')
  if (text === undefined || text === '') return 0
  const seconds = parseWrapTtl(text)
  if (seconds < 0) {
    throw new BadRequest(
      'error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative',
    )
  }
  // Clients read whole seconds, and 0 would mean that nothing is wrapped.
  return Math.ceil(seconds)
}

function parseWrapTtl(text: string): number {
  try {
    return parseDurationSeconds(text)
  } catch (error) {
    if (!(error instanceof InvalidDuration)) throw error
    throw new BadRequest(`error parsing X-Vault-Wrap-TTL header: ${error.message}`)
  }
}
