/**
 * One request of a listener from its first byte to its answer: what the pipeline reads as `HttpRequest`, and its time.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { RequestError } from '../errors.ts'
import type { Client } from '../plugin/request.ts'
import { BodyStream, ClientGone, type BodyBudget } from './body-stream.ts'
import type { HttpRequest } from './message.ts'
import { parseTarget, type Query } from './target.ts'

/** 503: the request took longer than the listener's `max_request_duration`. */
export class RequestTimedOut extends RequestError {
  override readonly name = 'RequestTimedOut'
  constructor() {
    super(
      503,
      'the request took longer than the server allows (max_request_duration); look whether it took effect before trying again',
    )
  }
}

/** 431: more header lines than the listener takes. */
export class TooManyHeaders extends RequestError {
  override readonly name = 'TooManyHeaders'
  constructor() {
    super(431, `too many request headers; at most ${MAX_HEADERS} are taken`)
  }
}

/** 400: a proxy before us may have judged another of them than the one that we would take (RFC 9112, 3.2). */
export class SeveralHosts extends RequestError {
  override readonly name = 'SeveralHosts'
  constructor() {
    super(400, 'the request has several Host headers; it must have one')
  }
}

/** Browsers behind several proxies send some 50. */
export const MAX_HEADERS = 200
const NO_BODY = Buffer.alloc(0)

export class Exchange implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: Query
  readonly client: Client
  /** When its time is over, on the monotonic clock. */
  readonly deadlineMs: number
  body: Buffer = NO_BODY
  receive: (() => Promise<void>) | undefined = undefined
  readonly outgoing: ServerResponse
  /** Among the requests of its listener, while it is one of them. */
  slot: number | undefined = undefined
  readonly #incoming: IncomingMessage
  #stream: BodyStream | undefined
  #received: Promise<void> | undefined
  #controller: AbortController | undefined
  #aborted: Error | undefined

  /** @throws {RequestError} the request is refused for its first lines already */
  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    client: Client,
    deadlineMs: number,
  ) {
    if (incoming.rawHeaders.length > 2 * MAX_HEADERS) throw new TooManyHeaders()
    if (hasSeveralHosts(incoming.rawHeaders)) throw new SeveralHosts()
    const { path, query } = parseTarget(incoming.url ?? '')
    this.method = incoming.method ?? 'GET'
    this.path = path
    this.query = query
    this.client = client
    this.deadlineMs = deadlineMs
    this.#incoming = incoming
    this.outgoing = outgoing
  }

  get headers(): HttpRequest['headers'] {
    return this.#incoming.headers
  }

  /** Made on first use: most requests are answered before anybody asks. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted)
      else if (this.outgoing.destroyed) this.abort(new ClientGone())
      else this.outgoing.once('close', () => this.#closed())
    }
    return this.#controller.signal
  }

  /** Only the first reason counts. */
  abort(reason: Error): void {
    if (this.#aborted !== undefined) return
    this.#aborted = reason
    this.#stream?.cancel(reason)
    this.#controller?.abort(reason)
  }

  get hasBody(): boolean {
    const { headers } = this.#incoming
    const length = headers['content-length']
    return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
  }

  /** Before `receive`, which fails as `BodyStream` does, and when the time is over. */
  expectBody(maxBytes: number, budget: BodyBudget): void {
    this.receive = () => (this.#received ??= this.#receive(maxBytes, budget))
  }

  async #receive(maxBytes: number, budget: BodyBudget): Promise<void> {
    if (this.#aborted !== undefined) throw this.#aborted
    this.#stream = new BodyStream(this.#incoming, maxBytes, budget)
    this.body = await this.#stream.collect()
  }

  /** Nobody reads the body any more. */
  end(): void {
    this.#stream?.release()
  }

  #closed(): void {
    if (!this.outgoing.writableFinished) this.abort(new ClientGone())
  }
}

/** hot: node:http itself keeps the first and drops the others. @param rawHeaders name, value, name, value … */
function hasSeveralHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}
