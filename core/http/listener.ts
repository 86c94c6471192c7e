/**
 * A listener: node:http or node:https on one address, as thin as it can be over them, and every limit that protects the
 * server from those who connect.
 *
 * Way      `/v1/*` goes straight to the application, everything else (and with `viaHono` all) through Hono.
 * Limits   connections, time and size of headers, time and size of the body (also of all bodies together), time of the
 *          whole request, slow readers, idle connections.
 * Survives whatever one connection does: its errors end that connection only.
 * Stops    gently: no new connections, running requests are answered, at the latest when the given time is over.
 * Fails    ListenerRefused (open, reload). A failed reload keeps the certificate that it has.
 */
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Clock } from '../clock.ts'
import { isStreamed } from '../plugin/response.ts'
import { asRequestError, isOurs, renderError } from '../request/failure.ts'
import { createHttpApp, nodeHandler, type NodeHandler } from './app.ts'
import { bind, showAddress, type ListenAddress } from './bind.ts'
import { ClientGone, type BodyBudget } from './body-stream.ts'
import { forwardedClient, peerOf, type ForwardedFor } from './client-address.ts'
import { Exchange, MAX_HEADERS, RequestTimedOut } from './exchange.ts'
import { acceptListVerb } from './list-verb.ts'
import type { App, HttpResponse } from './message.ts'
import { ResponseHeaders, type CustomHeaders } from './response-headers.ts'
import { Slots } from '../slots.ts'
import { sendStream } from './stream-body.ts'
import { readTlsOptions, type TlsConfig } from './tls-files.ts'

export interface ListenerConfig {
  readonly address: ListenAddress
  /** `undefined`: no TLS. */
  readonly tls: TlsConfig | undefined
  readonly forwardedFor: ForwardedFor | undefined
  readonly responseHeaders: CustomHeaders
  readonly limits: ListenerLimits
  /** All requests go through Hono: for the tests, which go both ways. */
  readonly viaHono: boolean
}

export interface ListenerLimits {
  /** Of one body. */
  readonly maxRequestBytes: number
  /** From the last header to the answer. */
  readonly maxRequestSeconds: number
  /** Beyond these, a connection is closed at once. */
  readonly maxConnections: number
  readonly readHeaderSeconds: number
  /** Headers and body. */
  readonly readSeconds: number
  /** Between two requests of a connection. */
  readonly idleSeconds: number
}

/** Where Vault has the setting, its default. */
export const DEFAULT_LIMITS: ListenerLimits = {
  maxRequestBytes: 33_554_432,
  maxRequestSeconds: 90,
  maxConnections: 10_000,
  readHeaderSeconds: 10,
  readSeconds: 30,
  idleSeconds: 300,
}

/** Of all headers of a request together: tokens and certificates in headers are long. */
const MAX_HEADER_BYTES = 64 * 1024
/** Bodies of all requests of a listener together: 16 of the largest, or thousands of usual ones. */
const MAX_BUFFERED_BYTES = 512 << 20
const API_PREFIX = '/v1/'
const HANDSHAKE_TIMEOUT_MS = 10_000
/** How often slow and overdue requests are looked for. */
const CHECK_INTERVAL_MS = 1_000
/** A request whose time is over is aborted; one that goes on all the same is answered for this much later. */
const ABORTED_GRACE_MS = 2_000
/** Without progress on a connection, beyond the time of a request: whoever reads this slowly is cut off. */
const STALLED_MS = 30_000

export interface ListenerParts {
  readonly app: App
  readonly clock: Clock
  /** Told of what no client did: a bug, or the operating system refuses connections. */
  readonly report: (error: unknown) => void
}

export interface Listener {
  /** `http://127.0.0.1:8200`, `https://[::1]:8200`, `unix:///run/keyhold.sock`; the real port where 0 was asked for. */
  readonly url: string
  /** Reads the TLS files again. @throws {ListenerRefused} the old certificate stays in use */
  reload(): Promise<void>
  /** Answers what runs, at most for this long, then closes. */
  stop(drainMs: number): Promise<void>
}

/** @throws {ListenerRefused} */
export async function openListener(
  config: ListenerConfig,
  parts: ListenerParts,
): Promise<Listener> {
  const tlsOptions = config.tls === undefined ? undefined : await readTlsOptions(config.tls)
  const options = nodeOptions(config.limits)
  const server =
    tlsOptions === undefined
      ? http.createServer(options)
      : https.createServer({ ...options, ...tlsOptions, handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
  const listener = new NodeListener(config, parts, server)
  await bind(server, config.address)
  listener.start()
  return listener
}

function nodeOptions(limits: ListenerLimits): http.ServerOptions {
  const readMs = limits.readSeconds * 1_000
  return {
    noDelay: true,
    keepAliveTimeout: limits.idleSeconds * 1_000,
    headersTimeout: Math.min(limits.readHeaderSeconds * 1_000, readMs),
    requestTimeout: readMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  }
}

class NodeListener implements Listener {
  readonly #config: ListenerConfig
  readonly #parts: ListenerParts
  readonly #server: http.Server | https.Server
  readonly #headers: ResponseHeaders
  readonly #viaHono: NodeHandler
  readonly #budget: BodyBudget = { usedBytes: 0, maxBytes: MAX_BUFFERED_BYTES }
  readonly #requestMs: number
  readonly #running = new Slots<Exchange>()
  readonly #sockets = new Set<Socket>()
  #cancelCheck: () => void = () => undefined
  #draining = false

  constructor(config: ListenerConfig, parts: ListenerParts, server: http.Server | https.Server) {
    this.#config = config
    this.#parts = parts
    this.#server = server
    this.#headers = new ResponseHeaders(config.responseHeaders)
    const common = { headers: this.#headers, report: parts.report }
    this.#viaHono = nodeHandler(createHttpApp({ app: parts.app, ...common }), common)
    this.#requestMs = config.limits.maxRequestSeconds * 1_000
    server.maxConnections = config.limits.maxConnections
    server.maxHeadersCount = MAX_HEADERS + 1 // one more, so that too many are seen, not dropped
    server.timeout = this.#requestMs + STALLED_MS
    acceptListVerb(server)
    server.on('connection', (socket: Socket) => this.#track(socket))
    server.on('secureConnection', (socket: Socket) => this.#track(socket))
    server.on('request', (incoming, outgoing) => void this.#serve(incoming, outgoing))
    server.on('checkContinue', (incoming, outgoing) => this.#continue(incoming, outgoing))
  }

  /** Once it is bound: an error is of one connection from now on, and the listener goes on. */
  start(): void {
    this.#server.on('error', this.#parts.report)
    this.#check()
  }

  get url(): string {
    const { address, tls } = this.#config
    if (address.kind === 'unix') return `unix://${address.path}`
    const bound = this.#server.address()
    const { address: anyHost, port } =
      typeof bound === 'object' && bound !== null ? bound : { ...address, address: '' }
    const host = address.host === '' ? anyHost : address.host
    return `${tls === undefined ? 'http' : 'https'}://${showAddress({ kind: 'tcp', host, port })}`
  }

  async reload(): Promise<void> {
    if (this.#config.tls === undefined || !(this.#server instanceof https.Server)) return
    this.#server.setSecureContext(await readTlsOptions(this.#config.tls))
  }

  async stop(drainMs: number): Promise<void> {
    this.#draining = true
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#closeIdle()
    const cancel = this.#parts.clock.after(drainMs, () => this.#cutOff())
    await closed
    cancel()
    this.#cancelCheck()
  }

  /** hot: every request. */
  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let exchange: Exchange | undefined
    try {
      exchange = this.#begin(incoming, outgoing)
      const isApi = exchange.path.startsWith(API_PREFIX)
      if (isApi && exchange.hasBody) {
        exchange.expectBody(this.#config.limits.maxRequestBytes, this.#budget)
        if (this.#parts.app.asksForBody !== true) await exchange.receive?.()
      }
      if (!isApi || this.#config.viaHono) {
        await this.#viaHono(exchange, incoming, outgoing)
      } else {
        const streaming = this.#send(outgoing, await this.#parts.app(exchange))
        if (streaming !== undefined) {
          this.#forget(exchange) // it may never end: no deadline cuts it off, and no stop waits for it
          await streaming
        }
      }
    } catch (error) {
      this.#fail(outgoing, error)
    } finally {
      if (exchange !== undefined) this.#end(exchange)
    }
  }

  #begin(incoming: IncomingMessage, outgoing: ServerResponse): Exchange {
    const peer = peerOf(incoming.socket)
    const { forwardedFor } = this.#config
    const client =
      forwardedFor === undefined
        ? peer
        : forwardedClient(peer, headerText(incoming.headers['x-forwarded-for']), forwardedFor)
    const deadlineMs = this.#parts.clock.monotonicMs() + this.#requestMs
    const exchange = new Exchange(incoming, outgoing, client, deadlineMs)
    if (this.#draining) outgoing.setHeader('Connection', 'close')
    exchange.slot = this.#running.add(exchange)
    return exchange
  }

  #end(exchange: Exchange): void {
    this.#forget(exchange)
    exchange.end()
  }

  #forget(exchange: Exchange): void {
    if (exchange.slot === undefined) return
    this.#running.remove(exchange.slot)
    exchange.slot = undefined
  }

  /** @returns of a streamed body: when it is over */
  #send(outgoing: ServerResponse, response: HttpResponse): Promise<void> | undefined {
    if (outgoing.headersSent || outgoing.destroyed) return undefined
    const { body } = response
    outgoing.writeHead(response.status, this.#headers.flat(response))
    if (isStreamed(body)) return sendStream(outgoing, body, this.#parts.clock)
    outgoing.end(body)
    return undefined
  }

  #fail(outgoing: ServerResponse, error: unknown): void {
    if (error instanceof ClientGone) return
    if (isOurs(error)) this.#parts.report(error)
    try {
      void this.#send(outgoing, renderError(asRequestError(error)))
    } catch (unsendable) {
      this.#parts.report(unsendable)
      outgoing.destroy()
    }
  }

  /** `Expect: 100-continue`: a body that is too large by its declared length is refused before it is sent. */
  #continue(incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (Number(incoming.headers['content-length'] ?? 0) <= this.#config.limits.maxRequestBytes) {
      outgoing.writeContinue()
    }
    void this.#serve(incoming, outgoing)
  }

  #track(socket: Socket): void {
    if (this.#sockets.has(socket)) return // LIST and SCAN connect a second time
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Aborts the requests whose time is over, and answers for those that do not heed it. */
  #check(): void {
    const nowMs = this.#parts.clock.monotonicMs()
    for (const exchange of this.#running) {
      if (exchange.deadlineMs > nowMs) continue
      exchange.abort(new RequestTimedOut())
      if (exchange.deadlineMs + ABORTED_GRACE_MS <= nowMs) {
        this.#forget(exchange)
        this.#fail(exchange.outgoing, new RequestTimedOut())
      }
    }
    this.#cancelCheck = this.#parts.clock.after(CHECK_INTERVAL_MS, () => this.#check())
  }

  /**
   * Closes the connections without a request now, the others after their answer. (Node closes only those that have had
   * a request.) A connection in its TLS handshake is left to the handshake's timeout: which it becomes is not known.
   */
  #closeIdle(): void {
    const busy = new Set<Socket | null>()
    for (const { outgoing } of this.#running) {
      if (!outgoing.headersSent) outgoing.setHeader('Connection', 'close')
      busy.add(outgoing.socket)
    }
    for (const socket of this.#sockets) {
      const isRaw = this.#config.tls !== undefined && !(socket instanceof TLSSocket)
      if (!isRaw && !busy.has(socket)) socket.destroySoon()
    }
  }

  #cutOff(): void {
    for (const exchange of this.#running) exchange.abort(new ClientGone())
    for (const socket of this.#sockets) socket.destroy()
  }
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(',') : value
}
