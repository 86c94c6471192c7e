import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadRequest, FieldError } from '../errors.ts'
import { parseJson, type Json } from '../json.ts'
import {
  anything,
  boolean,
  caselessName,
  duration,
  integer,
  integers,
  keyValues,
  list,
  mountPath,
  object,
  oneOf,
  signedDuration,
  string,
  stringArray,
  type Field,
} from './fields.ts'

const REFUSED = Symbol('refused')

/** What the field makes of each of these; the inputs are JSON, as they come over the wire. */
function table(name: string, field: Field<unknown>, rows: readonly (readonly [string, unknown])[]) {
  describe(name, () => {
    test.each(rows)('%s', (json, expected) => {
      const parse = () => field.parse('f', parseJson(json))
      if (expected === REFUSED) expect(parse).toThrow(BadRequest)
      else expect(parse()).toEqual(expected)
    })
  })
}

table('a text is a text, and so are numbers and booleans', string(''), [
  ['"a"', 'a'],
  ['""', ''],
  ['" a "', ' a '],
  ['1', '1'],
  ['1.0', '1.0'],
  ['1e3', '1e3'],
  ['-0', '-0'],
  ['12345678901234567890', '12345678901234567890'],
  ['true', '1'],
  ['false', '0'],
  ['[]', REFUSED],
  ['{}', REFUSED],
])

table('a whole number, also as a text in any base', integer(''), [
  ['5', 5],
  ['-5', -5],
  ['"5"', 5],
  ['" 5 "', 5],
  ['"+5"', 5],
  ['"0x1F"', 31],
  ['"-0x1F"', -31],
  ['"0o17"', 15],
  ['"017"', 15],
  ['"0b101"', 5],
  ['""', 0],
  ['true', 1],
  ['false', 0],
  ['1.5', REFUSED],
  ['1.0', REFUSED],
  ['1e3', REFUSED],
  ['"1.5"', REFUSED],
  ['"a"', REFUSED],
  ['"1_000"', REFUSED],
  ['"089"', 89],
  ['9007199254740993', REFUSED],
  ['"99999999999999999999"', REFUSED],
  ['[]', REFUSED],
  ['[1]', REFUSED],
  ['{}', REFUSED],
])

table('true and false in all their spellings', boolean(''), [
  ...['true', '"true"', '"True"', '"TRUE"', '"t"', '"T"', '"1"', '1', '2', '-1', '0.5'].map(
    (json) => [json, true] as const,
  ),
  ...['false', '"false"', '"False"', '"FALSE"', '"f"', '"F"', '"0"', '0', '""'].map(
    (json) => [json, false] as const,
  ),
  ...['"yes"', '"tRUE"', '" true"', '"on"', '[]', '{}', '[true]'].map(
    (json) => [json, REFUSED] as const,
  ),
])

table('a span in whole seconds', duration(''), [
  ['90', 90],
  ['"90"', 90],
  ['"90s"', 90],
  ['"1h30m"', 5400],
  ['"2d"', 172_800],
  ['""', 0],
  ['"500ms"', 0],
  ['"1.5s"', 1],
  ['1.5', 1],
  ['"1h1.9s"', 3601],
  ['0', 0],
  ['-1', REFUSED],
  ['"-1s"', REFUSED],
  ['"-500ms"', REFUSED],
  ['"1w"', REFUSED],
  ['"1d1h"', REFUSED],
  ['"a"', REFUSED],
  ['true', REFUSED],
  ['[]', REFUSED],
  ['{}', REFUSED],
  ['1e400', REFUSED],
  ['99999999999999999999', REFUSED],
])

table('a span that may be negative', signedDuration(''), [
  ['-1', -1],
  ['"-1h"', -3600],
  ['"-500ms"', 0],
  ['"-1.5s"', -1],
  ['60', 60],
])

table('a list: an array, or a text with commas', list(''), [
  ['["a","b"]', ['a', 'b']],
  ['"a,b"', ['a', 'b']],
  ['" a , ,b, "', ['a', 'b']],
  ['""', []],
  ['[]', []],
  ['["a,b"]', ['a,b']],
  ['[" a ",""]', ['a']],
  ['[1,true]', ['1', '1']],
  ['"[\\"a\\",\\"b\\"]"', ['a', 'b']],
  ['"[a,b]"', ['[a', 'b]']],
  ['5', ['5']],
  ['[["a"]]', REFUSED],
  ['[{}]', REFUSED],
  ['{}', REFUSED],
])

table('an array of texts: a text is its only element', stringArray(''), [
  ['["a","b,c"]', ['a', 'b,c']],
  ['"a,b"', ['a,b']],
  ['""', []],
  ['[1]', ['1']],
  ['[{}]', REFUSED],
  ['{}', REFUSED],
])

table('whole numbers: an array, or a text with commas', integers(''), [
  ['[1,"2"]', [1, 2]],
  ['"1, 2"', [1, 2]],
  ['3', [3]],
  ['""', []],
  ['["a"]', REFUSED],
  ['[[1]]', REFUSED],
  ['{}', REFUSED],
])

table('pairs: an object of texts, or k=v', keyValues(''), [
  ['{"a":"b","c":1}', { a: 'b', c: '1' }],
  ['{}', {}],
  ['""', {}],
  ['"a=b"', { a: 'b' }],
  ['["a=b","c=d=e"]', { a: 'b', c: 'd=e' }],
  ['[" a = b "]', { a: 'b' }],
  ['"a"', REFUSED],
  ['["a=b","c"]', REFUSED],
  ['{"a":{}}', REFUSED],
  ['{"a":[]}', REFUSED],
])

table('an object', object(''), [
  ['{"a":[1]}', { a: [1] }],
  ['[]', REFUSED],
  ['"a"', REFUSED],
  ['1.0', REFUSED],
])

table('one of a few words', oneOf(['a', 'b'], ''), [
  ['"a"', 'a'],
  ['"A"', REFUSED],
  ['""', REFUSED],
  ['[]', REFUSED],
])

table('a name without case', caselessName(''), [['"WeB"', 'web']])
table('the path of a mount', mountPath(''), [
  ['"a/b/"', 'a/b'],
  ['"a"', 'a'],
])

test('a name that objects have by birth is a key like any other', () => {
  const pairs = keyValues('').parse('f', parseJson('{"__proto__":"x","constructor":"y"}'))
  expect(Object.entries(pairs ?? {})).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
  expect(Object.entries(keyValues('').parse('f', '__proto__=x') ?? {})).toEqual([
    ['__proto__', 'x'],
  ])
})

test('an error names the field', () => {
  expect(() => integer('').parse('num_uses', 'x')).toThrow(/field "num_uses"/)
  expect(() => boolean('').parse('renewable', [])).toThrow(FieldError)
})

describe('no error holds anything of the value', () => {
  const fields: Readonly<Record<string, Field<unknown>>> = {
    string: string(''),
    integer: integer(''),
    boolean: boolean(''),
    duration: duration(''),
    signedDuration: signedDuration(''),
    list: list(''),
    stringArray: stringArray(''),
    integers: integers(''),
    keyValues: keyValues(''),
    object: object(''),
    anything: anything(''),
    oneOf: oneOf(['a', 'b'], ''),
    caselessName: caselessName(''),
    required: string('').required(),
    withDefault: boolean('').default(false),
    checked: string('').check((text) => (text === '' ? undefined : 'it must be empty')),
  }
  const CANARY = 'kaNarIenvogel'
  const leaf = fc.oneof(
    fc.constantFrom<Json>(
      CANARY,
      `${CANARY}s`,
      `1h${CANARY}`,
      `${CANARY}=`,
      `0x${CANARY}`,
      `[${CANARY}`,
      `["${CANARY}"`,
    ),
    fc.string().map((text): Json => text + CANARY + text),
  )
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { minLength: 1, maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', CANARY), tie('value'), { minKeys: 1, maxKeys: 2 }),
    ),
  }))

  test.each(Object.entries(fields))('%s', (_name, field) => {
    fc.assert(
      fc.property(value, (input) => {
        try {
          field.parse('f', input)
        } catch (error) {
          expect(error).toBeInstanceOf(BadRequest)
          expect(String(error).toLowerCase()).not.toContain(CANARY.toLowerCase())
        }
      }),
    )
  })
})
