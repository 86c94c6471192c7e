import { expect, test } from 'vitest'
import { base62, systemRandom } from './random.ts'

test('a base62 string draws each character equally: bytes beyond the last whole round are thrown away', () => {
  const bytes = Buffer.from([0, 61, 62, 247, 248, 255, 9, 10, 35, 36])
  expect(base62(8, () => bytes)).toBe('0z0z9AZa')
})

test('it has the length that was asked for, and is another each time', () => {
  const texts = Array.from({ length: 500 }, () => systemRandom.base62(24))
  expect(texts.every((text) => /^[0-9A-Za-z]{24}$/.test(text))).toBe(true)
  expect(new Set(texts).size).toBe(500)
})
