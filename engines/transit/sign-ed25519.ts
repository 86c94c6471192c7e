/** Ed25519 keys for a context (contract: engines-core.md, 2.5). */
import type { KeyObject } from 'node:crypto'
import { createSecretKey } from 'node:crypto'
import { demandContext, deriveBytes } from './derive.ts'
import { ed25519Key, ed25519PublicBytes } from './generate.ts'
import type { Loaded } from './keys.ts'
import type { TransitKey } from './records.ts'

/** The 32 bytes that an Ed25519 key is made of: the end of its PKCS #8. The caller zeroes them. */
function ed25519Seed(key: KeyObject): Buffer {
  const der = key.export({ format: 'der', type: 'pkcs8' })
  const seed = Buffer.from(der.subarray(-32))
  der.fill(0)
  return seed
}

/** Seed and public key, as Go has a private key. The caller zeroes them. */
export function ed25519Pair(key: KeyObject): Buffer {
  const seed = ed25519Seed(key)
  const pair = Buffer.concat([seed, ed25519PublicBytes(key)])
  seed.fill(0)
  return pair
}

/** The key for a context: what is derived of both halves together is its seed. @throws {BadRequest} no context */
export function derivedEd25519(
  { kdf }: Pick<TransitKey, 'kdf'>,
  { material }: Loaded,
  context: Buffer,
): KeyObject {
  demandContext(context)
  const pair = ed25519Pair(material.key)
  const base = createSecretKey(pair)
  pair.fill(0)
  return ed25519Key(deriveBytes(kdf, base, context, 32))
}

export function publicBase64(key: KeyObject): string {
  return ed25519PublicBytes(key).toString('base64')
}
