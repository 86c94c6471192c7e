/**
 * Randomness, the one way to draw it: from node:crypto in a server, from a seed in a simulation.
 */
import { randomBytes, randomUUID } from 'node:crypto'

export interface Random {
  bytes(count: number): Buffer
  uuid(): string
  /** `length` characters of 0-9A-Za-z, each equally likely. */
  base62(length: number): string
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Bytes at and above this are drawn again, so that each of the 62 characters is equally likely. */
const BASE62_LIMIT = 256 - (256 % 62)

/** A base62 string out of any source of bytes. */
export function base62(length: number, bytes: (count: number) => Buffer): string {
  let text = ''
  while (text.length < length) {
    for (const byte of bytes(length + 8)) {
      if (byte < BASE62_LIMIT && text.length < length) text += ALPHABET.charAt(byte % 62)
    }
  }
  return text
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
  base62: (length) => base62(length, randomBytes),
}
