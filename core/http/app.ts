/**
 * The Hono application: what a browser or a crawler asks for, and the API for whoever calls `fetch` on it (tests,
 * embedding). The pipeline knows nothing of it. A listener hands `/v1/*` to the pipeline before Hono sees it, unless it
 * is told to go through here; both ways give the same answers.
 */
import { getRequestListener, RequestError as UnusableRequest } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isUint8Array } from 'node:util/types'
import { assert, BadRequest, BodyTooLarge, RequestError } from '../errors.ts'
import { asRequestError, isOurs, renderError } from '../request/failure.ts'
import type { Client } from '../plugin/request.ts'
import { isStreamed, type Streamed } from '../plugin/response.ts'
import type { App, HttpRequest, HttpResponse } from './message.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { parseTarget } from './target.ts'

interface Environment {
  Bindings: {
    /** The request as the listener received it; absent where `fetch` was called. */
    readonly received?: HttpRequest
  }
}
export type HttpApp = Hono<Environment>
export type NodeHandler = (
  received: HttpRequest,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
) => Promise<void>

/** Of a request that came by `fetch`: there is no connection. */
const NO_CLIENT: Client = { address: '', port: 0 }
/** As listeners' default; who calls `fetch` has the body in memory already. */
const MAX_FETCH_BODY_BYTES = 33_554_432
/** Statuses whose answers have no body, by the rules of `Response`. */
const BODILESS = new Set([101, 204, 205, 304])

const PAGE_NOT_FOUND: HttpResponse = {
  status: 404,
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  body: '404 page not found\n',
}
const NOTHING_HERE = renderError(new RequestError(404, []))

export interface HttpAppParts {
  readonly app: App
  readonly headers: ResponseHeaders
  /** Told of errors that no client made. */
  readonly report: (error: unknown) => void
}

export function createHttpApp({ app, headers, report }: HttpAppParts): HttpApp {
  const respond = (response: HttpResponse) => toResponse(response, headers)
  return new Hono<Environment>({ getPath: canonicalPathOf })
    .all('/v1', () => respond(NOTHING_HERE)) // which '/v1/*' would match too
    .all('/v1/*', async (c) => respond(await app(c.env?.received ?? (await fromFetch(c.req.raw)))))
    .all('/', () => respond(PAGE_NOT_FOUND))
    .all('/robots.txt', () => respond(PAGE_NOT_FOUND))
    .notFound(() => respond(NOTHING_HERE))
    .onError((error) => {
      if (isOurs(error)) report(error)
      return respond(renderError(asRequestError(error)))
    })
}

/** Runs the application on node:http's objects. */
export function nodeHandler(
  app: HttpApp,
  { headers, report }: Omit<HttpAppParts, 'app'>,
): NodeHandler {
  const receivedAs = new WeakMap<object, HttpRequest>()
  const handle = getRequestListener(
    async (request, { incoming, outgoing }) => {
      const received = receivedAs.get(incoming)
      const response = await app.fetch(request, received === undefined ? {} : { received })
      // The listener may have answered, because the time was over.
      return outgoing.headersSent ? RESPONSE_ALREADY_SENT : response
    },
    {
      overrideGlobalObjects: false,
      errorHandler: (error) => toResponse(renderError(notForHono(error, report)), headers),
    },
  )
  return (received, incoming, outgoing) => {
    receivedAs.set(incoming, received)
    return handle(incoming, outgoing)
  }
}

/** The adapter refuses what makes no URL, such as a broken `Host`. */
function notForHono(error: unknown, report: (error: unknown) => void): RequestError {
  if (error instanceof UnusableRequest) return new BadRequest('the Host header is not valid')
  report(error)
  return asRequestError(error)
}

/** Routes by the path that the pipeline will read, not by the one that was sent. */
function canonicalPathOf(request: Request, options?: { env?: Environment['Bindings'] }): string {
  return options?.env?.received?.path ?? new URL(request.url).pathname
}

/** @throws {RequestError} */
async function fromFetch(request: Request): Promise<HttpRequest> {
  const { path, query } = parseTarget(request.url)
  const headers = Object.fromEntries(request.headers)
  const body = await bodyOf(request)
  return {
    method: request.method,
    path,
    query,
    headers,
    body,
    client: NO_CLIENT,
    signal: request.signal,
  }
}

async function bodyOf(request: Request): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    assert(isUint8Array(chunk), 'the body of a Request comes as bytes')
    bytes += chunk.length
    if (bytes > MAX_FETCH_BODY_BYTES) throw new BodyTooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function toResponse(response: HttpResponse, headers: ResponseHeaders): Response {
  const flat = headers.flat(response)
  const pairs: [string, string][] = []
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] ?? '', flat[i + 1] ?? ''])
  const body = BODILESS.has(response.status) ? null : webBody(response.body)
  return new Response(body, { status: response.status, headers: pairs })
}

/** A Buffer may lie on shared memory, which `Response` does not take. */
function webBody(body: HttpResponse['body']) {
  if (typeof body === 'string') return body
  return isStreamed(body) ? webStream(body) : new Uint8Array(body)
}

function webStream(source: Streamed): ReadableStream<Uint8Array> {
  const parts = source[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const part = await parts.next()
      if (part.done === true) controller.close()
      else controller.enqueue(encoder.encode(part.value))
    },
    async cancel() {
      await parts.return?.()
    },
  })
}
