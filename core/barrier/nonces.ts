/**
 * Nonces for AES-GCM: 96 random bits each, drawn from the source some hundreds at a time, for a draw of 12 bytes costs
 * as much as a draw of 4 KiB. Each is handed out once.
 */
import type { Random } from '../random.ts'
import { NONCE_BYTES } from './sealed-record.ts'

/** 4,092 bytes: under a page, so that little lies drawn in advance. */
const NONCES_PER_DRAW = 341

export class Nonces {
  readonly #random: Random
  #pool: Buffer = Buffer.alloc(0)
  #next = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** hot: The next nonce, to be used before the next call. */
  take(): Buffer {
    if (this.#next === this.#pool.length) {
      // A new buffer, never the old one filled again: a view that somebody kept must not change under them.
      this.#pool = this.#random.bytes(NONCES_PER_DRAW * NONCE_BYTES)
      this.#next = 0
    }
    const nonce = this.#pool.subarray(this.#next, this.#next + NONCE_BYTES)
    this.#next += NONCE_BYTES
    return nonce
  }
}
