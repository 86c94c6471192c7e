import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { CorruptRecord } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { claimedTerm, openRecord, openWith, sealRecord, sealWith } from './sealed-record.ts'

const Vectors = z.object({
  vectors: z.array(
    z.object({
      id: z.number(),
      expect: z.enum(['valid', 'invalid']),
      comment: z.string(),
      key: z.string(),
      nonce: z.string(),
      aad: z.string(),
      plaintext: z.string(),
      ciphertext: z.string(),
      tag: z.string(),
    }),
  ),
})

const file = new URL('../../test/vectors/aes-256-gcm.json', import.meta.url)
const { vectors } = Vectors.parse(JSON.parse(readFileSync(file, 'utf8')))
const hex = (text: string) => Buffer.from(text, 'hex')

describe('Wycheproof vectors of AES-256-GCM', () => {
  for (const vector of vectors) {
    test(`${vector.id} is ${vector.expect}: ${vector.comment}`, () => {
      const key = createSecretKey(hex(vector.key))
      const [nonce, aad] = [hex(vector.nonce), hex(vector.aad)]
      const open = () =>
        openWith(key, nonce, aad, hex(vector.ciphertext), hex(vector.tag)).toString('hex')

      if (vector.expect === 'invalid') {
        expect(open).toThrow()
      } else {
        expect(open()).toBe(vector.plaintext)
        expect(sealWith(key, nonce, aad, hex(vector.plaintext)).toString('hex')).toBe(
          vector.ciphertext + vector.tag,
        )
      }
    })
  }
})

const key = createSecretKey(systemRandom.bytes(32))
const seal = (term: number, storageKey: string, plaintext: Buffer | string) =>
  sealRecord(key, term, systemRandom.bytes(12), storageKey, plaintext)

test('a sealed record is term, nonce, ciphertext and tag', () => {
  const nonce = systemRandom.bytes(12)
  const sealed = sealRecord(key, 0x01020304, nonce, 'a/b', 'four')

  expect(sealed.length).toBe(4 + 12 + 4 + 16)
  expect(sealed.subarray(0, 4)).toEqual(Buffer.from([1, 2, 3, 4]))
  expect(sealed.subarray(4, 16)).toEqual(nonce)
  expect(claimedTerm(sealed)).toBe(0x01020304)
})

test('what was sealed opens under its key and under no other', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(text, text, fc.uint8Array({ maxLength: 300 }), (name, other, bytes) => {
      const sealed = seal(7, name, Buffer.from(bytes))
      expect(openRecord(key, name, sealed)).toEqual(Buffer.from(bytes))
      if (other !== name) expect(() => openRecord(key, other, sealed)).toThrow(CorruptRecord)
    }),
  )
})

test('a text is sealed as its UTF-8', () => {
  expect(openRecord(key, 'k', seal(1, 'k', 'grün €')).toString()).toBe('grün €')
})

test('no bit of a sealed record can be flipped', () => {
  const sealed = seal(1, 'core/x', 'a value of some length')
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const altered = Buffer.from(sealed)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => openRecord(key, 'core/x', altered), `bit ${bit}`).toThrow(CorruptRecord)
  }
})

test('a sealed record does not open at any shorter or longer length', () => {
  const sealed = seal(1, 'core/x', 'a value')
  for (let length = 0; length < sealed.length; length += 1) {
    expect(() => openRecord(key, 'core/x', sealed.subarray(0, length))).toThrow(CorruptRecord)
  }
  expect(() => openRecord(key, 'core/x', Buffer.concat([sealed, Buffer.from([0])]))).toThrow(
    CorruptRecord,
  )
})

test('the error names the record and carries nothing of its content', () => {
  const sealed = seal(1, 'core/x', 'a-canary-in-the-mine')
  sealed[20] = (sealed[20] ?? 0) ^ 1
  const error = (() => {
    try {
      return openRecord(key, 'core/x', sealed)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toMatchObject({ key: 'core/x', status: 500 })
  expect(`${String(error)}${JSON.stringify(error)}`).not.toContain('canary')
})
