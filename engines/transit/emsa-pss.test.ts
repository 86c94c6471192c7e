/** EMSA-PSS of our own against the one of OpenSSL, which hashes itself what it signs. */
import {
  constants,
  createHash,
  generateKeyPairSync,
  privateEncrypt,
  publicDecrypt,
  sign,
  verify,
} from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodePss, isPss } from './emsa-pss.ts'
import { HASHES } from './hashes.ts'

const BITS = 2048
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: BITS })
const RAW = { padding: constants.RSA_NO_PADDING }
const ENCODED_BITS = BITS - 1

describe.each([...HASHES])('%s', (_, hash) => {
  const longest = BITS / 8 - 2 - hash.bytes
  const digestOf = (message: Uint8Array) => createHash(hash.openssl).update(message).digest()
  const salts = fc.oneof(fc.constantFrom(0, hash.bytes, longest), fc.nat({ max: longest }))
  const padding = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })

  test('what is encoded here is verified there, with that salt and no other', () => {
    fc.assert(
      fc.property(fc.uint8Array(), salts, (message, saltLength) => {
        const salt = createHash('shake256', { outputLength: longest }).update(message).digest()
        const digest = digestOf(message)
        const encoded = encodePss(digest, salt.subarray(0, saltLength), ENCODED_BITS, hash)
        const signature = privateEncrypt({ key: privateKey, ...RAW }, encoded)
        const other = saltLength === 0 ? 1 : saltLength - 1
        const taken = (length: number) =>
          verify(hash.openssl, message, { key: publicKey, ...padding(length) }, signature)
        expect([taken(saltLength), taken(other)]).toEqual([true, false])
      }),
      { numRuns: 20 },
    )
  })

  test('what is signed there is taken here, whole, with that salt or any', () => {
    fc.assert(
      fc.property(fc.uint8Array(), salts, fc.nat(), (message, saltLength, where) => {
        const key = { key: privateKey, ...padding(saltLength) }
        const signature = sign(hash.openssl, message, key)
        const encoded = publicDecrypt({ key: publicKey, ...RAW }, signature)
        const digest = digestOf(message)
        const taken = (bytes: Buffer, length: number | undefined) =>
          isPss(bytes, digest, length, ENCODED_BITS, hash)
        expect([taken(encoded, saltLength), taken(encoded, undefined)]).toEqual([true, true])
        expect([taken(encoded, saltLength + 1), taken(encoded, saltLength - 1)]).toEqual([
          false,
          false,
        ])
        const altered = Buffer.from(encoded)
        const at = where % altered.length
        altered[at] = (altered[at] ?? 0) ^ (1 << (where % 8))
        expect(taken(altered, saltLength)).toBe(false)
        expect(taken(altered, undefined)).toBe(false)
        expect(taken(encoded.subarray(1), undefined)).toBe(false)
      }),
      { numRuns: 20 },
    )
  })
})
