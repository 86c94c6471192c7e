import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadRequest } from '../errors.ts'
import { parseShare } from './share-text.ts'

test('a share is read from hex of either case and from base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 33 }), (bytes) => {
      const share = Buffer.from(bytes)
      expect(parseShare(share.toString('hex'))).toEqual(share)
      expect(parseShare(share.toString('hex').toUpperCase())).toEqual(share)
      // Base64 that happens to be hex of a fitting length is hex: 33 bytes are 44 characters of it, 22 bytes as hex.
      const base64 = share.toString('base64')
      if (!/^[0-9a-f]+$/i.test(base64)) expect(parseShare(base64)).toEqual(share)
    }),
  )
})

test('base64 is read with the line break that a paste brings along', () => {
  const share = Buffer.alloc(33, 0xfe)
  expect(parseShare(`${share.toString('base64')}\r\n`)).toEqual(share)
})

test.each([
  ['zz', "'key' must be a valid hex or base64 string"],
  ['!!!!', "'key' must be a valid hex or base64 string"],
  ['abcde', "'key' must be a valid hex or base64 string"],
  ['AAAA', 'invalid key: key is shorter than minimum 16 bytes'],
  [Buffer.alloc(15, 250).toString('base64'), 'invalid key: key is shorter than minimum 16 bytes'],
  [Buffer.alloc(34, 250).toString('base64'), 'invalid key: key is longer than maximum 33 bytes'],
  ['ab'.repeat(100_000), 'invalid key: key is longer than maximum 33 bytes'],
])('the text %.20s is refused with its reason', (text, reason) => {
  expect(() => parseShare(text)).toThrow(new BadRequest(reason))
})

test('any text gives a share of a fitting size or a refusal that does not repeat it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 3, maxLength: 200 }), (text) => {
      try {
        const { length } = parseShare(text)
        expect(length >= 16 && length <= 33).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(BadRequest)
        if (text.length > 20) expect(String(error)).not.toContain(text)
      }
    }),
  )
})
