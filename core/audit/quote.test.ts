import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringifyJson } from '../json.ts'
import { flat, quote, quoteList, quoteMap, sortedKeys } from './quote.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('<', '"', '\\', '\u2029', '\ud800', 'a', '\u001f', '\u007f'))
    .map((all) => all.join('')),
)

test('strings, lists and maps are quoted as answers are', () => {
  fc.assert(
    fc.property(text, fc.array(text), fc.dictionary(text, text), (one, list, map) => {
      expect(quote(one)).toBe(stringifyJson(one))
      expect(quoteList(list)).toBe(stringifyJson(list))
      expect(quoteMap(map)).toBe(stringifyJson(map))
    }),
  )
})

test('keys come sorted, those that look like numbers too', () => {
  expect(sortedKeys({ b: 1, 10: 1, a: 1, 9: 1 })).toEqual(['10', '9', 'a', 'b'])
  expect(sortedKeys({})).toEqual([])
})

test('a flat text is the text', () => {
  for (const one of ['', 'abc', `${'a'.repeat(30)}${'b'.repeat(30)}`]) expect(flat(one)).toBe(one)
})
