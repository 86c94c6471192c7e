/** RSA signatures (RFC 8017): PSS and PKCS #1 v1.5, of a message or of its digest. On the threads of libuv where it is slow. */
import {
  constants,
  privateEncrypt,
  publicDecrypt,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import { BadRequest } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import { encodePss, isPss } from './emsa-pss.ts'
import type { HashAlgorithm } from './hashes.ts'

export interface RsaScheme {
  readonly padding: 'pss' | 'pkcs1v15'
  /** `undefined`: the input is signed as it is. */
  readonly hash: HashAlgorithm | undefined
  /** The input is the digest. */
  readonly prehashed: boolean
  /** `auto`: the longest when signing, any when verifying. */
  readonly saltLength: 'auto' | 'hash' | number
}

const signLater = promisify(
  (
    algorithm: string,
    data: Buffer,
    key: Parameters<typeof sign>[2],
    callback: (error: Error | null, signature: Buffer) => void,
  ) => sign(algorithm, data, key, callback),
)

/** @throws {BadRequest} the salt does not fit, or the input is no digest */
export async function signRsa(
  key: KeyObject,
  input: Buffer,
  scheme: RsaScheme,
  random: Random,
): Promise<Buffer> {
  const { hash, padding, prehashed } = scheme
  if (hash === undefined || prehashed) return signDigest(key, input, scheme, random)
  if (padding === 'pkcs1v15') {
    return signLater(hash.openssl, input, { key, padding: constants.RSA_PKCS1_PADDING })
  }
  const saltLength = signingSalt(key, hash, scheme)
  return signLater(hash.openssl, input, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength,
  })
}

function signDigest(key: KeyObject, digest: Buffer, scheme: RsaScheme, random: Random): Buffer {
  const { hash, padding } = scheme
  if (hash === undefined) {
    if (digest.length > bitsOf(key) / 8 - PKCS1_BYTES) {
      throw new BadRequest('crypto/rsa: message too long for RSA key size')
    }
    return privateEncrypt({ key, ...PKCS1 }, digest)
  }
  if (digest.length !== hash.bytes) {
    throw new BadRequest('crypto/rsa: input must be hashed with given hash')
  }
  if (padding === 'pkcs1v15') {
    return privateEncrypt({ key, ...PKCS1 }, Buffer.concat([hash.digestInfo, digest]))
  }
  const salt = random.bytes(signingSalt(key, hash, scheme))
  const encoded = encodePss(digest, salt, bitsOf(key) - 1, hash)
  return privateEncrypt({ key, ...RAW }, encoded)
}

/** What PKCS #1 v1.5 puts around a message at least (RFC 8017, 9.2). */
const PKCS1_BYTES = 11
const PKCS1 = { padding: constants.RSA_PKCS1_PADDING }
const RAW = { padding: constants.RSA_NO_PADDING }

/** @throws {BadRequest} there is no salt of that length */
export function verifyRsa(
  key: KeyObject,
  input: Buffer,
  signature: Buffer,
  scheme: RsaScheme,
): boolean {
  const { hash, padding, prehashed, saltLength } = scheme
  if (hash !== undefined && padding === 'pss') demandSalt(key, hash, saltLength)
  if (signature.length !== bitsOf(key) / 8) return false
  if (hash === undefined || prehashed) return verifyDigest(key, input, signature, scheme)
  if (padding === 'pkcs1v15') {
    return verify(hash.openssl, input, { key, ...PKCS1 }, signature)
  }
  const length =
    saltLength === 'auto'
      ? constants.RSA_PSS_SALTLEN_AUTO
      : saltLength === 'hash'
        ? constants.RSA_PSS_SALTLEN_DIGEST
        : saltLength
  const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: length }
  return verify(hash.openssl, input, options, signature)
}

function verifyDigest(
  key: KeyObject,
  digest: Buffer,
  signature: Buffer,
  scheme: RsaScheme,
): boolean {
  const { hash, padding, saltLength } = scheme
  if (hash !== undefined && digest.length !== hash.bytes) return false
  if (padding === 'pkcs1v15') {
    const wanted = hash === undefined ? digest : Buffer.concat([hash.digestInfo, digest])
    const opened = opening(() => publicDecrypt({ key, ...PKCS1 }, signature))
    return opened?.length === wanted.length && timingSafeEqual(opened, wanted)
  }
  if (hash === undefined) return false
  const encoded = opening(() => publicDecrypt({ key, ...RAW }, signature))
  const bits = bitsOf(key) - 1
  const length = saltLength === 'auto' ? undefined : saltLength === 'hash' ? hash.bytes : saltLength
  return encoded !== undefined && isPss(encoded, digest, length, bits, hash)
}

/** What OpenSSL cannot open is no signature. */
function opening(open: () => Buffer): Buffer | undefined {
  try {
    return open()
  } catch {
    return undefined
  }
}

/** @throws {BadRequest} so long a salt does not fit */
function signingSalt(key: KeyObject, hash: HashAlgorithm, { saltLength }: RsaScheme): number {
  demandSalt(key, hash, saltLength)
  if (saltLength === 'auto') return longestSalt(key, hash)
  return saltLength === 'hash' ? hash.bytes : saltLength
}

function demandSalt(
  key: KeyObject,
  hash: HashAlgorithm,
  saltLength: RsaScheme['saltLength'],
): void {
  if (typeof saltLength === 'string') return
  if (saltLength >= 0 && saltLength <= longestSalt(key, hash)) return
  throw new BadRequest(`requested salt length ${saltLength} is invalid`)
}

function longestSalt(key: KeyObject, hash: HashAlgorithm): number {
  return bitsOf(key) / 8 - 2 - hash.bytes
}

function bitsOf(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0
}
