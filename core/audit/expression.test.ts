import { describe, expect, test } from 'vitest'
import { BadRequest } from '../errors.ts'
import { parsePredicate } from './expression.ts'

const ENTRY: Readonly<Record<string, string | readonly string[]>> = {
  type: 'kv',
  path: 'secret/data/app',
  empty: '',
  list: ['root', 'admin'],
}
const holds = (text: string) =>
  parsePredicate('filter', text, (name) => Object.hasOwn(ENTRY, name))((name) => ENTRY[name] ?? '')

describe('of an entry it holds that', () => {
  test.each([
    'type == kv',
    'type == "kv"',
    'type == `kv`',
    'type==kv',
    'type != transit',
    'path contains data/app',
    'path not contains other',
    '"data/" in path',
    'other not in path',
    'root in list',
    'list contains admin',
    'list not contains adm',
    'empty is empty',
    'path is not empty',
    'list is not empty',
    'not type == transit',
    'not not type == kv',
    'type == transit or path contains app',
    'type == kv and path contains app',
    'type == transit and type == x or type == kv',
    'type == kv or type == x and type == y',
    '(type == transit or type == kv) and not (path contains x or list contains y)',
    '  type  ==\tkv \n',
  ])('%s', (text) => {
    expect(holds(text)).toBe(true)
    expect(holds(`not (${text})`)).toBe(false)
  })
})

test('a text in quotes is a value, whatever stands in it', () => {
  expect(holds('type != "and"')).toBe(true)
  expect(holds('type != ")"')).toBe(true)
  expect(holds(String.raw`type != "a\"b"`)).toBe(true)
})

describe('is no predicate, and which word is wrong is said without repeating it', () => {
  test.each([
    ['', 'word 1 should be a name or a value'],
    ['canary == kv', 'word 1 names nothing that an entry has'],
    ['constructor == kv', 'word 1 names nothing that an entry has'],
    ['canary in canary', 'word 3 names nothing that an entry has'],
    ['type', 'word 2 should be ==, !=, "in", "contains" or "is"'],
    ['type matches canary', 'word 2 should be ==, !=, "in", "contains" or "is"'],
    ['type ==', 'word 3 should be a name or a value'],
    ['type == ==', 'word 3 should be a name or a value'],
    ['type is canary', 'word 3 should be "empty"'],
    ['type not canary', 'word 3 should be "in" or "contains"'],
    ['(type == kv', 'word 5 should be ")"'],
    ['type == kv)', 'word 4 should be "and", "or" or the end'],
    ['type == kv canary', 'word 4 should be "and", "or" or the end'],
    ['type = kv', 'no word can begin at character 5'],
    ['type == "kv', 'no word can begin at character 8'],
    [`type == ${'x'.repeat(5_000)}`, 'may have up to 4096 characters'],
  ])('%s', (text, fault) => {
    expect(() => holds(text)).toThrow(BadRequest)
    expect(() => holds(text)).toThrow(`"filter"${fault.startsWith('may') ? ' ' : ': '}${fault}`)
    expect(() => holds(text)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('canary') }),
    )
  })
})

test('the deepest that fits is read', () => {
  const nested = (depth: number) => `${'('.repeat(depth)}type == kv${')'.repeat(depth)}`
  expect(holds(nested(63))).toBe(true)
  expect(holds(`${nested(63)} and ${nested(63)}`)).toBe(true)
  expect(() => holds(nested(64))).toThrow('"filter" may be nested 64 deep')
  expect(() => holds(`${'not '.repeat(1_000)}type == kv`)).toThrow('nested 64 deep')
})
