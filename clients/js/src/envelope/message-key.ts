/** What a message's own key is made of, and the commitment to it. */
import { Buffer } from 'node:buffer'
import { hkdfSync } from 'node:crypto'
import { UnexpectedAnswer } from '../errors.ts'
import { COMMITMENT_BYTES } from './header.ts'

const DATA_KEY_BYTES = 32
const MESSAGE_KEY_BYTES = 32
const INFO = 'keyhold envelope v1'

export interface MessageKeys {
  /** Zero it after the last frame. */
  readonly messageKey: Uint8Array
  /** Nobody finds two data keys with the same one: a header decides which key it is read with. */
  readonly commitment: Uint8Array
}

/** HKDF-SHA-256. @throws {UnexpectedAnswer} the data key is none */
export function deriveMessageKeys(dataKey: Uint8Array, salt: Uint8Array): MessageKeys {
  if (dataKey.length !== DATA_KEY_BYTES)
    throw new UnexpectedAnswer(`the data key has ${dataKey.length} bytes, not ${DATA_KEY_BYTES}`)
  const length = MESSAGE_KEY_BYTES + COMMITMENT_BYTES
  const derived = Buffer.from(hkdfSync('sha256', dataKey, salt, INFO, length))
  return {
    messageKey: derived.subarray(0, MESSAGE_KEY_BYTES),
    commitment: derived.subarray(MESSAGE_KEY_BYTES),
  }
}
