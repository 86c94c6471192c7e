/** Encrypts and decrypts one message with one version of a key. */
import { constants, privateDecrypt, publicEncrypt } from 'node:crypto'
import { BadRequest } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import { open, seal } from './aead.ts'
import {
  convergentNonce,
  demandContext,
  deriveConvergent,
  deriveKey,
  nonceKeyOf,
} from './derive.ts'
import type { AeadType, KeyType } from './key-types.ts'
import { typeOf, type Loaded } from './keys.ts'
import type { TransitKey } from './records.ts'

/** What goes with a message. */
export interface Circumstances {
  /** Empty: none. */
  readonly context: Buffer
  readonly associatedData: Buffer
}

const OAEP = {
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: 'sha256',
} as const
/** One text for whatever is wrong: it must not say how far decrypting came. */
const RSA_FAILED = 'failed to RSA decrypt the ciphertext: crypto/rsa: decryption error'

/** hot. @throws {BadRequest} the key cannot, or something is missing */
export function encrypt(
  key: TransitKey,
  loaded: Loaded,
  plaintext: Buffer,
  circumstances: Circumstances,
  random: Random,
): Buffer {
  const type = typeOf(key)
  switch (type.family) {
    case 'aead':
      return encryptAead(type, key, loaded, plaintext, circumstances, random)
    case 'rsa':
      return encryptRsa(loaded, plaintext)
    default:
      throw cannot('encryption', type)
  }
}

/** hot. @throws {BadRequest} the key cannot, something is missing, or the ciphertext is not of this key */
export function decrypt(
  key: TransitKey,
  loaded: Loaded,
  ciphertext: Buffer,
  circumstances: Circumstances,
): Buffer {
  const type = typeOf(key)
  switch (type.family) {
    case 'aead':
      return decryptAead(type, key, loaded, ciphertext, circumstances)
    case 'rsa':
      return decryptRsa(loaded, ciphertext)
    default:
      throw cannot('decryption', type)
  }
}

function encryptAead(
  type: AeadType,
  key: TransitKey,
  { version, material }: Loaded,
  plaintext: Buffer,
  { context, associatedData }: Circumstances,
  random: Random,
): Buffer {
  if (!key.derived) {
    return seal(type, material.key, random.nonce(type.nonceBytes), plaintext, associatedData)
  }
  demandContext(context)
  if (!key.convergent) {
    const derived = deriveKey(key.kdf, material.key, context, type.keyBytes)
    return seal(type, derived, random.nonce(type.nonceBytes), plaintext, associatedData)
  }
  if (version.convergentVersion < 3) {
    throw new BadRequest(
      `refusing to encrypt with old convergent encryption key: version ${version.convergentVersion}; rotate the key`,
    )
  }
  const convergent = deriveConvergent(key.kdf, material.key, context, type.keyBytes)
  const nonceKey =
    associatedData.length > 0
      ? nonceKeyOf(convergent.nonceKey, associatedData)
      : convergent.nonceKey
  const nonce = convergentNonce(nonceKey, plaintext, type.nonceBytes)
  return seal(type, convergent.key, nonce, plaintext, associatedData)
}

function decryptAead(
  type: AeadType,
  key: TransitKey,
  { material }: Loaded,
  ciphertext: Buffer,
  { context, associatedData }: Circumstances,
): Buffer {
  if (!key.derived) return open(type, material.key, ciphertext, associatedData)
  demandContext(context)
  return open(
    type,
    deriveKey(key.kdf, material.key, context, type.keyBytes),
    ciphertext,
    associatedData,
  )
}

/** RSAES-OAEP, SHA-256 for hash and mask, no label (RFC 8017, 7.1). */
function encryptRsa({ material }: Loaded, plaintext: Buffer): Buffer {
  const modulusBytes = (material.key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  if (plaintext.length > modulusBytes - 66) {
    throw new BadRequest(
      'failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size',
    )
  }
  return publicEncrypt({ key: material.key, ...OAEP }, plaintext)
}

function decryptRsa({ material }: Loaded, ciphertext: Buffer): Buffer {
  if (material.key.type !== 'private') {
    throw new BadRequest(
      'cannot decrypt ciphertext, key version does not have a private counterpart',
    )
  }
  try {
    return privateDecrypt({ key: material.key, ...OAEP }, ciphertext)
  } catch {
    throw new BadRequest(RSA_FAILED)
  }
}

export function cannot(what: 'encryption' | 'decryption', type: KeyType): BadRequest {
  return new BadRequest(`message ${what} not supported for key type ${type.name}`)
}
