import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase64 } from './base64.ts'

/** What Go 1.26 makes of each: the bytes, encoded anew; or where it gives up. */
const GO: readonly (readonly [text: string, expected: string | number])[] = [
  ['', ''],
  ['QQ==', 'QQ=='],
  ['QQQ=', 'QQQ='],
  ['QQQQ', 'QQQQ'],
  ['QQ=\n=', 'QQ=='],
  ['Q\r\nQ==\n', 'QQ=='],
  ['QQQQ\n', 'QQQQ'],
  ['Q', 0],
  ['QQ', 0],
  ['QQQ', 0],
  ['QQQQQ', 4],
  ['QQ\n', 1],
  ['QQ=', 3],
  ['QQ=\n', 4],
  ['QQ=Q', 2],
  ['QQ=\nQ', 3],
  ['QQ===', 4],
  ['QQ==Q', 4],
  ['QQQ==', 4],
  ['QQQ=Q', 4],
  ['QQQ=\nQ', 5],
  ['=', 0],
  ['Q=', 1],
  ['QQQQ=', 4],
  ['-', 0],
  ['QQ-=', 2],
  ['QQQ-', 3],
  ['QQQQé', 4],
]

const shown = (found: Buffer | number) =>
  typeof found === 'number' ? found : found.toString('base64')

test.each(GO)('%j is read as Go does', (text, expected) => {
  expect(shown(decodeBase64(text))).toBe(expected)
})

test('bits that no byte takes are ignored', () => {
  expect(shown(decodeBase64('QR=='))).toBe('QQ==')
  expect(shown(decodeBase64('QQR='))).toBe('QQQ=')
})

test('any bytes are read back, wherever the lines break', () => {
  const breaks = fc.array(fc.tuple(fc.nat(), fc.constantFrom('\n', '\r\n', '\r')))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), breaks, (bytes, broken) => {
      let text = Buffer.from(bytes).toString('base64')
      for (const [where, line] of broken) {
        const at = where % (text.length + 1)
        text = text.slice(0, at) + line + text.slice(at)
      }
      expect(decodeBase64(text)).toEqual(Buffer.from(bytes))
    }),
  )
})

test('a letter too many, too few, or of the other alphabet is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), (bytes, where) => {
      const text = Buffer.from(bytes).toString('base64')
      const at = where % text.length
      expect(decodeBase64(text.slice(0, -1))).toBeTypeOf('number')
      expect(decodeBase64(`${text}A`)).toBeTypeOf('number')
      expect(decodeBase64(`${text.slice(0, at)}_${text.slice(at + 1)}`)).toBeTypeOf('number')
    }),
  )
})

test('a text of 12 megabytes is read, with a line break at the end too', () => {
  const bytes = Buffer.alloc(9_000_000, 7)
  const text = bytes.toString('base64')
  for (const one of [text, `${text}\n`]) {
    const found = decodeBase64(one)
    expect(typeof found !== 'number' && found.equals(bytes)).toBe(true)
  }
  expect(decodeBase64(`${text}!`)).toBe(text.length)
})
