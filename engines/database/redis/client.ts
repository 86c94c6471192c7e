/** A connection to Redis or Valkey: one command after another, each with its answer. */
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { encodeCommand, RedisError, ReplyReader, type Reply } from './resp.ts'

export interface RedisAddress {
  readonly host: string
  readonly port: number
  /** Absent: no TLS. */
  readonly tls?: ConnectionOptions
}

const CONNECT_MS = 10_000

interface Waiting {
  readonly resolve: (reply: Exclude<Reply, RedisError>) => void
  readonly reject: (error: Error) => void
}

export class RedisClient {
  readonly #socket: Socket
  readonly #reader = new ReplyReader()
  readonly #waiting: Waiting[] = []
  #broken: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the connection has ended')))
  }

  get broken(): Error | undefined {
    return this.#broken
  }

  static async connect(
    { host, port, tls }: RedisAddress,
    signal: AbortSignal,
  ): Promise<RedisClient> {
    const socket =
      tls === undefined ? connectPlain({ host, port }) : connectTls({ host, port, ...tls })
    const client = new RedisClient(socket)
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('it does not answer')))
    const cut = () => socket.destroy(new Error('it was given up'))
    signal.addEventListener('abort', cut)
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(tls === undefined ? 'connect' : 'secureConnect', () => resolve())
        socket.once('close', () => reject(client.broken ?? new Error('the connection has ended')))
      })
      socket.setTimeout(0)
      return client
    } finally {
      signal.removeEventListener('abort', cut)
    }
  }

  /** @throws {RedisError} it refuses; any other: the connection broke */
  send(...words: readonly string[]): Promise<Exclude<Reply, RedisError>> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    const { promise, resolve, reject } = Promise.withResolvers<Exclude<Reply, RedisError>>()
    this.#waiting.push({ resolve, reject })
    this.#socket.write(encodeCommand(words))
    return promise
  }

  close(): void {
    this.#fail(new Error('the connection was closed'))
  }

  #read(chunk: Buffer): void {
    try {
      for (const reply of this.#reader.push(chunk)) {
        const waiting = this.#waiting.shift()
        if (reply instanceof RedisError) waiting?.reject(reply)
        else waiting?.resolve(reply)
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error('the answer cannot be read'))
    }
  }

  #fail(error: Error): void {
    this.#broken ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken)
    this.#socket.destroy()
  }
}
