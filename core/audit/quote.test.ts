import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringifyJson } from '../json.ts'
import { quoteList, quoteMap } from './quote.ts'

const text = fc.string({ unit: 'binary' })

test('lists and maps are quoted as answers are', () => {
  fc.assert(
    fc.property(fc.array(text), fc.dictionary(text, text), (list, map) => {
      expect(quoteList(list)).toBe(stringifyJson(list))
      expect(quoteMap(map)).toBe(stringifyJson(map))
    }),
  )
})
