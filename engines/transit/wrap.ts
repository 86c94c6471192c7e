/**
 * Keys on their way between servers: RSA-OAEP of an AES key, then AES-KWP (RFC 5649) of the key itself
 * (contract: engines-core.md, 2.8).
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  privateDecrypt,
  publicEncrypt,
  type KeyObject,
} from 'node:crypto'
import { BadRequest } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'

/** By their names on the wire, in lower case. */
const OAEP_HASHES: ReadonlyMap<string, string> = new Map(
  ['sha1', 'sha224', 'sha256', 'sha384', 'sha512'].map((name) => [name, name]),
)

const KWP = 'id-aes256-wrap-pad'
const KWP_IV = Buffer.from('a65959a6', 'hex')
const AES_KEY_BYTES = 32
/** One text for whatever is wrong: it must not say how far decrypting came. */
const FAILED = 'crypto/rsa: decryption error'

/** @throws {BadRequest} there is no such hash */
export function oaepHash(name: string): string {
  const hash = OAEP_HASHES.get(name.toLowerCase())
  if (hash !== undefined) return hash
  throw new BadRequest(`unknown hash function; it is one of ${[...OAEP_HASHES.keys()].join(', ')}`)
}

/** @param target its bytes, which stay the caller's */
export function wrapKey(to: KeyObject, target: Buffer, hash: string, random: Random): Buffer {
  const aesKey = random.bytes(AES_KEY_BYTES)
  try {
    const wrapped = publicEncrypt(
      { key: to, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash },
      aesKey,
    )
    const cipher = createCipheriv(KWP, aesKey, KWP_IV)
    return Buffer.concat([wrapped, cipher.update(target), cipher.final()])
  } finally {
    aesKey.fill(0)
  }
}

/** @returns the key's bytes, which the caller zeroes @throws {BadRequest} it is not for this wrapping key */
export function unwrapKey(from: KeyObject, blob: Buffer, hash: string): Buffer {
  const rsaBytes = (from.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  if (blob.length <= rsaBytes) throw new BadRequest('provided ciphertext is too short')
  let aesKey: Buffer | undefined
  try {
    aesKey = privateDecrypt(
      { key: from, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash },
      blob.subarray(0, rsaBytes),
    )
    const decipher = createDecipheriv(KWP, aesKey, KWP_IV)
    return Buffer.concat([decipher.update(blob.subarray(rsaBytes)), decipher.final()])
  } catch {
    throw new BadRequest(FAILED)
  } finally {
    aesKey?.fill(0)
  }
}
