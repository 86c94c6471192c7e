/**
 * The frames of a message: AES-256-GCM, with the frame's number and whether it is the last in the nonce, and the header
 * in what is authenticated. So a frame opens at its own place of its own message alone, and the end shows.
 */
import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { InvalidArgument } from '../errors.ts'
import { MalformedEnvelope, NotAuthentic } from './errors.ts'

export const FRAME_BYTES = 1_048_576
export const TAG_BYTES = 16
const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const COUNTER_AT = 7
const MAX_FRAMES = 2 ** 32

class FrameCipher {
  readonly messageKey: Uint8Array
  readonly associated: Uint8Array
  #frames = 0

  /** @param messageKey zeroed by `close` */
  constructor(messageKey: Uint8Array, header: Uint8Array) {
    this.messageKey = messageKey
    this.associated = createHash('sha256').update(header).digest()
  }

  /** How many frames there were. */
  get frames(): number {
    return this.#frames
  }

  /** 7 zero bytes | number of the frame, from 0 (4) | 1: the last one (1) */
  nextNonce(isLast: boolean): Uint8Array | undefined {
    if (this.#frames >= MAX_FRAMES) return undefined
    const nonce = Buffer.alloc(NONCE_BYTES)
    nonce.writeUInt32BE(this.#frames++, COUNTER_AT)
    nonce[NONCE_BYTES - 1] = isLast ? 1 : 0
    return nonce
  }

  close(): void {
    this.messageKey.fill(0)
  }
}

/** hot (test/bench/envelope.ts): makes frames. */
export class FrameSealer extends FrameCipher {
  /** @returns ciphertext, and the tag that goes behind it; the plaintext is not kept */
  seal(plaintext: Uint8Array, isLast: boolean): readonly [Uint8Array, Uint8Array] {
    const nonce = this.nextNonce(isLast)
    if (nonce === undefined) throw new InvalidArgument('source: it is too long for one envelope')
    const cipher = createCipheriv(ALGORITHM, this.messageKey, nonce)
    cipher.setAAD(this.associated)
    const ciphertext = cipher.update(plaintext)
    cipher.final()
    return [ciphertext, cipher.getAuthTag()]
  }
}

/** hot (test/bench/envelope.ts): opens frames. */
export class FrameOpener extends FrameCipher {
  /** @throws {NotAuthentic} @throws {MalformedEnvelope} */
  open(frame: Uint8Array, isLast: boolean): Uint8Array {
    const number = this.frames
    const end = frame.length - TAG_BYTES
    if (end < 0) throw new NotAuthentic(`the message is cut off in frame ${number}`)
    if (end === 0 && number > 0) throw new MalformedEnvelope(`frame ${number} is empty`)
    const nonce = this.nextNonce(isLast)
    if (nonce === undefined) throw new MalformedEnvelope('it has too many frames')
    const decipher = createDecipheriv(ALGORITHM, this.messageKey, nonce, {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(this.associated)
    decipher.setAuthTag(frame.subarray(end))
    const plaintext = decipher.update(frame.subarray(0, end))
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      throw new NotAuthentic(
        `frame ${number} was altered or moved, or the message is cut off there`,
      )
    }
    return plaintext
  }
}
