/** Authenticated encryption: nonce | ciphertext | tag (contract: engines-core.md, 2.4). */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { BadRequest } from '../../core/errors.ts'
import type { AeadType } from './key-types.ts'

const TAG_BYTES = 16
const NO_AAD = Buffer.alloc(0)
/** What Go says, by its packages: clients tell a wrong key or context by it. */
const FAILED = ': message authentication failed'

/** @param nonce as long as the type has it, never used before with this key but for the same plaintext */
export function seal(
  type: AeadType,
  key: KeyObject,
  nonce: Buffer,
  plaintext: Buffer,
  aad: Buffer = NO_AAD,
): Buffer {
  const { cipher: algorithm } = type
  if (algorithm === 'xchacha20-poly1305') {
    return Buffer.concat([
      nonce,
      withBytes(key, (bytes) => xchacha20poly1305(bytes, nonce, aad).encrypt(plaintext)),
    ])
  }
  const cipher = cipherOf(algorithm, key, nonce)
  if (aad.length > 0) cipher.setAAD(aad, { plaintextLength: plaintext.length })
  const body = cipher.update(plaintext)
  cipher.final()
  return Buffer.concat([nonce, body, cipher.getAuthTag()])
}

/** @throws {BadRequest} too short, altered, of another key, or with other additional data */
export function open(type: AeadType, key: KeyObject, sealed: Buffer, aad: Buffer = NO_AAD): Buffer {
  if (sealed.length < type.nonceBytes + TAG_BYTES) throw new BadRequest('invalid ciphertext length')
  const nonce = sealed.subarray(0, type.nonceBytes)
  const { cipher: algorithm } = type
  if (algorithm === 'xchacha20-poly1305') {
    return openExtended(key, nonce, sealed.subarray(type.nonceBytes), aad)
  }
  const tagAt = sealed.length - TAG_BYTES
  const decipher = decipherOf(algorithm, key, nonce)
  if (aad.length > 0) decipher.setAAD(aad, { plaintextLength: tagAt - type.nonceBytes })
  decipher.setAuthTag(sealed.subarray(tagAt))
  const plaintext = decipher.update(sealed.subarray(type.nonceBytes, tagAt))
  try {
    decipher.final()
  } catch {
    plaintext.fill(0)
    throw new BadRequest(
      (algorithm === 'chacha20-poly1305' ? 'chacha20poly1305' : 'cipher') + FAILED,
    )
  }
  return plaintext
}

function openExtended(key: KeyObject, nonce: Buffer, body: Buffer, aad: Buffer): Buffer {
  return withBytes(key, (bytes) => {
    try {
      return Buffer.from(xchacha20poly1305(bytes, nonce, aad).decrypt(body))
    } catch {
      throw new BadRequest(`chacha20poly1305${FAILED}`)
    }
  })
}

/** For what takes no KeyObject: the key's bytes, for no longer than it takes. */
function withBytes<T>(key: KeyObject, use: (bytes: Buffer) => T): T {
  const bytes = key.export()
  try {
    return use(bytes)
  } finally {
    bytes.fill(0)
  }
}

const TAG_OPTION = { authTagLength: TAG_BYTES } as const

function cipherOf(
  algorithm: Exclude<AeadType['cipher'], 'xchacha20-poly1305'>,
  key: KeyObject,
  nonce: Buffer,
) {
  return algorithm === 'chacha20-poly1305'
    ? createCipheriv(algorithm, key, nonce, TAG_OPTION)
    : createCipheriv(algorithm, key, nonce, TAG_OPTION)
}

function decipherOf(
  algorithm: Exclude<AeadType['cipher'], 'xchacha20-poly1305'>,
  key: KeyObject,
  nonce: Buffer,
) {
  return algorithm === 'chacha20-poly1305'
    ? createDecipheriv(algorithm, key, nonce, TAG_OPTION)
    : createDecipheriv(algorithm, key, nonce, TAG_OPTION)
}
