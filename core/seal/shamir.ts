/**
 * The Shamir seal: the root key is wrapped by an unseal key, and that is split into shares, any `threshold` of which
 * give it back. A share is 33 bytes, 32 of the value and the x coordinate last, over GF(2^8) with the polynomial 0x11b:
 * Vault's and OpenBao's form, interchangeable with theirs. With one share of one, the share is the unseal key itself.
 *
 * Shares carry no checksum: a wrong one gives a wrong key, which the wrapped root key's tag refuses.
 *
 * The library multiplies by tables, so the lines of the cache that it touches depend on what it multiplies, and it
 * keeps its result inside V8's heap, where it cannot surely be zeroed. Both were advisories elsewhere. Splitting looks
 * up random coefficients only (the secret is added last, without a look-up). Combining would look up the shares, so
 * they are masked: sharing is linear, combine(shares ^ masks) ^ combine(masks) is the secret, and what either call sees
 * and returns is uniformly random by itself.
 */
import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { combine, split } from 'shamir-secret-sharing'
import { assert, BadRequest, CorruptRecord } from '../errors.ts'
import type { Random } from '../random.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import {
  KEY_BYTES,
  NONCE_BYTES,
  openRecord,
  OUTSIDE_KEYRING,
  sealRecord,
} from '../barrier/sealed-record.ts'
import { copySecret, secretBytes } from '../barrier/secret-bytes.ts'
import { WrongShares } from './seal.ts'
import type { Protected, ReadRecord, Seal, Sharing } from './seal.ts'

/** The value and its x coordinate. */
export const SHARE_BYTES = KEY_BYTES + 1

export class ShamirSeal implements Seal {
  readonly type = 'shamir'
  readonly shareUse = 'unseal'
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  checkShare(share: Buffer, { threshold }: Sharing): void {
    const expected = threshold === 1 ? KEY_BYTES : SHARE_BYTES
    if (share.length !== expected) {
      throw new BadRequest(`invalid key: a key share of this server has ${expected} bytes`)
    }
    // The value at 0 is the secret itself: no share has that coordinate.
    if (threshold > 1 && share[KEY_BYTES] === 0) {
      throw new BadRequest('invalid key: it is not a key share')
    }
  }

  async protect(rootKey: Buffer, sharing: Sharing): Promise<Protected> {
    const drawn = this.#random.bytes(KEY_BYTES)
    const unsealKey = copySecret(drawn)
    drawn.fill(0)
    try {
      const nonce = this.#random.nonce(NONCE_BYTES)
      const key = createSecretKey(unsealKey)
      const wrapped = sealRecord(key, OUTSIDE_KEYRING, nonce, CORE_RECORDS.rootKey, rootKey)
      const shares = await splitKey(unsealKey, sharing)
      return { records: new Map([[CORE_RECORDS.rootKey, wrapped]]), shares }
    } finally {
      unsealKey.fill(0)
    }
  }

  async recover(read: ReadRecord, shares: readonly Buffer[]): Promise<Buffer> {
    const wrapped = await read(CORE_RECORDS.rootKey)
    if (wrapped === undefined) throw new CorruptRecord(CORE_RECORDS.rootKey)
    const unsealKey = await combineShares(shares, this.#random)
    try {
      return unwrap(createSecretKey(unsealKey), wrapped)
    } finally {
      unsealKey.fill(0)
    }
  }

  async verifyShares(read: ReadRecord, shares: readonly Buffer[]): Promise<void> {
    const rootKey = await this.recover(read, shares)
    rootKey.fill(0)
  }
}

/** @throws {WrongShares} whatever is wrong: a cause would tell an attacker apart what must look the same */
function unwrap(unsealKey: KeyObject, wrapped: Buffer): Buffer {
  try {
    return openRecord(unsealKey, CORE_RECORDS.rootKey, wrapped)
  } catch {
    throw new WrongShares()
  }
}

/**
 * Splits a key (32 bytes) into shares. With one share it is a copy of the key.
 *
 * @param key outside V8's heap (`secretBytes`); neither kept nor zeroed
 */
export async function splitKey(
  key: Buffer<ArrayBuffer>,
  { shares, threshold }: Sharing,
): Promise<Buffer[]> {
  assert(key.length === KEY_BYTES, 'a key that is split has 32 bytes')
  if (shares === 1) return [copySecret(key)]
  // The library refuses a Buffer: this is the same memory seen as a plain Uint8Array.
  const parts = await split(
    new Uint8Array(key.buffer, key.byteOffset, key.length),
    shares,
    threshold,
  )
  return parts.map((part) => {
    const share = copySecret(part)
    part.fill(0)
    return share
  })
}

/**
 * The key that the shares make; some key, if they do not belong together.
 *
 * @param shares neither kept nor changed
 * @param random source of the masks
 * @returns outside V8's heap; the caller zeroes it
 * @throws {WrongShares} two of them have the same x coordinate, or one has none
 */
export async function combineShares(shares: readonly Buffer[], random: Random): Promise<Buffer> {
  const [only] = shares
  if (shares.length === 1 && only?.length === KEY_BYTES) return copySecret(only)
  const coordinates = new Set(shares.map((share) => share[KEY_BYTES]))
  const distinct = coordinates.size === shares.length && !coordinates.has(0)
  if (shares.length < 2 || !distinct || shares.some((share) => share.length !== SHARE_BYTES)) {
    throw new WrongShares()
  }
  const masks = shares.map((share) => maskFor(share, random))
  const masked = shares.map((share, i) => xor(share, masks[i]))
  const [maskedKey, mask] = [await combine(masked), await combine(masks)]
  const key = secretBytes(KEY_BYTES)
  for (let i = 0; i < KEY_BYTES; i += 1) key[i] = (maskedKey[i] ?? 0) ^ (mask[i] ?? 0)
  for (const bytes of [...masks, ...masked, maskedKey, mask]) bytes.fill(0)
  return key
}

/** A random share with the same x coordinate. */
function maskFor(share: Buffer, random: Random): Uint8Array {
  const mask = new Uint8Array(random.bytes(SHARE_BYTES))
  mask[KEY_BYTES] = share[KEY_BYTES] ?? 0
  return mask
}

/** The value of `share` masked; the x coordinate, which is no secret, stays. */
function xor(share: Buffer, mask: Uint8Array | undefined): Uint8Array {
  const masked = new Uint8Array(share.length)
  for (let i = 0; i < KEY_BYTES; i += 1) masked[i] = (share[i] ?? 0) ^ (mask?.[i] ?? 0)
  masked[KEY_BYTES] = share[KEY_BYTES] ?? 0
  return masked
}
