/** Keys that come from outside: as PKCS #8, raw bytes, or the public half alone (contract: engines-core.md, 2.8). */
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { BadRequest } from '../../core/errors.ts'
import { elements } from './der-reader.ts'
import type { KeyType } from './key-types.ts'

const MIN_HMAC_BYTES = 32
const MAX_HMAC_BYTES = 512
const FAILED = 'error importing key: '
const NONE = Buffer.alloc(0)

/** @param target its bytes, which stay the caller's @throws {BadRequest} they are no key of that type */
export function importKey(type: KeyType, target: Buffer): KeyObject {
  if (type.family === 'aead' || type.family === 'hmac' || type.family === 'cmac') {
    return importSecret(type, target)
  }
  return demandOfType(type, privateKeyOf(target))
}

function importSecret(type: KeyType, target: Buffer): KeyObject {
  const fits =
    type.family === 'aead' || type.family === 'cmac'
      ? target.length === type.keyBytes
      : target.length >= MIN_HMAC_BYTES && target.length <= MAX_HMAC_BYTES
  if (!fits) {
    throw new BadRequest(
      `${FAILED}invalid key size ${target.length} bytes for key type ${type.name}`,
    )
  }
  return createSecretKey(target)
}

function privateKeyOf(der: Buffer): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    if (key.asymmetricKeyType === 'rsa-pss') key = rsaKeyOf(der)
  } catch {
    throw new BadRequest(`${FAILED}it is no private key in PKCS #8 form`)
  }
  if (key.asymmetricKeyType === 'rsa') demandTwoPrimes(key)
  return key
}

/** Some name a key for PSS alone; here it is an RSA key as any other. @param der PKCS #8: version, algorithm, PKCS #1 */
function rsaKeyOf(der: Buffer): KeyObject {
  const [outer] = elements(der)
  const [, , inner] = elements(outer?.content ?? NONE)
  return createPrivateKey({ key: inner?.content ?? der, format: 'der', type: 'pkcs1' })
}

/** A backup holds two primes, and so do the forms that keys are exported in. */
function demandTwoPrimes(key: KeyObject): void {
  const der = key.export({ format: 'der', type: 'pkcs1' })
  const [outer] = elements(der)
  const [version] = elements(outer?.content ?? NONE)
  const isMulti = version?.content[0] !== 0
  der.fill(0)
  if (isMulti) throw new BadRequest(`${FAILED}an RSA key must have two primes, not more`)
}

/** @throws {BadRequest} it is no public key of that type */
export function importPublicKey(type: KeyType, pem: string): KeyObject {
  if (!type.hasPublicHalf) {
    throw new BadRequest('provided type does not support public_key import')
  }
  return demandOfType(type, publicKeyOf(pem))
}

/** @throws {BadRequest} */
export function publicKeyOf(pem: string): KeyObject {
  try {
    return createPublicKey({ key: pem, format: 'pem', type: 'spki' })
  } catch {
    throw new BadRequest(`${FAILED}it is no public key in PEM form`)
  }
}

const GO_NAMES: Readonly<Record<string, string>> = {
  rsa: '*rsa.PublicKey',
  ec: '*ecdsa.PublicKey',
  ed25519: 'ed25519.PublicKey',
}

/** @throws {BadRequest} it is a key of another type */
export function demandOfType(type: KeyType, key: KeyObject): KeyObject {
  const { asymmetricKeyType: family = '', asymmetricKeyDetails: details = {} } = key
  const fits =
    (type.family === 'ed25519' && family === 'ed25519') ||
    (type.family === 'x25519' && family === 'x25519') ||
    (type.family === 'ml-dsa' && family === type.name) ||
    (type.family === 'ecdsa' && family === 'ec' && details.namedCurve === type.curve) ||
    (type.family === 'rsa' && family === 'rsa' && details.modulusLength === type.modulusBits)
  if (fits && type.family === 'ecdsa' && !namesItsCurve(key)) {
    throw new BadRequest(`${FAILED}its curve must be named, not described`)
  }
  if (fits) return key
  throw new BadRequest(
    `${FAILED}invalid key type: expected ${type.name}, got ${GO_NAMES[family] ?? 'another'}`,
  )
}

const OBJECT_IDENTIFIER = 0x06

/** A curve that is described instead of named may be another than it looks like (RFC 5480, 2.1.1). */
function namesItsCurve(key: KeyObject): boolean {
  const half = key.type === 'private' ? createPublicKey(key) : key
  const [outer] = elements(half.export({ format: 'der', type: 'spki' }))
  const [algorithm] = elements(outer?.content ?? Buffer.alloc(0))
  const [, parameters] = elements(algorithm?.content ?? Buffer.alloc(0))
  return parameters?.tag === OBJECT_IDENTIFIER
}

/** Whether a private key is the other half of a public one. */
export function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  return createPublicKey(privateKey).equals(publicKey)
}
