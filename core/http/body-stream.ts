/**
 * Collects the body of a request within limits: refused as soon as it is known to be too large, by its declared length
 * or while it arrives, and never held beyond that.
 */
import type { IncomingMessage } from 'node:http'
import { BodyTooLarge, RequestError } from '../errors.ts'

/** The client closed the connection; nobody reads the answer (499 is what proxies log then). */
export class ClientGone extends RequestError {
  override readonly name = 'ClientGone'
  constructor() {
    super(499, 'the client closed the connection before its request was answered')
  }
}

/** 503: the bodies of all requests together pass what the listener holds in memory. */
export class BodiesTooLarge extends RequestError {
  override readonly name = 'BodiesTooLarge'
  constructor() {
    super(503, 'the server is receiving too many large requests; please try again', {
      headers: { 'Retry-After': '1' },
    })
  }
}

/** What the bodies of a listener's requests hold in memory at present. */
export interface BodyBudget {
  usedBytes: number
  readonly maxBytes: number
}

export class BodyStream {
  readonly #incoming: IncomingMessage
  readonly #maxBytes: number
  readonly #budget: BodyBudget
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #cancel: ((reason: Error) => void) | undefined

  constructor(incoming: IncomingMessage, maxBytes: number, budget: BodyBudget) {
    this.#incoming = incoming
    this.#maxBytes = maxBytes
    this.#budget = budget
  }

  /**
   * The whole body. Its bytes count in the budget until `release`.
   *
   * @throws {BodyTooLarge}
   * @throws {BodiesTooLarge}
   * @throws {ClientGone}
   */
  async collect(): Promise<Buffer> {
    const incoming = this.#incoming
    const data = (chunk: Buffer) => this.#take(chunk)
    // Stays, for an error that nobody hears ends the process.
    incoming.on('error', () => this.#cancel?.(new ClientGone()))
    try {
      await new Promise<void>((resolve, reject) => {
        this.#cancel = reject
        if (Number(incoming.headers['content-length'] ?? 0) > this.#maxBytes)
          reject(new BodyTooLarge())
        incoming.on('data', data).once('end', resolve)
      })
      const [only] = this.#chunks
      return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks)
    } catch (error) {
      // What may still come is read and thrown away, so that the client gets to read the answer; Node's request timeout
      // ends it.
      incoming.off('data', data).resume()
      throw error
    } finally {
      this.#cancel = undefined
      this.#chunks.length = 0
    }
  }

  /** Ends `collect` with this error; nothing where it has ended. */
  cancel(reason: Error): void {
    this.#cancel?.(reason)
  }

  /** The bytes are no longer held. May be called again. */
  release(): void {
    this.#budget.usedBytes -= this.#bytes
    this.#bytes = 0
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#budget.usedBytes += chunk.length
    this.#chunks.push(chunk)
    if (this.#bytes > this.#maxBytes) this.#cancel?.(new BodyTooLarge())
    else if (this.#budget.usedBytes > this.#budget.maxBytes) this.#cancel?.(new BodiesTooLarge())
  }
}
