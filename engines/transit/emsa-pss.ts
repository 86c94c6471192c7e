/**
 * EMSA-PSS (RFC 8017, 9.1) of a digest that is given: node:crypto hashes itself what it signs, and some clients send the digest
 * alone. The mask is MGF1 with the same hash. Around it stands OpenSSL's RSA without padding.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { HashAlgorithm } from './hashes.ts'

const TRAILER = 0xbc
const EIGHT_ZEROES = Buffer.alloc(8)

/** @param bits of the encoded message: one less than the modulus has */
export function encodePss(digest: Buffer, salt: Buffer, bits: number, hash: HashAlgorithm): Buffer {
  const length = Math.ceil(bits / 8)
  const seed = hashOf(hash, EIGHT_ZEROES, digest, salt)
  const block = Buffer.alloc(length - hash.bytes - 1)
  block[block.length - salt.length - 1] = 1
  salt.copy(block, block.length - salt.length)
  mask(block, seed, hash)
  clearUnusedBits(block, bits)
  return Buffer.concat([block, seed, Buffer.from([TRAILER])])
}

/** @param saltLength `undefined`: any */
export function isPss(
  encoded: Buffer,
  digest: Buffer,
  saltLength: number | undefined,
  bits: number,
  hash: HashAlgorithm,
): boolean {
  const length = Math.ceil(bits / 8)
  if (encoded.length !== length || length < hash.bytes + 2 || encoded.at(-1) !== TRAILER)
    return false
  const block = Buffer.from(encoded.subarray(0, length - hash.bytes - 1))
  const seed = encoded.subarray(block.length, length - 1)
  const first = block[0] ?? 0
  clearUnusedBits(block, bits)
  if (block[0] !== first) return false
  mask(block, seed, hash)
  clearUnusedBits(block, bits)
  const one = block.findIndex((byte) => byte !== 0)
  if (one < 0 || block[one] !== 1) return false
  const salt = block.subarray(one + 1)
  if (saltLength !== undefined && salt.length !== saltLength) return false
  return timingSafeEqual(seed, hashOf(hash, EIGHT_ZEROES, digest, salt))
}

function hashOf({ openssl }: HashAlgorithm, ...parts: readonly Buffer[]): Buffer {
  const hash = createHash(openssl)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** MGF1 (RFC 8017, B.2.1), xored in. */
function mask(block: Buffer, seed: Buffer, hash: HashAlgorithm): void {
  const counter = Buffer.alloc(4)
  for (let at = 0, i = 0; at < block.length; at += hash.bytes, i++) {
    counter.writeUInt32BE(i)
    const piece = hashOf(hash, seed, counter)
    for (let n = 0; n < piece.length && at + n < block.length; n++) {
      block[at + n] = (block[at + n] ?? 0) ^ (piece[n] ?? 0)
    }
  }
}

function clearUnusedBits(block: Buffer, bits: number): void {
  const unused = 8 * Math.ceil(bits / 8) - bits
  block[0] = (block[0] ?? 0) & (0xff >> unused)
}
