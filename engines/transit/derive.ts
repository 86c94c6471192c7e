/** Keys for a context, and nonces that follow from the plaintext (contract: engines-core.md, 2.4). */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { BadRequest } from '../../core/errors.ts'
import type { TransitKey } from './records.ts'

const NONCE_KEY_BYTES = 32
const MISSING_CONTEXT =
  "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key"

/** @throws {BadRequest} there is none */
export function demandContext(context: Buffer): Buffer {
  if (context.length === 0) throw new BadRequest(MISSING_CONTEXT)
  return context
}

/**
 * HKDF-SHA-256 without salt, the context as info (RFC 5869); of keys before Vault 0.6.2 one round of SP 800-108 in counter
 * mode, the counter from 0.
 *
 * @returns so many bytes, which the caller zeroes
 */
export function deriveBytes(
  kdf: TransitKey['kdf'],
  key: KeyObject,
  context: Buffer,
  length: number,
): Buffer {
  if (kdf === 'hkdf_sha256') return hkdf(key, context, length)
  const counter = Buffer.from([0, 0, 0, 0])
  const bits = Buffer.from([0, 0, 1, 0])
  const mac = createHmac('sha256', key).update(counter).update(context).update(bits).digest()
  return mac.subarray(0, length)
}

/** Of the info that node:crypto takes. */
const MAX_INFO_BYTES = 1024
/** What stands for no salt: as many zeroes as the hash has bytes. */
const NO_SALT = Buffer.alloc(32)

function hkdf(key: KeyObject, context: Buffer, length: number): Buffer {
  if (context.length <= MAX_INFO_BYTES) {
    return Buffer.from(hkdfSync('sha256', key, '', context, length))
  }
  const bytes = key.export()
  const extracted = createHmac('sha256', NO_SALT).update(bytes).digest()
  bytes.fill(0)
  const blocks: Buffer[] = []
  for (let at = 0; at < length; at += NO_SALT.length) {
    const mac = createHmac('sha256', extracted).update(blocks.at(-1) ?? '')
    blocks.push(
      mac
        .update(context)
        .update(Buffer.from([blocks.length + 1]))
        .digest(),
    )
  }
  extracted.fill(0)
  const derived = Buffer.concat(blocks).subarray(0, length)
  for (const block of blocks) block.fill(0)
  return derived
}

export function deriveKey(
  kdf: TransitKey['kdf'],
  key: KeyObject,
  context: Buffer,
  length: number,
): KeyObject {
  const bytes = deriveBytes(kdf, key, context, length)
  try {
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

/** A convergent key of version 3: a key, and the one that makes nonces of plaintexts. */
export function deriveConvergent(
  kdf: TransitKey['kdf'],
  key: KeyObject,
  context: Buffer,
  length: number,
): { key: KeyObject; nonceKey: KeyObject } {
  const bytes = deriveBytes(kdf, key, context, length + NONCE_KEY_BYTES)
  try {
    return {
      key: createSecretKey(bytes.subarray(0, length)),
      nonceKey: createSecretKey(bytes.subarray(length)),
    }
  } finally {
    bytes.fill(0)
  }
}

/**
 * Of convergent keys, where there is associated data: one plaintext beside two of them must not have one nonce, or the two tags
 * give away the key of GCM's hash.
 */
export function nonceKeyOf(nonceKey: KeyObject, associatedData: Buffer): KeyObject {
  return createSecretKey(createHmac('sha256', nonceKey).update(associatedData).digest())
}

export function convergentNonce(nonceKey: KeyObject, plaintext: Buffer, length: number): Buffer {
  return createHmac('sha256', nonceKey).update(plaintext).digest().subarray(0, length)
}
