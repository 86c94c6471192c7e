/** The types of keys and what each can do (contract: engines-core.md, 2.1). */

interface Common {
  readonly name: string
  readonly encrypts: boolean
  readonly signs: boolean
  /** It and a public key of its kind give a secret. */
  readonly agrees: boolean
  /** A key for each context can be derived from it. */
  readonly derives: boolean
  /** The public half can be imported alone. */
  readonly hasPublicHalf: boolean
  /** In backups (2.9). */
  readonly backupNumber: number
}

export interface AeadType extends Common {
  readonly family: 'aead'
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305' | 'xchacha20-poly1305'
  readonly keyBytes: 16 | 32
  readonly nonceBytes: 12 | 24
}

export interface RsaType extends Common {
  readonly family: 'rsa'
  readonly modulusBits: 2048 | 3072 | 4096
}

export interface EcdsaType extends Common {
  readonly family: 'ecdsa'
  /** As OpenSSL names it, and as answers do. */
  readonly curve: 'prime256v1' | 'secp384r1' | 'secp521r1' | 'secp256k1'
  readonly shownName: 'P-256' | 'P-384' | 'P-521' | 'secp256k1'
  /** Bytes of a coordinate. */
  readonly fieldBytes: 32 | 48 | 66
}

export interface Ed25519Type extends Common {
  readonly family: 'ed25519'
}

export interface HmacType extends Common {
  readonly family: 'hmac'
}

/** FIPS 204. */
export interface MlDsaType extends Common {
  readonly family: 'ml-dsa'
  readonly parameterSet: '44' | '65' | '87'
}

/** NIST SP 800-38B. */
export interface CmacType extends Common {
  readonly family: 'cmac'
  readonly keyBytes: 16 | 32
}

/** RFC 7748. */
export interface X25519Type extends Common {
  readonly family: 'x25519'
}

export type KeyType =
  | AeadType
  | RsaType
  | EcdsaType
  | Ed25519Type
  | X25519Type
  | HmacType
  | MlDsaType
  | CmacType

const NEITHER = {
  encrypts: false,
  signs: false,
  agrees: false,
  derives: false,
  hasPublicHalf: false,
}

function aead(
  name: string,
  cipher: AeadType['cipher'],
  keyBytes: 16 | 32,
  backupNumber: number,
): AeadType {
  const nonceBytes = cipher === 'xchacha20-poly1305' ? 24 : 12
  const can = { ...NEITHER, encrypts: true, derives: true }
  return { ...can, family: 'aead', name, cipher, keyBytes, nonceBytes, backupNumber }
}

function rsa(modulusBits: RsaType['modulusBits'], backupNumber: number): RsaType {
  const can = { ...NEITHER, encrypts: true, signs: true, hasPublicHalf: true }
  return { ...can, family: 'rsa', name: `rsa-${modulusBits}`, modulusBits, backupNumber }
}

function ecdsa(
  name: string,
  of: Pick<EcdsaType, 'curve' | 'shownName' | 'fieldBytes'>,
  backupNumber: number,
): EcdsaType {
  return {
    ...NEITHER,
    signs: true,
    agrees: true,
    hasPublicHalf: true,
    family: 'ecdsa',
    name,
    backupNumber,
    ...of,
  }
}

function mlDsa(parameterSet: MlDsaType['parameterSet'], backupNumber: number): MlDsaType {
  const can = { ...NEITHER, signs: true, hasPublicHalf: true }
  return { ...can, family: 'ml-dsa', name: `ml-dsa-${parameterSet}`, parameterSet, backupNumber }
}

function cmac(keyBytes: CmacType['keyBytes'], backupNumber: number): CmacType {
  return { ...NEITHER, family: 'cmac', name: `aes${keyBytes * 8}-cmac`, keyBytes, backupNumber }
}

/** Numbers in backups that neither Vault nor OpenBao has. */
const OWN_NUMBER = 20_000

const ALL: readonly KeyType[] = [
  aead('aes256-gcm96', 'aes-256-gcm', 32, 0),
  aead('aes128-gcm96', 'aes-128-gcm', 16, 8),
  aead('chacha20-poly1305', 'chacha20-poly1305', 32, 5),
  aead('xchacha20-poly1305', 'xchacha20-poly1305', 32, 11),
  ecdsa('ecdsa-p256', { curve: 'prime256v1', shownName: 'P-256', fieldBytes: 32 }, 1),
  ecdsa('ecdsa-p384', { curve: 'secp384r1', shownName: 'P-384', fieldBytes: 48 }, 6),
  ecdsa('ecdsa-p521', { curve: 'secp521r1', shownName: 'P-521', fieldBytes: 66 }, 7),
  {
    ...NEITHER,
    signs: true,
    derives: true,
    hasPublicHalf: true,
    family: 'ed25519',
    name: 'ed25519',
    backupNumber: 2,
  },
  rsa(2048, 3),
  rsa(3072, 9),
  rsa(4096, 4),
  { ...NEITHER, family: 'hmac', name: 'hmac', backupNumber: 10 },
  cmac(16, 12),
  cmac(32, 13),
  ecdsa(
    'ecdsa-secp256k1',
    { curve: 'secp256k1', shownName: 'secp256k1', fieldBytes: 32 },
    OWN_NUMBER,
  ),
  mlDsa('44', OWN_NUMBER + 1),
  mlDsa('65', OWN_NUMBER + 2),
  mlDsa('87', OWN_NUMBER + 3),
  {
    ...NEITHER,
    agrees: true,
    hasPublicHalf: true,
    family: 'x25519',
    name: 'x25519',
    backupNumber: OWN_NUMBER + 4,
  },
]

export const KEY_TYPES: ReadonlyMap<string, KeyType> = new Map(ALL.map((type) => [type.name, type]))
export const DEFAULT_KEY_TYPE = 'aes256-gcm96'

export function isKeyTypeName(name: string): boolean {
  return KEY_TYPES.has(name)
}
