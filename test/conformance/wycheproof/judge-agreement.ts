/** Judges of what two keys agree upon. */
import { createECDH, createPrivateKey, type KeyObject } from 'node:crypto'
import { sharedSecret } from '../../../engines/transit/agree.ts'
import { importKey, importPublicKey } from '../../../engines/transit/import.ts'
import type { KeyType } from '../../../engines/transit/key-types.ts'
import { taken, typeNamed, type JudgeOf } from './judges.ts'
import { bytesOf, textOf, type Case } from './vectors.ts'

/** The other's key is taken, and the secret is that of the vector. */
export const ecdh =
  (name: string): JudgeOf =>
  (group) => {
    const type = typeNamed(name)
    if (type === undefined) return undefined
    const isPem = group['encoding'] !== 'asn'
    return (one) => {
      // How much a decoder forgives is OpenSSL's.
      if (one.flags.some((flag) => flag === 'InvalidPem' || flag === 'InvalidAsn')) return []
      const verdict = taken(() => {
        const publicPem = isPem ? textOf(one, 'public') : pemOf(bytesOf(one, 'public'))
        const peer = importPublicKey(type, publicPem)
        const own = isPem ? privateOf(type, one) : k256Key(textOf(one, 'private'))
        return sharedSecret(own, peer).equals(bytesOf(one, 'shared'))
      })
      return [verdict]
    }
  }

function privateOf(type: KeyType, one: Case): KeyObject {
  const der = createPrivateKey(textOf(one, 'private')).export({ format: 'der', type: 'pkcs8' })
  return importKey(type, der)
}

function pemOf(der: Buffer): string {
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
}

/** @param hex a whole number, perhaps with a sign's zero before it */
function k256Key(hex: string): KeyObject {
  const number = Buffer.from(hex.padStart(64, '0').slice(-64), 'hex')
  const pair = createECDH('secp256k1')
  pair.setPrivateKey(number)
  const point = pair.getPublicKey()
  const text = (bytes: Buffer) => bytes.toString('base64url')
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'secp256k1',
      x: text(point.subarray(1, 33)),
      y: text(point.subarray(33)),
      d: text(number),
    },
  })
}
