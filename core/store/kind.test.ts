import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { CorruptRecord } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { kind } from './kind.ts'

const person = kind('person', z.object({ name: z.string(), age: z.number().optional() }))
const anything = kind('anything', z.custom<JsonObject>(isJsonObject))

function faultOf(text: string): CorruptRecord {
  try {
    person.decode('some/key', text)
  } catch (error) {
    if (error instanceof CorruptRecord) return error
    throw error
  }
  throw new Error('it was read')
}

test('a record is read as it was written', () => {
  expect(person.decode('k', person.encode({ name: 'Ada', age: 36 }))).toEqual({
    name: 'Ada',
    age: 36,
  })
})

test('numbers of a record keep their text', () => {
  const text = '[1,{"n":1.0,"big":12345678901234567890,"tiny":-0}]'
  expect(anything.encode(anything.decode('k', text))).toBe(text)
})

test('what was read cannot be changed, however deep', () => {
  const read = anything.decode('k', '[1,{"a":[{"c":1}]}]')
  const list = read['a']
  expect([read, list, Array.isArray(list) && list[0]].every(Object.isFrozen)).toBe(true)
})

describe('a damaged record names its key, and holds nothing of its content', () => {
  test.each([
    ['no JSON', 'canary'],
    ['cut off', '[1,{"name":"canary"'],
    ['of another shape', '{"name":"canary"}'],
    ['too many parts', '[1,{"name":"canary"},2]'],
    ['no version', '["canary",{"name":"canary"}]'],
    ['a field of another type', '[1,{"name":{"canary":1}}]'],
    ['a field missing', '[1,{"canary":"canary"}]'],
    ['of a newer version', '[2,{"name":"canary"}]'],
    ['empty', ''],
  ])('%s', (_what, text) => {
    const error = faultOf(text)
    expect(error.key).toBe('some/key')
    expect(error.message).toContain('some/key')
    expect(`${error.stack} ${String(error.cause)}`).not.toContain('canary')
  })
})

test('a record of a newer version says so to the operator', () => {
  expect(String(faultOf('[7,{}]').cause)).toContain('version 7')
})
