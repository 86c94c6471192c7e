/** Makes the material of a new version. */
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { Random } from '../../core/random.ts'
import type { KeyType, MlDsaType } from './key-types.ts'
import { Material } from './material.ts'
import type { KeyVersion, TransitKey } from './records.ts'

const HMAC_KEY_BYTES = 32
const DEFAULT_HMAC_KEY_BYTES = 32
/** The newest way to make nonces of convergent keys. */
const CONVERGENT_VERSION = 3
const PUBLIC_EXPONENT = 65537
/** On the threads of libuv: an RSA key takes up to seconds. */
const generatePair = promisify(generateKeyPair)

/** Of a key, what decides about its versions. */
export type VersionRules = Pick<TransitKey, 'derived' | 'convergent' | 'keySize'>

export interface MadeVersion {
  readonly material: Material
  readonly version: KeyVersion
}

export async function generateVersion(
  type: KeyType,
  rules: VersionRules,
  random: Random,
  nowMs: number,
): Promise<MadeVersion> {
  return versionOf(type, await generateKey(type, rules, random), rules, random, nowMs)
}

/** A version of a key that is given. */
export function versionOf(
  type: KeyType,
  key: KeyObject,
  rules: VersionRules,
  random: Random,
  nowMs: number,
): MadeVersion {
  // The HMACs of an hmac key are made with the key itself.
  const hmacKey = type.family === 'hmac' ? key : secret(random, HMAC_KEY_BYTES)
  return {
    material: new Material(key, hmacKey),
    version: {
      createdAtMs: nowMs,
      ...publicPart(type, key, rules),
      hasPrivate: key.type !== 'public',
      certificates: [],
      convergentVersion: rules.convergent ? CONVERGENT_VERSION : 0,
    },
  }
}

export function generateKey(
  type: KeyType,
  { keySize = DEFAULT_HMAC_KEY_BYTES }: VersionRules,
  random: Random,
): KeyObject | Promise<KeyObject> {
  switch (type.family) {
    case 'aead':
    case 'cmac':
      return secret(random, type.keyBytes)
    case 'ml-dsa':
      return generateMlDsa(type)
    case 'hmac':
      return secret(random, keySize)
    case 'ed25519':
      return ed25519Key(random.bytes(32))
    case 'x25519':
      return generatePair('x25519', {}).then(({ privateKey }) => privateKey)
    case 'ecdsa':
      return generatePair('ec', { namedCurve: type.curve }).then(({ privateKey }) => privateKey)
    case 'rsa':
      return generatePair('rsa', {
        modulusLength: type.modulusBits,
        publicExponent: PUBLIC_EXPONENT,
      }).then(({ privateKey }) => privateKey)
  }
}

/** One parameter set at a time: each is a kind of key of its own to node:crypto. */
async function generateMlDsa({ parameterSet }: MlDsaType): Promise<KeyObject> {
  switch (parameterSet) {
    case '44':
      return (await generatePair('ml-dsa-44', {})).privateKey
    case '65':
      return (await generatePair('ml-dsa-65', {})).privateKey
    case '87':
      return (await generatePair('ml-dsa-87', {})).privateKey
  }
}

function secret(random: Random, length: number): KeyObject {
  const bytes = random.bytes(length)
  try {
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

/** PKCS #8 of an Ed25519 key up to its seed (RFC 8410). */
const ED25519_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')

/** @param seed 32 bytes, which are zeroed */
export function ed25519Key(seed: Buffer): KeyObject {
  const der = Buffer.concat([ED25519_HEADER, seed])
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    der.fill(0)
    seed.fill(0)
  }
}

/** The 32 bytes of an Ed25519 public key: the end of its SPKI. */
export function ed25519PublicBytes(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** FIPS 204, table 2. */
const ML_DSA_PUBLIC_BYTES = { '44': 1312, '65': 1952, '87': 2592 } as const

/** A public key as FIPS 204 encodes it: the end of its SPKI. */
export function mlDsaPublicBytes({ parameterSet }: MlDsaType, key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return spki.subarray(-ML_DSA_PUBLIC_BYTES[parameterSet])
}

function publicPart(
  type: KeyType,
  key: KeyObject,
  { derived }: VersionRules,
): { publicKey?: string } {
  switch (type.family) {
    case 'aead':
    case 'hmac':
    case 'cmac':
      return {}
    case 'ed25519':
      return { publicKey: derived ? '' : ed25519PublicBytes(key).toString('base64') }
    case 'ml-dsa':
      return { publicKey: mlDsaPublicBytes(type, key).toString('base64') }
    case 'ecdsa':
    case 'rsa':
    case 'x25519':
      return { publicKey: publicPem(key) }
  }
}

export function publicPem(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return String(publicKey.export({ format: 'pem', type: 'spki' }))
}
