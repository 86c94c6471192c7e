/**
 * Lets a node:http or node:https server take the methods LIST, SCAN and HELP, which Node's parser refuses.
 *
 * How      The parser stops at the first character that fits no method and gives the rest of the packet to
 *          `clientError`. There the old parser is taken off the socket, and the socket is handed to the server anew
 *          with the method written as GET; the request that comes of it is given its real method. All other requests
 *          stay on Node's own path and pay nothing.
 * Keeps    Pipelining and its order, packets split anywhere, keep-alive, TLS, Node's timeouts and its limits.
 * Costs    some 100 microseconds for one of these: an Error and a fresh parser.
 * Depends  on one undocumented property, `socket._httpMessage`: the answer that is being written. The tests show when a
 *          release of Node changes it.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import tls from 'node:tls'
import { refuse, type ParseError } from './refuse.ts'

/** How many characters of each the parser takes (as those of LINK, SEARCH and HEAD) before it refuses. */
const VERBS: ReadonlyMap<string, number> = new Map([
  ['LIST', 2],
  ['SCAN', 1],
  ['HELP', 2],
])
/** The events whose node:http listeners go at once, and those whose listeners stay until earlier answers are out. */
const READING = ['data', 'end', 'pause', 'resume']
const WRITING = ['close', 'drain', 'error', 'timeout']

// Node types listeners as `Function`; it is what `rawListeners` returns and `off` takes.
type Listener = (...args: unknown[]) => void
type Listeners = ReadonlyMap<string, readonly Listener[]>

/** What is kept on a socket: the listeners that node:http put there, and the method of its next request. */
interface Kept {
  listeners: Listeners
  verb: string | undefined
}
const KEPT = Symbol('list-verb')
interface VerbSocket extends Socket {
  [KEPT]?: Kept
  _httpMessage?: (NodeJS.EventEmitter & { readonly _headerSent?: boolean }) | null
}

/** The server then gives LIST, SCAN and HELP to its `request` listeners as it does any other method. */
export function acceptListVerb(server: HttpServer | HttpsServer): void {
  const event = server instanceof tls.Server ? 'secureConnection' : 'connection'
  server.prependListener(event, (socket: VerbSocket) => {
    socket[KEPT] = { listeners: listenersOf(socket), verb: socket[KEPT]?.verb }
  })
  server.on(event, (socket: VerbSocket) => {
    const kept = socket[KEPT]
    if (kept !== undefined) kept.listeners = added(kept.listeners, listenersOf(socket))
  })
  server.prependListener('request', nameVerb)
  server.prependListener('checkContinue', nameVerb)
  server.on('clientError', (error: ParseError, socket: VerbSocket) => {
    if (!takeOver(error, socket, (verb) => handOver(server, event, socket, verb)))
      refuse(error, socket)
  })
}

/** hot: every request. */
function nameVerb(request: IncomingMessage): void {
  const socket: VerbSocket = request.socket
  const kept = socket[KEPT]
  if (kept?.verb === undefined) return
  request.method = kept.verb
  kept.verb = undefined
}

function listenersOf(socket: Socket): Listeners {
  const of = (event: string) => socket.rawListeners(event).filter(isListener)
  return new Map([...READING, ...WRITING].map((event) => [event, of(event)]))
}

function isListener(value: unknown): value is Listener {
  return typeof value === 'function'
}

/** TLS and net have listeners of their own on a socket: what came during `connection` is node:http's. */
function added(before: Listeners, after: Listeners): Listeners {
  return new Map(
    [...after].map(([event, all]) => [
      event,
      all.filter((one) => before.get(event)?.includes(one) !== true),
    ]),
  )
}

function removeListeners(socket: VerbSocket, events: readonly string[]): void {
  for (const event of events) {
    for (const listener of socket[KEPT]?.listeners.get(event) ?? []) socket.off(event, listener)
  }
}

/** Whether it was one of these, or can still become one; if so, the socket no longer belongs to the old parser. */
function takeOver(error: ParseError, socket: VerbSocket, done: (verb: string) => void): boolean {
  const { code, rawPacket, bytesParsed = 0 } = error
  if (code !== 'HPE_INVALID_METHOD' || rawPacket === undefined || socket[KEPT] === undefined)
    return false
  for (const [verb, taken] of VERBS) {
    // What the parser took may lie in earlier packets, which it does not show.
    const want = `${verb} `.slice(Math.max(0, taken - bytesParsed))
    const rest = rawPacket.subarray(Math.max(0, bytesParsed - taken))
    if (!isStartOf(want, rest)) continue
    letGo(socket)
    awaitRest(error, socket, { want, rest, done: () => done(verb) })
    return true
  }
  return false
}

/** Parser off, so that it eats no packet; what writes earlier answers stays. */
function letGo(socket: VerbSocket): void {
  const nothing = () => undefined
  socket.on('data', nothing).off('data', nothing) // a 'data' listener makes node:http let go of the handle
  removeListeners(socket, READING)
  socket.pause()
}

interface Awaited {
  readonly want: string
  readonly rest: Buffer
  readonly done: () => void
}

/** Waits until the method is there in full, then puts the bytes back with GET in its place. */
function awaitRest(error: ParseError, socket: VerbSocket, { want, rest, done }: Awaited): void {
  if (!isStartOf(want, rest)) return refuse(error, socket)
  if (rest.length < want.length) {
    const ended = () => socket.destroy()
    socket.once('end', ended).once('data', (more: Buffer) => {
      socket.off('end', ended).pause()
      awaitRest(error, socket, { want, rest: Buffer.concat([rest, more]), done })
    })
    socket.resume()
    return
  }
  socket.unshift(Buffer.concat([Buffer.from('GET '), rest.subarray(want.length)]))
  process.nextTick(done)
}

function handOver(
  server: HttpServer | HttpsServer,
  event: string,
  socket: VerbSocket,
  verb: string,
): void {
  if (socket.destroyed || socket.writableEnded) return
  if (socket._httpMessage !== null && socket._httpMessage !== undefined) {
    // Pipelined: the answers before this one go out first.
    socket._httpMessage.once('close', () => handOver(server, event, socket, verb))
    return
  }
  removeListeners(socket, WRITING)
  for (const free of socket[KEPT]?.listeners.get('close') ?? []) free.call(socket) // frees the old parser
  socket.setTimeout(0) // else the keep-alive timeout of the last answer cuts a slow handler off
  socket[KEPT] = { listeners: new Map(), verb }
  server.emit(event, socket)
  socket.resume()
}

function isStartOf(want: string, bytes: Buffer): boolean {
  return want.startsWith(bytes.toString('latin1', 0, want.length))
}
