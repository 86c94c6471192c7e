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

test('no nonce is drawn twice, over many draws of all sizes', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 20_000; i += 1) {
    const nonce = systemRandom.nonce(12 + (i % 53))
    expect(nonce.length).toBe(12 + (i % 53))
    seen.add(nonce.toString('latin1', 0, 12))
  }
  expect(seen.size).toBe(20_000)
})

test('a nonce stays as it is, whatever is drawn later', () => {
  const first = systemRandom.nonce(12)
  const copy = Buffer.from(first)
  for (let i = 0; i < 1000; i += 1) systemRandom.nonce(12).fill(0)
  expect(first.equals(copy)).toBe(true)
})
