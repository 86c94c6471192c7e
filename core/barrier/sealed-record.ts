/**
 * The form of every sealed record: term (4 bytes, big endian) | nonce (12) | ciphertext | tag (16), AES-256-GCM.
 * The additional data is the term and then the storage key: a record does not open under another key or term. The term
 * has a fixed width, so no two pairs of term and key give the same additional data.
 *
 * Term 0 is never a term of the keyring: it marks records that another key seals (the root key, the seal's own key).
 *
 * @see NIST SP 800-38D, 8.2.2 (random nonces) and 8.3 (their number)
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { CorruptRecord } from '../errors.ts'

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
const TAG_BYTES = 16
const TERM_BYTES = 4
/** Term of records that the root key or the seal's key seals. */
export const OUTSIDE_KEYRING = 0

const ALGORITHM = 'aes-256-gcm'
const TAG_OPTION = { authTagLength: TAG_BYTES } as const
const HEADER_BYTES = TERM_BYTES + NONCE_BYTES

/**
 * hot: each value that is written, 3 to 4 µs for 1 KiB. The bare primitive, for the record form and for test vectors.
 *
 * @param nonce 12 bytes, never used before with this key
 * @param headroom so many bytes are left free, and undefined, before the ciphertext
 * @returns headroom | ciphertext | tag
 */
export function sealWith(
  key: KeyObject,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Buffer | string,
  headroom = 0,
): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, nonce, TAG_OPTION)
  cipher.setAAD(aad)
  const ciphertext =
    typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
  // GCM is a stream: `final` has no bytes left, it makes the tag.
  cipher.final()
  const sealed = Buffer.allocUnsafe(headroom + ciphertext.length + TAG_BYTES)
  sealed.set(ciphertext, headroom)
  sealed.set(cipher.getAuthTag(), headroom + ciphertext.length)
  return sealed
}

/**
 * hot: each value that is read and not cached. The reverse of `sealWith`, without headroom.
 *
 * @throws an error that says nothing but that the tag does not fit; the bytes decrypted so far are zeroed
 */
export function openWith(
  key: KeyObject,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
): Buffer {
  const decipher = createDecipheriv(ALGORITHM, key, nonce, TAG_OPTION)
  decipher.setAAD(aad)
  decipher.setAuthTag(tag)
  const plaintext = decipher.update(ciphertext)
  try {
    decipher.final()
  } catch (error) {
    plaintext.fill(0)
    throw error
  }
  return plaintext
}

/**
 * Seals one value for the place `storageKey`.
 *
 * @param plaintext neither kept nor changed
 * @param nonce 12 random bytes of its own
 */
export function sealRecord(
  key: KeyObject,
  term: number,
  nonce: Uint8Array,
  storageKey: string,
  plaintext: Buffer | string,
): Buffer {
  const sealed = sealWith(key, nonce, additionalData(term, storageKey), plaintext, HEADER_BYTES)
  sealed.writeUInt32BE(term, 0)
  sealed.set(nonce, TERM_BYTES)
  return sealed
}

/**
 * Opens what was sealed for this place.
 *
 * @throws {CorruptRecord} truncated, altered, moved from another place or term, or sealed with another key
 */
export function openRecord(key: KeyObject, storageKey: string, sealed: Buffer): Buffer {
  if (sealed.length < HEADER_BYTES + TAG_BYTES) throw new CorruptRecord(storageKey)
  const tagAt = sealed.length - TAG_BYTES
  try {
    return openWith(
      key,
      sealed.subarray(TERM_BYTES, HEADER_BYTES),
      additionalData(sealed.readUInt32BE(0), storageKey),
      sealed.subarray(HEADER_BYTES, tagAt),
      sealed.subarray(tagAt),
    )
  } catch (cause) {
    throw new CorruptRecord(storageKey, { cause })
  }
}

/** The term that a record claims; nothing is proven before it opens. `undefined`: too short to have one. */
export function claimedTerm(sealed: Buffer): number | undefined {
  return sealed.length < TERM_BYTES ? undefined : sealed.readUInt32BE(0)
}

function additionalData(term: number, storageKey: string): Buffer {
  const aad = Buffer.allocUnsafe(TERM_BYTES + Buffer.byteLength(storageKey))
  aad.writeUInt32BE(term, 0)
  aad.write(storageKey, TERM_BYTES)
  return aad
}
