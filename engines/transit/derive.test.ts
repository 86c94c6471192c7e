import { createSecretKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { deriveBytes } from './derive.ts'

const KEY = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))

/** What HKDF-SHA-256 of Python's `cryptography` makes of so many letters `c`. */
const DERIVED: readonly (readonly [number, string])[] = [
  [
    1024,
    'afaae651bcad51ce80eb043d1bf9e31af5188e92071e11b18ebdfab13c5e24af83f2b0d02263631599fe29756d22b05bc983504f3a8a3e724d7a1e19bfaea3f1',
  ],
  [
    1025,
    '974f9ce7f7ff11cfa5f1d9dd74ee21c08b42025cefb1c52db5a2ae69cde751bcd87157683bbcb89f5ef168ce109bbb098765cd8eb3fb9aab1a01ba156a0addb3',
  ],
  [
    5000,
    'efac2a6f023e6d0e6df3040fe4642096fb44dc989d618ac1680912ccfba8d5c6938a1b29846c54997f660602e1bcf1ffbcfb8c1d2c2b4bbbe26a4f758323e9e5',
  ],
]

test.each(DERIVED)('a context of %i bytes derives the key of RFC 5869', (bytes, expected) => {
  const context = Buffer.alloc(bytes, 'c')
  for (const length of [16, 32, 64]) {
    const derived = deriveBytes('hkdf_sha256', KEY, context, length)
    expect(derived.toString('hex')).toBe(expected.slice(0, length * 2))
  }
})
