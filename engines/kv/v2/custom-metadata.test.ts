import { expect, test } from 'vitest'
import { parseCustomMetadata, patchCustomMetadata } from './custom-metadata.ts'
import { parseObject } from '../../../test/support/json.ts'

const failed = 'custom_metadata validation failed: '

test('scalars become texts as the reference writes them', () => {
  const sent = parseObject('{"t":true,"f":false,"n":5,"r":1.50,"s":"x"}')
  expect(parseCustomMetadata(sent)).toEqual({ t: '1', f: '0', n: '5', r: '1.50', s: 'x' })
})

test('nothing at all is null', () => {
  expect(parseCustomMetadata({})).toBeNull()
  expect(patchCustomMetadata({ a: 'x' }, { a: null })).toBeNull()
})

test.each([
  ['the longest name', { ['k'.repeat(128)]: 'x' }],
  ['the longest value', { a: 'v'.repeat(512) }],
  ['letters of any script, and marks and symbols', { ключ: 'é 🔑 →' }],
  ['a name that means something to JavaScript', parseObject('{"__proto__":"x"}')],
])('%s is kept', (_what, sent) => {
  expect(JSON.stringify(parseCustomMetadata(sent))).toBe(JSON.stringify(sent))
})

test.each([
  ['', 'x', 'length of key "" is 0 but must be 0 < len(key) <= 128'],
  ['é'.repeat(65), 'x', `length of key "${'é'.repeat(65)}" is 130 but must be 0 < len(key) <= 128`],
  ['a', '', 'length of value for key "a" is 0 but must be 0 < len(value) <= 512'],
  ['a', 'v'.repeat(513), 'length of value for key "a" is 513 but must be 0 < len(value) <= 512'],
  ['a\u0007', 'x', 'key "a\\a" (a\u0007) contains unprintable characters'],
  ['a"\u00a0', 'x', 'key "a\\"\\u00a0" (a"\u00a0) contains unprintable characters'],
  ['a', 'x\ny', 'value for key "a" contains unprintable characters'],
])('the entry %j: %j is refused', (name, value, fault) => {
  const text = `1 error occurred:\n\t* ${failed}${fault}\n\n`
  expect(() => parseCustomMetadata({ [name]: value })).toThrow(
    expect.objectContaining({ status: 400, message: text }),
  )
})

test('all faults are told at once, in order', () => {
  expect(() => parseCustomMetadata({ z: '', '': 'x' })).toThrow(
    `2 errors occurred:\n\t* ${failed}length of key "" is 0 but must be 0 < len(key) <= 128\n` +
      `\t* ${failed}length of value for key "z" is 0 but must be 0 < len(value) <= 512\n\n`,
  )
})

test.each([
  ['map[string]interface {}', { a: { b: 1 } }],
  ['[]interface {}', { a: [1] }],
])('a nested value is refused, by its type %s', (type, sent) => {
  expect(() => parseCustomMetadata(sent)).toThrow(`got unconvertible type '${type}'`)
})

test('a patch keeps what it does not name', () => {
  expect(patchCustomMetadata({ a: 'x', b: 'y' }, { b: null, c: 'z' })).toEqual({ a: 'x', c: 'z' })
  expect(patchCustomMetadata(null, { a: 1 })).toEqual({ a: '1' })
})

test('more than 64 entries are refused, also when they come by and by', () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']))
  expect(Object.keys(parseCustomMetadata(many(64)) ?? {})).toHaveLength(64)
  const text = 'payload must contain at most 64 keys, provided 65'
  expect(() => parseCustomMetadata(many(65))).toThrow(text)
  expect(() => patchCustomMetadata(many(64), { other: 'v' })).toThrow(text)
})
