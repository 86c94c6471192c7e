/**
 * Batch tokens carry their own record, sealed by the barrier; nothing of them is stored. Whoever holds one can read
 * nothing in it, and altering it makes it no token.
 */
import { LRUCache } from 'lru-cache'
import { CorruptRecord } from '../errors.ts'
import { reserve, type Sealer } from '../store/store.ts'
import { BATCH_PREFIX } from './identifier.ts'
import { batchTokens, type BatchToken } from './record.ts'

/** The context that the barrier binds them to: no stored record opens as a token, nor the other way round. */
const CONTEXT = 'batch-token'
/** Opened tokens kept, so that one in constant use is opened once. */
const MAX_OPENED = 4096

export class BatchCodec {
  readonly #sealer: Sealer
  readonly #opened = new LRUCache<string, BatchToken>({ max: MAX_OPENED })

  constructor(sealer: Sealer) {
    this.#sealer = sealer
  }

  async encode(record: BatchToken): Promise<string> {
    await reserve(this.#sealer, 1)
    const sealed = this.#sealer.seal(CONTEXT, batchTokens.encode(record))
    return `${BATCH_PREFIX}${sealed.toString('base64url')}`
  }

  /** hot: what the token holds; `undefined` where it is none of ours. */
  decode(token: string): BatchToken | undefined {
    const known = this.#opened.get(token)
    if (known !== undefined) return known
    const sealed = Buffer.from(token.slice(BATCH_PREFIX.length), 'base64url')
    try {
      const record = batchTokens.decode(
        CONTEXT,
        this.#sealer.open(CONTEXT, sealed).toString('utf8'),
      )
      this.#opened.set(token, record)
      return record
    } catch (error) {
      if (error instanceof CorruptRecord) return undefined
      throw error
    }
  }

  /** Forgets what was opened, as when the barrier is sealed. */
  clear(): void {
    this.#opened.clear()
  }
}
