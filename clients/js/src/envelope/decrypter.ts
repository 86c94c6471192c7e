/** Decrypts what `EnvelopeEncrypter` made, frame by frame, each when it is known to be authentic. */
import { Buffer } from 'node:buffer'
import { timingSafeEqual } from 'node:crypto'
import type { Circumstances } from '../transit.ts'
import { encodeContext, type Context } from './context.ts'
import { transitContext } from './encrypter.ts'
import { MalformedEnvelope, NotAuthentic, OtherEnvelope } from './errors.ts'
import { FRAME_BYTES, FrameOpener, TAG_BYTES } from './frames.ts'
import { headerLength, parseHeader, PREFIX_BYTES, type HeaderFields } from './header.ts'
import { HeldKey } from './held-key.ts'
import type { MessageKeys } from './message-key.ts'
import { SourceReader, transformOf, type Source } from './source.ts'

/** What the envelope needs of transit; a `Transit` has it. */
export interface Unwrapping {
  decrypt(
    key: string,
    ciphertext: string,
    options: Pick<Circumstances, 'context'>,
  ): Promise<Uint8Array>
}

export interface DecrypterOptions {
  readonly transit: Unwrapping
  /** The key that a message must be of; default: any that the token may use. */
  readonly key?: string
  /** What the message must have been encrypted with, all of it; default: none. */
  readonly context?: Context
  /** How long an unwrapped data key stays in memory; default 5 minutes. */
  readonly maxAgeMs?: number
  /** How many stay at most; default 100. */
  readonly maxKeys?: number
}

const MAX_AGE_MS = 300_000
const MAX_KEYS = 100

export class EnvelopeDecrypter {
  readonly #options: Required<Omit<DecrypterOptions, 'key'>>
  readonly #key: string | undefined
  /** By wrapped key, the oldest first. */
  readonly #held = new Map<string, HeldKey>()

  constructor({ transit, key, context = {}, ...limits }: DecrypterOptions) {
    this.#key = key
    this.#options = { transit, context, maxAgeMs: MAX_AGE_MS, maxKeys: MAX_KEYS, ...limits }
  }

  /**
   * @returns the plaintext in parts. Each is as it was written, but only if this ends without an error is it all
   * @throws {MalformedEnvelope} @throws {NotAuthentic} @throws {OtherEnvelope} another key or context
   * @throws {ResponseError} and the others of a request
   */
  async *decrypt(source: Source): AsyncGenerator<Uint8Array, void> {
    const reader = new SourceReader(source)
    let opener: FrameOpener | undefined
    try {
      const header = await readHeader(reader)
      opener = new FrameOpener(await this.#messageKey(parseHeader(header)), header)
      const space = new Uint8Array(FRAME_BYTES + TAG_BYTES)
      for (let isLast = false; !isLast;) {
        const frame = await reader.take(space)
        isLast = await reader.isOver()
        const plaintext = opener.open(frame, isLast)
        if (plaintext.length > 0) yield plaintext
      }
    } finally {
      opener?.close()
      await reader.close()
    }
  }

  /** For `readable.pipeThrough(…)`. */
  transform(): ReadableWritablePair<Uint8Array, Uint8Array> {
    return transformOf((source) => this.decrypt(source))
  }

  /** Zeroes the data keys. Messages that have begun go on. */
  close(): void {
    for (const held of this.#held.values()) held.close()
    this.#held.clear()
  }

  /** @throws {NotAuthentic} before anything is decrypted */
  async #messageKey(header: HeaderFields): Promise<Uint8Array> {
    this.#demandExpected(header)
    const { messageKey, commitment } = await this.#derive(header)
    if (timingSafeEqual(commitment, header.commitment)) return messageKey
    messageKey.fill(0)
    throw new NotAuthentic('the header is not of this data key')
  }

  #demandExpected({ key, context }: HeaderFields): void {
    if (this.#key !== undefined && key !== this.#key)
      throw new OtherEnvelope(`the message is of the key ${key}, not ${this.#key}`)
    if (Buffer.compare(encodeContext(context), encodeContext(this.#options.context)) !== 0)
      throw new OtherEnvelope(
        `the message has another context than the one given; its names: ${Object.keys(context).join(', ') || 'none'}`,
      )
  }

  async #derive({ key, wrappedKey, context, salt }: HeaderFields): Promise<MessageKeys> {
    const { transit } = this.#options
    const known = this.#held.get(`${key} ${wrappedKey}`)
    if (known?.isClosed === false) return known.derive(salt)
    const dataKey = await transit.decrypt(key, wrappedKey, transitContext(context))
    // In one turn from here on: nobody closes the key before it was used.
    return this.#hold(`${key} ${wrappedKey}`, dataKey).derive(salt)
  }

  #hold(name: string, dataKey: Uint8Array): HeldKey {
    const { maxAgeMs, maxKeys } = this.#options
    this.#forget(name)
    for (const [oldest, { isClosed }] of this.#held)
      if (isClosed || this.#held.size >= maxKeys) this.#forget(oldest)
    const held = new HeldKey(dataKey, name, maxAgeMs)
    this.#held.set(name, held)
    return held
  }

  #forget(name: string): void {
    this.#held.get(name)?.close()
    this.#held.delete(name)
  }
}

/** @throws {MalformedEnvelope} */
async function readHeader(reader: SourceReader): Promise<Uint8Array> {
  const prefix = await reader.take(new Uint8Array(PREFIX_BYTES))
  if (prefix.length < PREFIX_BYTES) throw new MalformedEnvelope('it is too short to be an envelope')
  const rest = new Uint8Array(headerLength(prefix) - PREFIX_BYTES)
  const taken = await reader.take(rest)
  if (taken.length < rest.length) throw new MalformedEnvelope('it is cut off in its header')
  return Buffer.concat([prefix, taken])
}
