import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  escapeHtml,
  flat,
  isJsonObject,
  parseJson,
  quote,
  sortedKeys,
  stringifyJson,
} from './json.ts'
import { deepFreeze } from './store/kind.ts'
import { parseObject } from '../test/support/json.ts'

describe('numbers keep their text', () => {
  test.each([
    '0',
    '-0',
    '1',
    '-1',
    '1.0',
    '1.50',
    '-0.0',
    '1e3',
    '1E3',
    '1e+3',
    '1e-7',
    '0.1',
    '123456789012345',
    '9007199254740991',
    '9007199254740993',
    '-9223372036854775808',
    '18446744073709551615',
    '123456789012345678901234567890',
    '3.141592653589793238462643',
    '1e400',
    '-1e-400',
    '100000000000000000000',
  ])('%s', (number) => {
    for (const json of [number, `[${number}]`, `{"a":${number}}`, `{"a":[{"b":[1,${number}]}]}`]) {
      expect(stringifyJson(parseJson(json))).toBe(json)
    }
  })

  test('wherever a number may stand', () => {
    for (const json of [
      '[ 1.0]',
      '{"a" : 1.0}',
      '[0,\n-0]',
      '\t1e3',
      '[[1.50],\r2]',
      '{"a":[\n1.0\n]}',
    ]) {
      expect(stringifyJson(parseJson(json))).toBe(json.replaceAll(/\s/g, ''))
    }
  })

  test('in any place, and not in strings', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseJson(JSON.stringify(value))
        expect(JSON.parse(stringifyJson(parsed))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    expect(stringifyJson(parseJson('{"a":"1.0","1.0":"-0"}'))).toBe('{"1.0":"-0","a":"1.0"}')
  })

  test('a number whose text JavaScript keeps stays a number', () => {
    expect(parseJson('[1, 2.5, -3, 1e3]')).toMatchObject([1, 2.5, -3, { rawJSON: '1e3' }])
  })
})

describe('output is as Go’s encoder writes it', () => {
  test('keys are sorted, those that look like numbers too', () => {
    const value = { b: 1, a: { '10': 1, '9': 2, '1': 3, z: 4, A: 5 }, '2': 6, '10': 7 }
    expect(stringifyJson(value)).toBe('{"10":7,"2":6,"a":{"1":3,"10":1,"9":2,"A":5,"z":4},"b":1}')
  })

  test('sorted whatever the order in which they came', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary-ascii' }), fc.jsonValue()), (object) => {
        const keys = Object.keys(parseObject(stringifyJson(object)))
        const text = stringifyJson(object)
        const places = keys
          .filter((key) => !/^\d+$/.test(key))
          .map((key) => text.indexOf(`${escapeHtml(JSON.stringify(key))}:`))
        expect(keys.sort()).toEqual(Object.keys(object).sort())
        expect(places.every((place) => place > 0)).toBe(true)
      }),
    )
  })

  test.each([
    ['<a href="x">&', '"\\u003ca href=\\"x\\"\\u003e\\u0026"'],
    ['\u2028\u2029', '"\\u2028\\u2029"'],
    ['\u0000\u001f\n\t', '"\\u0000\\u001f\\n\\t"'],
    ['é€😀\u007f', '"é€😀\u007f"'],
  ])('%j', (text, json) => {
    expect(stringifyJson(text)).toBe(json)
    expect(stringifyJson({ z: text, a: [text] })).toBe(`{"a":[${json}],"z":${json}}`)
  })

  test('times are RFC 3339, members without a value are left out, an absent item is null', () => {
    const at = new Date('2026-01-02T03:04:05.600Z')
    expect(stringifyJson({ b: undefined, a: at, c: [at, undefined] })).toBe(
      '{"a":"2026-01-02T03:04:05.6Z","c":["2026-01-02T03:04:05.6Z",null]}',
    )
  })
})

test('a string is quoted as Go quotes it, whatever is in it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom('<', '"', '\\', '\u2029', '\ud800', 'a', '\u001f', '\u007f'))
      .map((all) => all.join('')),
  )
  fc.assert(
    fc.property(text, (one) => {
      expect(quote(one)).toBe(escapeHtml(JSON.stringify(one)))
    }),
  )
})

test('what is frozen reads the same, the first time and later', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const expected = stringifyJson(value)
      const frozen = deepFreeze(structuredClone(value))
      expect(stringifyJson(frozen)).toBe(expected)
      expect(stringifyJson({ a: frozen })).toBe(`{"a":${expected}}`)
    }),
  )
  const numbers = deepFreeze(parseJson('{"a":1.0,"b":[2.50]}'))
  expect([stringifyJson(numbers), stringifyJson([numbers])]).toEqual([
    '{"a":1.0,"b":[2.50]}',
    '[{"a":1.0,"b":[2.50]}]',
  ])
})

test('keys come sorted, those that look like numbers too', () => {
  expect(sortedKeys({ b: 1, 10: 1, a: 1, 9: 1 })).toEqual(['10', '9', 'a', 'b'])
  expect(sortedKeys({})).toEqual([])
})

test('a flat text is the text', () => {
  for (const one of ['', 'abc', `${'a'.repeat(30)}${'b'.repeat(30)}`]) expect(flat(one)).toBe(one)
})

test('names that objects have by birth are names like any other', () => {
  const json = '{"__proto__":{"a":1},"constructor":1,"toString":2}'
  const parsed = parseJson(json)
  expect(stringifyJson(parsed)).toBe(json)
  expect(isJsonObject(parsed) && Reflect.get(parsed, 'a')).toBeUndefined()
  expect(Reflect.get({}, 'a')).toBeUndefined()
})

test('deep values keep their numbers; beyond some thousand levels a text counts as no JSON', () => {
  const nested = (depth: number) => `${'{"b":[1.0,'.repeat(depth)}0${']}'.repeat(depth)}`
  expect(stringifyJson(parseJson(nested(150)))).toBe(nested(150))
  expect(() => parseJson(nested(100_000))).toThrow(SyntaxError)
})

test('a number that is kept by its text is no object', () => {
  expect(isJsonObject(parseJson('1.0'))).toBe(false)
  expect([null, [], 'a', 1, true].some(isJsonObject)).toBe(false)
  expect(isJsonObject({})).toBe(true)
})
