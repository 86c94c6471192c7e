/** A data key in memory, zeroed when it has been there long enough. */
import { deriveMessageKeys, type MessageKeys } from './message-key.ts'

export class HeldKey {
  readonly wrapped: string
  readonly #bytes: Uint8Array
  readonly #timer: NodeJS.Timeout
  #isClosed = false

  /** @param bytes its own from now on */
  constructor(bytes: Uint8Array, wrapped: string, maxAgeMs: number) {
    this.wrapped = wrapped
    this.#bytes = bytes
    this.#timer = setTimeout(() => this.close(), maxAgeMs)
    this.#timer.unref()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Not once it is closed: ask `isClosed` in the same turn. */
  derive(salt: Uint8Array): MessageKeys {
    if (this.#isClosed) throw new TypeError('a data key was used after it was zeroed')
    return deriveMessageKeys(this.#bytes, salt)
  }

  close(): void {
    this.#isClosed = true
    this.#bytes.fill(0)
    clearTimeout(this.#timer)
  }
}
