/** Agreement on a secret: ECDH (NIST SP 800-56A Rev. 3, 5.7.1.2) and X25519 (RFC 7748, 6.1). */
import { diffieHellman, type KeyObject } from 'node:crypto'
import { BadRequest } from '../../core/errors.ts'
import { importPublicKey } from './import.ts'
import { demandUsable, typeOf } from './keys.ts'
import { versionOfMade, type User } from './use.ts'

export interface Peer {
  /** Its public key, in PEM. */
  readonly publicKey: string
  readonly key: { readonly name: string; readonly version: number }
  /** What is said where there is no such key. */
  readonly missing: string
}

/**
 * The secret of a key of ours and a public one: the x-coordinate of the point, or what X25519 gives. Whoever has it zeroes it.
 *
 * @param key its name, and the version; 0: the newest
 * @throws {BadRequest} the keys do not go together
 */
export async function agreeWith(
  user: User,
  { key: { name, version }, publicKey, missing }: Peer,
): Promise<{ secret: Buffer; version: number }> {
  const key = await demandUsable(user.storage, name, 'agree', missing)
  const type = typeOf(key)
  if (!type.agrees)
    throw new BadRequest(`keys of type ${type.name} agree with no other: use an EC key, or x25519`)
  const peer = importPublicKey(type, publicKey)
  const { number, material } = await versionOfMade(user, key, version || key.latestVersion, 'agree')
  if (material.key.type !== 'private') {
    throw new BadRequest('the version of the base key has only a public half')
  }
  return { secret: sharedSecret(material.key, peer), version: number }
}

/** @throws {BadRequest} the peer's key is of so small an order that everybody knows the secret */
export function sharedSecret(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  try {
    return diffieHellman({ privateKey, publicKey })
  } catch {
    throw new BadRequest('the peer public key gives no secret')
  }
}
