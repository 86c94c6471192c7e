/**
 * Randomness, the one way to draw it: from node:crypto in a server, from a seed in a simulation.
 */
import { randomBytes, randomFillSync, randomUUID } from 'node:crypto'
import { assert } from './errors.ts'

export interface Random {
  /** Also for keys: in memory of their own, which whoever took them can wipe. */
  bytes(count: number): Buffer
  /** hot: for what is no secret once it is used; at most 64 bytes. */
  nonce(count: number): Buffer
  uuid(): string
  /** `length` characters of 0-9A-Za-z, each equally likely. */
  base62(length: number): string
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Bytes at and above this are drawn again, so that each of the 62 characters is equally likely. */
const BASE62_LIMIT = 256 - (256 % 62)

/** A larger one is not drawn at once. */
const MOST_BYTES_OF_NONCE = 64

/** A base62 string out of any source of bytes. */
export function base62(length: number, bytes: (count: number) => Buffer): string {
  let text = ''
  while (text.length < length) {
    for (const byte of bytes(Math.min(length + 8, MOST_BYTES_OF_NONCE))) {
      if (byte < BASE62_LIMIT && text.length < length) text += ALPHABET.charAt(byte % 62)
    }
  }
  return text
}

/** Under a page, so that little lies drawn in advance. */
const POOL_BYTES = 4_080
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

/**
 * hot: a draw of 12 bytes costs node:crypto as much as one of 4 KB, so small ones are handed out of a large one. What
 * was handed out is wiped from it: no byte of it is used twice, and none that is in use lies there. No keys: so few
 * bytes lie on V8's own heap, which leaves copies when it moves them.
 */
function draw(count: number): Buffer {
  assert(count <= MOST_BYTES_OF_NONCE, 'a nonce has at most 64 bytes')
  if (used + count > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Buffer.alloc(count)
  for (let i = 0; i < count; i++) {
    bytes[i] = pool[used] ?? 0
    pool[used++] = 0
  }
  return bytes
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  nonce: draw,
  uuid: () => randomUUID(),
  base62: (length) => base62(length, draw),
}
