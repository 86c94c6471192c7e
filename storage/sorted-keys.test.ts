import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareKeys, SortedKeys } from './sorted-keys.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 6 })

test('strings are ordered as their UTF-8 bytes are', () => {
  fc.assert(
    fc.property(text, text, (left, right) => {
      const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right))
      expect(Math.sign(compareKeys(left, right))).toBe(bytes)
    }),
    {
      examples: [
        ['\u{ffff}', '\u{1f511}'],
        ['\u{e000}', '\u{10000}'],
        ['a', 'ab'],
      ],
    },
  )
})

test('a hundred thousand keys in mixed order stay in order, through adding and deleting', () => {
  const keys = new SortedKeys()
  const names = Array.from(
    { length: 100_000 },
    (_, index) => `k${String((index * 7919) % 100_000).padStart(6, '0')}`,
  )
  for (const name of names) keys.add(name)
  for (const name of names) keys.add(name)
  const ordered = names.toSorted()
  expect(keys.scan('', undefined, Number.POSITIVE_INFINITY)).toEqual(ordered)
  expect(keys.scan('k050000', 'k050003', 99)).toEqual(['k050000', 'k050001', 'k050002'])
  for (const [index, name] of names.entries()) if (index % 10 !== 0) keys.delete(name)
  expect(keys.scan('', undefined, Number.POSITIVE_INFINITY)).toHaveLength(10_000)
  for (const name of names) keys.delete(name)
  expect(keys.scan('', undefined, 9)).toEqual([])
  keys.add('again')
  expect(keys.scan('', undefined, 9)).toEqual(['again'])
})
