import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { describe, expect, test } from 'vitest'
import { KEY_TYPES, type EcdsaType } from './key-types.ts'
import {
  ecKey,
  ecNumbers,
  precomputed,
  rsaKey,
  rsaNumbers,
  rsaPublicKey,
  rsaPublicNumbers,
} from './numbers.ts'

const der = (key: KeyObject) =>
  key.type === 'private'
    ? key.export({ format: 'der', type: 'pkcs8' })
    : key.export({ format: 'der', type: 'spki' })

const CURVES = [...KEY_TYPES.values()].filter((type) => type.family === 'ecdsa')

describe.each(CURVES.map((type) => [type.name, type] as const))('%s', (_, type) => {
  test('a key is the same, made of its numbers', () => {
    for (let i = 0; i < 30; i++) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: type.curve })
      expect(der(ecKey(type, ecNumbers(privateKey)))).toEqual(der(privateKey))
      expect(der(ecKey(type, ecNumbers(publicKey)))).toEqual(der(publicKey))
    }
  })

  test('a point beside the curve is no key', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: type.curve })
    const numbers = ecNumbers(publicKey)
    expect(() => ecKey(type, { ...numbers, x: numbers.x + 1n })).toThrow()
    expect(() => ecKey(type, { ...numbers, x: 0n, y: 0n })).toThrow()
  })
})

test('small private numbers keep their leading zeroes', () => {
  const curves = { prime256v1: p256, secp384r1: p384, secp521r1: p521 }
  const nist = CURVES.flatMap((type): (readonly [EcdsaType, typeof p256])[] =>
    type.curve === 'secp256k1' ? [] : [[type, curves[type.curve]]],
  )
  fc.assert(
    fc.property(fc.constantFrom(...nist), fc.bigInt({ min: 1n, max: 2n ** 40n }), (one, d) => {
      const [type, curve] = one
      const { x, y } = curve.Point.BASE.multiply(d).toAffine()
      const key = ecKey(type, { x, y, d })
      expect(ecNumbers(key)).toEqual({ x, y, d })
      expect(ecNumbers(createPublicKey(key))).toEqual({ x, y, d: undefined })
    }),
    { numRuns: 60 },
  )
})

test.each([2048, 3072])(
  'an RSA key of %i bits is the same, made of its numbers',
  (modulusLength) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
    const numbers = rsaNumbers(privateKey)
    const { p, q, d } = numbers
    const { dp, dq, qInv } = precomputed(numbers)
    expect(der(rsaKey(numbers))).toEqual(der(privateKey))
    expect(der(rsaPublicKey(rsaPublicNumbers(publicKey)))).toEqual(der(publicKey))
    expect([dp, dq, (qInv * q) % p]).toEqual([d % (p - 1n), d % (q - 1n), 1n])
    expect(() => rsaKey({ ...numbers, n: numbers.n + 2n })).toThrow('product of its primes')
  },
)
