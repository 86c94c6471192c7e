/** Signs and verifies one message with one version of a key. */
import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { BadRequest } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import { HASHES, type HashAlgorithm } from './hashes.ts'
import type { KeyType } from './key-types.ts'
import { typeOf, type Loaded } from './keys.ts'
import type { TransitKey } from './records.ts'
import { isEcdsaDer, signEcdsa, verifyEcdsa } from './sign-ecdsa.ts'
import { derivedEd25519, publicBase64 } from './sign-ed25519.ts'
import { signRsa, verifyRsa } from './sign-rsa.ts'

/** How it is signed, as a request says it. */
export interface Scheme {
  /** `undefined`: the input itself is signed. */
  readonly hash: HashAlgorithm | undefined
  readonly prehashed: boolean
  readonly padding: 'pss' | 'pkcs1v15'
  readonly marshaling: 'asn1' | 'jws'
  readonly saltLength: 'auto' | 'hash' | number
}

/** The fields of a request that say it. */
export interface SchemeTexts {
  readonly hash: string
  readonly prehashed: boolean
  readonly signatureAlgorithm: string
  readonly marshaling: string
  readonly saltLength: string
}

const WHOLE = /^[+-]?\d{1,9}$/

/** @throws {BadRequest} there is no such algorithm */
export function readScheme(texts: SchemeTexts): Scheme {
  const { prehashed, signatureAlgorithm: algorithm } = texts
  if (algorithm !== '' && algorithm !== 'pss' && algorithm !== 'pkcs1v15') {
    throw new BadRequest('unsupported rsa signature algorithm; it is "pss" or "pkcs1v15"')
  }
  const padding = algorithm === 'pkcs1v15' ? 'pkcs1v15' : 'pss'
  if (texts.marshaling !== 'asn1' && texts.marshaling !== 'jws') {
    throw new BadRequest('invalid marshaling type; it is "asn1" or "jws"')
  }
  const hash = HASHES.get(texts.hash)
  if (hash === undefined && texts.hash !== 'none') {
    throw new BadRequest(
      `invalid hash algorithm; it is one of ${[...HASHES.keys()].join(', ')}, none`,
    )
  }
  if (hash === undefined && !(prehashed && padding === 'pkcs1v15')) {
    throw new BadRequest(
      'hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15',
    )
  }
  const { marshaling } = texts
  return { hash, prehashed, padding, marshaling, saltLength: saltLengthOf(texts.saltLength) }
}

/** For Go, and so for clients, 0 is `auto` and -1 is `hash`. */
function saltLengthOf(text: string): Scheme['saltLength'] {
  if (text === 'auto' || text === '0') return 'auto'
  if (text === 'hash' || text === '-1') return 'hash'
  if (WHOLE.test(text)) return Number(text)
  throw new BadRequest("salt length neither 'auto', 'hash', nor an int")
}

export interface Signed {
  readonly signature: Buffer
  /** Of the key that was derived for the context, in base64. */
  readonly publicKey?: string
}

/** hot. @throws {BadRequest} the key cannot sign so */
export async function signMessage(
  key: TransitKey,
  loaded: Loaded,
  { input, context }: { readonly input: Buffer; readonly context: Buffer },
  scheme: Scheme,
  random: Random,
): Promise<Signed> {
  const type = typeOf(key)
  demandPrivate(type, loaded)
  const { key: own } = loaded.material
  switch (type.family) {
    case 'ed25519': {
      if (!key.derived) return { signature: sign(null, input, own) }
      const derived = deriving(() => derivedEd25519(key, loaded, context))
      return { signature: sign(null, input, derived), publicKey: publicBase64(derived) }
    }
    case 'ecdsa': {
      const { marshaling, prehashed } = scheme
      const options = { hash: demandHash(scheme), marshaling, prehashed }
      return { signature: await signEcdsa(type, own, input, options, random) }
    }
    case 'ml-dsa':
      return { signature: sign(null, input, own) }
    case 'rsa':
      return { signature: await signRsa(own, input, scheme, random) }
    default:
      throw cannotSign(type, 'signing')
  }
}

/** hot. @throws {BadRequest} the key cannot verify, or it is no signature at all */
export function isSigned(
  key: TransitKey,
  loaded: Loaded,
  { input, context, signature }: Readonly<Record<'input' | 'context' | 'signature', Buffer>>,
  scheme: Scheme,
): boolean | Promise<boolean> {
  const type = typeOf(key)
  const { key: own } = loaded.material
  switch (type.family) {
    case 'ed25519': {
      const used = key.derived ? deriving(() => derivedEd25519(key, loaded, context)) : own
      return verify(null, input, publicOf(used), signature)
    }
    case 'ecdsa': {
      const { marshaling, prehashed } = scheme
      if (marshaling === 'asn1' && !isEcdsaDer(signature)) {
        throw new BadRequest('supplied signature is invalid')
      }
      const options = { hash: demandHash(scheme), marshaling, prehashed }
      return verifyEcdsa(type, publicOf(own), input, signature, options)
    }
    case 'ml-dsa':
      return verify(null, input, publicOf(own), signature)
    case 'rsa':
      return verifyRsa(publicOf(own), input, signature, scheme)
    default:
      throw cannotSign(type, 'verification')
  }
}

const publicHalves = new WeakMap<KeyObject, KeyObject>()

/** Made once for each key. */
function publicOf(key: KeyObject): KeyObject {
  if (key.type === 'public') return key
  let half = publicHalves.get(key)
  if (half === undefined) {
    half = createPublicKey(key)
    publicHalves.set(key, half)
  }
  return half
}

function demandHash({ hash }: Scheme): HashAlgorithm {
  if (hash !== undefined) return hash
  throw new BadRequest('hash_algorithm=none is for RSA keys')
}

function demandPrivate(type: KeyType, { version }: Loaded): void {
  if (type.signs && !version.hasPrivate) {
    throw new BadRequest('requested version for signing does not contain a private part')
  }
}

function deriving<T>(derive: () => T): T {
  try {
    return derive()
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    throw new BadRequest(`error deriving key: ${error.message}`)
  }
}

export function cannotSign(type: KeyType, what: 'signing' | 'verification'): BadRequest {
  return new BadRequest(`key type ${type.name} does not support ${what}`)
}
