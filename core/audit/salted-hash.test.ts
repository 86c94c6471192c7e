import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SaltedHash } from './salted-hash.ts'

/** RFC 4231, section 4, but for case 5 (truncated output). */
const RFC_4231 = [
  [
    '0b'.repeat(20),
    '4869205468657265',
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'aa'.repeat(20),
    'dd'.repeat(50),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    '0102030405060708090a0b0c0d0e0f10111213141516171819',
    'cd'.repeat(50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  [
    'aa'.repeat(131),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    'aa'.repeat(131),
    Buffer.from(
      'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
    ).toString('hex'),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
] as const

describe('the hash is HMAC-SHA256', () => {
  test.each(RFC_4231)('of RFC 4231: key %s', (key, message, expected) => {
    const hash = new SaltedHash(Buffer.from(key, 'hex'))
    const bytes = Buffer.from(message, 'hex')
    expect(hash.of(bytes)).toBe(`hmac-sha256:${expected}`)
    const text = bytes.toString('utf8')
    if (Buffer.from(text).equals(bytes)) expect(hash.of(text)).toBe(`hmac-sha256:${expected}`)
  })

  test('as node:crypto computes it, for any salt and any text, short or long', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 1000, max: 1100 }).map((length) => '\u20ac'.repeat(length)),
      fc
        .array(fc.integer({ min: 0xd7ff, max: 0xe001 }))
        .map((units) => String.fromCharCode(...units)),
    )
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 140 }),
        text,
        text,
        (salt, one, other) => {
          const hash = new SaltedHash(salt)
          for (const input of [one, other, one]) {
            const expected = `hmac-sha256:${createHmac('sha256', salt).update(input).digest('hex')}`
            expect(hash.of(input)).toBe(expected)
            expect(hash.ofCredential(input)).toBe(expected)
            expect(hash.of(Buffer.from(input))).toBe(expected)
          }
        },
      ),
    )
  })
})

test('more credentials than are remembered still have the right hash', () => {
  const hash = new SaltedHash(Buffer.from('salt'))
  const first = hash.ofCredential('token-0')
  for (let i = 1; i < 5000; i++) hash.ofCredential(`token-${i}`)
  expect(hash.ofCredential('token-0')).toBe(first)
  expect(hash.ofCredential('token-4999')).toBe(hash.of('token-4999'))
})

test('the salt that was given may be zeroed', () => {
  const salt = Buffer.from('salt')
  const hash = new SaltedHash(salt)
  const before = hash.of('x')
  salt.fill(0)
  expect(hash.of('x')).toBe(before)
  expect(hash.of('x'.repeat(2000))).toBe(new SaltedHash(Buffer.from('salt')).of('x'.repeat(2000)))
})

test('once closed it no longer hashes under the salt', () => {
  const hash = new SaltedHash(Buffer.from('salt'))
  const before = hash.ofCredential('x')
  hash.close()
  expect(hash.ofCredential('x')).not.toBe(before)
})
