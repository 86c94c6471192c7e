import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stripValues } from './strip-values.ts'
import { parseObject } from '../../../test/support/json.ts'

const secret = { a: 1, o: { p: 1, q: { r: [1, 2], s: {} } }, l: [{ x: 1 }], n: null, e: {} }

test.each([
  [0, { a: null, o: { p: null, q: { r: null, s: null } }, l: null, n: null, e: null }],
  [1, { a: null, o: null, l: null, n: null, e: null }],
  [2, { a: null, o: { p: null, q: null }, l: null, n: null, e: null }],
  [-1, { a: null, o: null, l: null, n: null, e: null }],
])('to depth %d names are shown and nothing else', (depth, names) => {
  expect(stripValues(secret, depth)).toEqual(names)
})

test('whatever the secret, no value of it is left', () => {
  const secrets = fc.dictionary(fc.string(), fc.jsonValue())
  fc.assert(
    fc.property(secrets, fc.integer({ min: -1, max: 4 }), (value, depth) => {
      const shape = stripValues(parseObject(JSON.stringify(value)), depth)
      expect(leaves(shape).every((leaf) => leaf === null)).toBe(true)
      expect(Object.keys(shape).sort()).toEqual(Object.keys(value).sort())
    }),
  )
})

function leaves(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(leaves)
    : [value]
}
