import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadRequest } from '../../core/errors.ts'
import { readVersioned, versionedText } from './versioned.ts'

const WORDS = 'invalid ciphertext'

test('what is written is read back, for every version that may be used', () => {
  const versions = fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.nat())
  fc.assert(
    fc.property(versions, fc.string(), ([latestVersion, a, b], body) => {
      const minDecryptionVersion = 1 + (a % latestVersion)
      const version = 1 + (b % latestVersion)
      const key = { latestVersion, minDecryptionVersion }
      const attempt = () => readVersioned(versionedText(version, body), key, WORDS)
      if (version < minDecryptionVersion) expect(attempt).toThrow('too old')
      else expect(attempt()).toEqual({ version, body })
    }),
  )
})

test('whatever is sent, it is refused or of a version that there is', () => {
  const key = { latestVersion: 3, minDecryptionVersion: 2 }
  const texts = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `vault:v${rest}`),
    fc.tuple(fc.string({ maxLength: 4 }), fc.string()).map(([v, body]) => `vault:v${v}:${body}`),
    fc.tuple(fc.integer(), fc.string()).map(([v, body]) => `vault:v${v}:${body}`),
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { version, body } = readVersioned(text, key, WORDS)
        expect([2, 3]).toContain(version)
        expect(text.endsWith(`:${body}`)).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(BadRequest)
      }
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['vault:v0:x', 1],
  ['vault:v1:x', 1],
  ['vault:v01:x', 1],
  ['vault:v+2:x', 2],
  ['vault:v2:x:y', 2],
])('%s is of version %i', (text, version) => {
  const key = { latestVersion: 2, minDecryptionVersion: 1 }
  expect(readVersioned(text, key, WORDS).version).toBe(version)
})

test.each([
  ['', 'no prefix'],
  ['Vault:v1:x', 'no prefix'],
  ['vault:1:x', 'no prefix'],
  ['vault:v1', 'wrong number of fields'],
  ['vault:v:x', 'version number could not be decoded'],
  ['vault:v1.5:x', 'version number could not be decoded'],
  ['vault:v 1:x', 'version number could not be decoded'],
  ['vault:v0x1:x', 'version number could not be decoded'],
  ['vault:v3:x', 'version is too new'],
  ['vault:v9999999999:x', 'version is too new'],
  ['vault:v-1:x', 'too old'],
])('%j is refused: %s', (text, why) => {
  const key = { latestVersion: 2, minDecryptionVersion: 1 }
  expect(() => readVersioned(text, key, WORDS)).toThrow(why)
})
