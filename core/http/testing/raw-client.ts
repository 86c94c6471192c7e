/**
 * A client that writes bytes and reads answers, for what no HTTP library would send.
 */
import { once } from 'node:events'
import net, { type Socket } from 'node:net'
import tls from 'node:tls'

/** One answer off the wire; `undefined` where the server closed without one. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export class RawClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #closed = false
  #wake: () => void = () => undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes])
      this.#wake()
    })
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
    socket.on('error', () => undefined)
  }

  static async open(
    to: { port: number; host?: string } | { path: string },
    secure?: tls.ConnectionOptions,
  ): Promise<RawClient> {
    const options = { host: '127.0.0.1', ...to }
    const socket =
      secure === undefined
        ? net.connect(options)
        : tls.connect({ rejectUnauthorized: false, ...options, ...secure })
    const client = new RawClient(socket)
    await once(socket, secure === undefined ? 'connect' : 'secureConnect')
    return client
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes)
  }

  async ask(bytes: string | Buffer): Promise<RawAnswer | undefined> {
    this.write(bytes)
    return this.next()
  }

  /** @param isHead the answer is to a HEAD: it tells the length of a body that does not come */
  async next({ isHead = false } = {}): Promise<RawAnswer | undefined> {
    for (;;) {
      const answer = this.#take(isHead)
      if (answer !== undefined || this.#closed) return answer
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async closed(): Promise<void> {
    while (!this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  #take(isHead: boolean): RawAnswer | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [first = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n')
    const headers = new Map(
      lines.map((line): [string, string] => {
        const at = line.indexOf(':')
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
      }),
    )
    const start = end + 4
    const length = isHead ? 0 : Number(headers.get('content-length') ?? 0)
    if (this.#received.length < start + length) return undefined
    const body = this.#received.toString('utf8', start, start + length)
    this.#received = this.#received.subarray(start + length)
    return { status: Number(first.split(' ')[1]), headers, body }
  }
}

/** The bytes of one request. */
export function raw(
  method: string,
  target: string,
  body = '',
  ...headers: readonly string[]
): string {
  const length =
    body !== '' || method === 'POST' ? [`Content-Length: ${Buffer.byteLength(body)}`] : []
  return `${[`${method} ${target} HTTP/1.1`, 'Host: x', ...length, ...headers].join('\r\n')}\r\n\r\n${body}`
}

/** Lets packets that were written arrive one by one: some turns of the event loop, in which both ends take part. */
export async function turns(count = 4): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
