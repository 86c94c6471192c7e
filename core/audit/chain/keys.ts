/**
 * The key that signs the checkpoints of a device: Ed25519, made of the device's salt, so that all nodes have the same one
 * and it is as secret and as lasting as the salt.
 */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto'

const PURPOSE = 'keyhold audit chain, ed25519'
const SEED_BYTES = 32
/** Of an Ed25519 key in DER, up to the key itself (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** @param salt of the device; not kept */
export function signingKey(salt: Uint8Array): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', salt, '', PURPOSE, SEED_BYTES))
  const der = Buffer.concat([PRIVATE_PREFIX, seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  seed.fill(0)
  der.fill(0)
  return key
}

/** Base64 of the 32 bytes of the public key, as `sys/audit` shows it. */
export function publicKeyText(key: KeyObject): string {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return der.subarray(PUBLIC_PREFIX.length).toString('base64')
}

/** `undefined`: the text is no public key. */
export function parsePublicKey(text: string): KeyObject | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== SEED_BYTES || bytes.toString('base64') !== text) return undefined
  const der = Buffer.concat([PUBLIC_PREFIX, bytes])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}
