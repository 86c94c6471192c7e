/** The verbs of the API on any path: read, list, write, delete. */
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { Connection } from './connection.ts'
import { AnswerIsWrapped } from './errors.ts'
import type { Answer } from './http.ts'
import { parseObject, parseSecret } from './secret.ts'
import type { Secret } from './secret.ts'
import { apiError, send, sendAny } from './send.ts'
import type { ApiRequest } from './send.ts'

type Query = Readonly<Record<string, string | readonly string[]>>

/** @returns undefined where there is nothing at the path; a 404 that carries data is an answer */
export function readSecret(
  connection: Connection,
  path: string,
  query: Query = {},
): Promise<Secret | undefined> {
  return secretOrNothing(connection, { method: 'GET', path, query })
}

/** The body as the server sent it. */
export async function readRaw(connection: Connection, path: string, query: Query): Promise<Buffer> {
  const answer = await send(connection, { method: 'GET', path, query })
  return answer.body
}

/** @param token the wrapping token; '' where it is the connection's own */
export async function unwrapSecret(
  connection: Connection,
  token: string,
): Promise<Secret | undefined> {
  const body = token === '' ? {} : { token }
  const request: ApiRequest = { method: 'PUT', path: 'sys/wrapping/unwrap', body }
  return secretOrNothing(connection, request)
}

export interface Page {
  readonly after?: string | undefined
  readonly limit?: number | undefined
}

export function listSecrets(
  connection: Connection,
  path: string,
  page: Page = {},
): Promise<Secret | undefined> {
  return secretOrNothing(connection, {
    method: 'GET',
    path,
    query: { list: 'true', ...paging(page) },
  })
}

/** A list of the whole tree below the path. */
export function scanSecrets(
  connection: Connection,
  path: string,
  page: Page = {},
): Promise<Secret | undefined> {
  return secretOrNothing(connection, {
    method: 'GET',
    path,
    query: { scan: 'true', ...paging(page) },
  })
}

function paging({ after, limit }: Page): Query {
  const given = after !== undefined || (limit !== undefined && limit > 0)
  return given ? { after: after ?? '', limit: String(limit ?? -1) } : {}
}

/** @throws {ApiError} with the answer's `secret` where a 404 says more than that there is nothing */
export function writeSecret(
  connection: Connection,
  path: string,
  body: JsonObject,
  method: 'PUT' | 'POST' | 'PATCH' = 'PUT',
): Promise<Secret | undefined> {
  return changed(connection, { method, path, body })
}

export function deleteSecret(
  connection: Connection,
  path: string,
  query: Query = {},
): Promise<Secret | undefined> {
  return changed(connection, { method: 'DELETE', path, query })
}

/** A request whose answer is not needed. */
export async function perform(connection: Connection, request: ApiRequest): Promise<void> {
  await send(connection, request)
}

/**
 * An endpoint that answers without the envelope, such as `sys/seal-status`.
 *
 * @throws {AnswerIsWrapped}
 */
export async function askBare(connection: Connection, request: ApiRequest): Promise<JsonObject> {
  const { body } = await send(connection, request)
  const answer = parseObject(body)
  if (isJsonObject(answer['wrap_info'])) plain(parseSecret(body))
  return answer
}

/** The `data` of an endpoint that always has some. @throws {AnswerIsWrapped} */
export async function askData(connection: Connection, request: ApiRequest): Promise<JsonObject> {
  const answer = await send(connection, request)
  return plain(parseSecret(answer.body))?.data ?? {}
}

/** For commands that show something else than the whole answer. @throws {AnswerIsWrapped} */
export async function plainly(request: Promise<Secret | undefined>): Promise<Secret | undefined> {
  return plain(await request)
}

function plain(secret: Secret | undefined): Secret | undefined {
  if (secret?.wrapInfo !== undefined) throw new AnswerIsWrapped(secret)
  return secret
}

/** @throws {ApiError} 404 as well */
export async function askSecret(
  connection: Connection,
  request: ApiRequest,
): Promise<Secret | undefined> {
  const answer = await send(connection, request)
  return parseSecret(answer.body)
}

async function secretOrNothing(
  connection: Connection,
  request: ApiRequest,
): Promise<Secret | undefined> {
  const answer = await sendAny(connection, request)
  if (answer.status === 404) return parsedNotFound(answer)
  if (answer.status >= 400) throw apiError(connection, request, answer)
  return parseSecret(answer.body)
}

async function changed(connection: Connection, request: ApiRequest): Promise<Secret | undefined> {
  const answer = await sendAny(connection, request)
  if (answer.status < 400) return parseSecret(answer.body)
  throw apiError(
    connection,
    request,
    answer,
    answer.status === 404 ? parsedNotFound(answer) : undefined,
  )
}

function parsedNotFound({ body }: Answer): Secret | undefined {
  if (body.length === 0 || body[0] !== OPEN_BRACE) return undefined
  const secret = parseSecret(body)
  return secret !== undefined && (secret.warnings.length > 0 || hasData(secret))
    ? secret
    : undefined
}

const OPEN_BRACE = '{'.charCodeAt(0)

function hasData({ data }: Secret): boolean {
  return data !== undefined && Object.keys(data).length > 0
}
