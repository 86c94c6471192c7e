/** Encrypts streams: each message has a key of its own, derived from a data key that transit wrapped. */
import { randomBytes } from 'node:crypto'
import type { Circumstances, DataKey } from '../transit.ts'
import { encodeContext, type Context } from './context.ts'
import { FRAME_BYTES, FrameSealer } from './frames.ts'
import { demandKeyName, encodeHeader, SALT_BYTES } from './header.ts'
import { HeldKey } from './held-key.ts'
import { SourceReader, transformOf, type Source } from './source.ts'

/** What the envelope needs of transit; a `Transit` has it. */
export interface DataKeys {
  dataKey(
    key: string,
    options: Pick<Circumstances, 'context'>,
  ): Promise<Pick<DataKey, 'ciphertext' | 'plaintext'>>
}

export interface EncrypterOptions {
  readonly transit: DataKeys
  /** Name of the transit key. */
  readonly key: string
  /** Authenticated, not secret; of derived keys it is the context. Needed again to decrypt. */
  readonly context?: Context
  readonly limits?: Partial<KeyLimits>
  /** Of a message: 32 bytes, random unless a test has to know them. One that comes twice undoes the encryption. */
  readonly salt?: () => Uint8Array
}

/** After any of them transit is asked for a new data key. */
export interface KeyLimits {
  /** Default: 5 minutes. It is zeroed then, used or not. */
  readonly maxAgeMs: number
  /** Default: 2^36 (64 GiB); a message that has begun is finished. */
  readonly maxBytes: number
  /** Default: 10,000. 1: each message has a data key of its own. */
  readonly maxMessages: number
}

const LIMITS: KeyLimits = { maxAgeMs: 300_000, maxBytes: 2 ** 36, maxMessages: 10_000 }

export class EnvelopeEncrypter {
  readonly #options: Required<EncrypterOptions>
  readonly #limits: KeyLimits
  #held: HeldKey | undefined
  #messages = 0
  #bytes = 0

  /** @throws {InvalidArgument} the key's name or the context cannot be used */
  constructor(options: EncrypterOptions) {
    const { context = {}, limits = {}, salt = () => randomBytes(SALT_BYTES) } = options
    demandKeyName(options.key)
    encodeContext(context)
    this.#options = { ...options, context, limits, salt }
    this.#limits = { ...LIMITS, ...limits }
  }

  /**
   * @param source gives parts that stay as they are, see `Source`
   * @returns the envelope in parts; it is one only if this ends without an error
   * @throws {ResponseError} and the others of a request
   */
  async *encrypt(source: Source): AsyncGenerator<Uint8Array, void> {
    const reader = new SourceReader(source)
    const space = new Uint8Array(FRAME_BYTES)
    let sealer: FrameSealer | undefined
    try {
      // The source has begun before anything fails, so that `close` ends it: one that has not begun cannot be ended.
      let frame = await reader.take(space)
      const begun = await this.#begin()
      sealer = begun.sealer
      yield begun.header
      for (; !(await reader.isOver()); frame = await reader.take(space))
        yield* this.#seal(begun.sealer, frame, false)
      yield* this.#seal(begun.sealer, frame, true)
    } finally {
      space.fill(0)
      sealer?.close()
      await reader.close()
    }
  }

  /** For `readable.pipeThrough(…)`. */
  transform(): ReadableWritablePair<Uint8Array, Uint8Array> {
    return transformOf((source) => this.encrypt(source))
  }

  /** Zeroes the data key. Messages that have begun go on. */
  close(): void {
    this.#held?.close()
  }

  #seal(sealer: FrameSealer, plaintext: Uint8Array, isLast: boolean): readonly Uint8Array[] {
    this.#bytes += plaintext.length
    return sealer.seal(plaintext, isLast)
  }

  async #begin(): Promise<{ header: Uint8Array; sealer: FrameSealer }> {
    const { key, context, salt: newSalt } = this.#options
    const salt = newSalt()
    // In one turn from here on: nobody closes the key before it was used.
    const held = this.#usable() ?? this.#hold(await this.#ask())
    this.#messages++
    const { messageKey, commitment } = held.derive(salt)
    const header = encodeHeader({ salt, key, wrappedKey: held.wrapped, context, commitment })
    return { header, sealer: new FrameSealer(messageKey, header) }
  }

  #usable(): HeldKey | undefined {
    const { maxBytes, maxMessages } = this.#limits
    const isUsed = this.#messages >= maxMessages || this.#bytes >= maxBytes
    if (isUsed || this.#held?.isClosed === true) this.close()
    return this.#held?.isClosed === true ? undefined : this.#held
  }

  #ask() {
    const { transit, key, context } = this.#options
    return transit.dataKey(key, transitContext(context))
  }

  #hold({ plaintext, ciphertext }: { plaintext: Uint8Array; ciphertext: string }): HeldKey {
    this.close()
    this.#held = new HeldKey(plaintext, ciphertext, this.#limits.maxAgeMs)
    this.#messages = 0
    this.#bytes = 0
    return this.#held
  }
}

/** What transit is told of it; it matters for derived keys only. */
export function transitContext(context: Context): { readonly context?: Uint8Array } {
  return Object.keys(context).length === 0 ? {} : { context: encodeContext(context) }
}
