/**
 * A request and its answer as plain objects: what lies between the listeners and the pipeline, which knows nothing of
 * node:http or Hono.
 */
import type { OpenedBy } from '../plugin/path.ts'
import type { Client } from '../plugin/request.ts'
import type { Streamed } from '../plugin/response.ts'

export interface HttpRequest {
  /** As sent, `LIST` and `SCAN` among them. */
  readonly method: string
  /** Percent-decoded and canonical (see `target.ts`): begins with '/', holds no `//`, `.` or `..` segment, no NUL. */
  readonly path: string
  /** Decoded; a name may have several values. */
  readonly query: ReadonlyMap<string, readonly string[]>
  /** Names in lower case; a repeated header's values as node:http joins them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Whole, or empty until `receive`; empty when there is none. At most the listener's `max_request_size`. */
  readonly body: Buffer
  /**
   * Where there is a body that has not come yet: fills `body`. May be called again.
   *
   * @throws {RequestError} it is too large, or the request's time is over
   */
  readonly receive?: (() => Promise<void>) | undefined
  readonly client: Client
  /** The settings by which the listener lets some operations be done without a token; absent: none. */
  readonly opened?: readonly OpenedBy[]
  /** Aborts when the client is gone or the request's time is over. */
  readonly signal?: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | Streamed
}

/** The answer with the request's `X-Vault-Namespace`, which it repeats. */
export function withNamespace(response: HttpResponse, namespace: string): HttpResponse {
  return withHeaders(response, { 'X-Vault-Namespace': namespace })
}

export function withHeaders(
  response: HttpResponse,
  headers: HttpResponse['headers'],
): HttpResponse {
  return { ...response, headers: { ...response.headers, ...headers } }
}

/** Answers a request; never throws for what a client did. */
export interface App {
  (request: HttpRequest): Promise<HttpResponse>
  /** It waits for the body itself, if it wants it; else it gets the body whole. */
  readonly asksForBody?: boolean
}
