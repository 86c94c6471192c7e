/**
 * The few endpoints that work while the node is sealed: they need no token, are no part of the pipeline, and answer
 * bare JSON (contract: http.md, 4.2 and 14). Their bodies are typed strictly: `"1"` is no number here.
 */
import { z } from 'zod'
import { BadRequest, RequestError } from '../errors.ts'
import { parseBody, type BodyLimits } from '../http/body.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { Node } from '../node.ts'

export interface DirectEndpoint {
  /** Below `/v1/`. */
  readonly path: string
  /** It answers the same in every namespace; else it is the root one's alone. */
  readonly inNamespaces?: boolean
  /** By HTTP method; any other is 405. */
  readonly methods: Readonly<Record<string, DirectHandler>>
}
export type DirectHandler = (node: Node, http: HttpRequest) => Promise<HttpResponse>

const HEADERS = { 'Content-Type': 'application/json' }

/** Members in the order in which they were made, which is the wire's. */
export function bare(body: Readonly<Record<string, unknown>>, status = 200): HttpResponse {
  return { status, headers: HEADERS, body: `${JSON.stringify(body)}\n` }
}

export const NO_CONTENT: HttpResponse = { status: 204, headers: HEADERS, body: '' }

/** @throws {RequestError} 405 */
export function handlerFor(endpoint: DirectEndpoint, method: string): DirectHandler {
  const handler = endpoint.methods[method]
  if (handler === undefined) throw new RequestError(405, [])
  return handler
}

/**
 * The body, as `schema` has it. @param goName what the reference calls the type; clients know its messages
 * @throws {BadRequest}
 */
export function readStrict<T extends z.ZodObject>(
  http: HttpRequest,
  limits: BodyLimits,
  schema: T,
  goName: string,
): z.infer<T> {
  const body = parseBody(http, limits)
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.path.join('.') ?? ''
  const expected = issue?.code === 'invalid_type' ? issue.expected : 'another type'
  throw new BadRequest(
    `failed to decode JSON input: json: cannot unmarshal ${sentType(body[field])} into Go struct field ${goName}.${field} of type ${expected === 'number' ? 'int' : expected}`,
  )
}

/** What the reference calls the type of what was sent. */
function sentType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
