import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HclError } from './errors.ts'
import { parseHcl } from './parse.ts'
import { blocksOf, plainOf, type Plain } from './read.ts'
import { isList, type Json } from '../json.ts'

function plain(text: string): Plain {
  return plainOf(parseHcl(text))
}

function failure(text: string): string {
  try {
    parseHcl(text)
  } catch (error) {
    if (error instanceof HclError) return error.message
    throw error
  }
  throw new Error('it was read')
}

describe('HCL is read', () => {
  test('with every kind of value', () => {
    const text = `
      # one kind of comment
      // another
      /* and a third,
         of two lines */
      a = "text" b = 1, c = -2.5e3
      d = true
      e = [1, "two", false, [3], { four = 4 },]
      f = {
        g = "h"
        "i j" = 0x10
        mode = 0600
      }
      empty {}
      list = []
    `
    expect(plain(text)).toEqual({
      a: 'text',
      b: 1,
      c: -2500,
      d: true,
      e: [1, 'two', false, [3], { four: 4 }],
      f: { g: 'h', 'i j': 16, mode: 0o600 },
      empty: {},
      list: [],
    })
  })

  test('with escapes in strings', () => {
    expect(plain(String.raw`a = "\"\\\n\t\x41\101\u00e9\U0001F600"`)).toEqual({ a: '"\\\n\tAAé😀' })
  })

  test('with heredocs, whose indentation is that of the marker', () => {
    expect(plain('a = <<EOF\n  x\n EOF y\nEOF\nb = <<-X\n    one\n      two\n    X\n')).toEqual({
      a: '  x\n EOF y\n',
      b: 'one\n  two\n',
    })
    expect(plain('a = <<-X\n  one\nshallow\n  X\n')).toEqual({ a: '  one\nshallow\n' })
    expect(plain('a = <<EOF\r\nx\r\nEOF\r\n')).toEqual({ a: 'x\n' })
    expect(plain('a = <<EOF\nEOF')).toEqual({ a: '' })
  })

  test('with blocks, labels and repeated keys in order', () => {
    const parsed = parseHcl('path "a" { n = 1 } path "b" { n = 2 }\npath "a" { n = 3 }')
    expect(
      blocksOf(parsed, 'path', 1).map(({ labels, at, body }) => [labels, at, plainOf(body)]),
    ).toEqual([
      [['a'], { line: 1, column: 1 }, { n: 1 }],
      [['b'], { line: 1, column: 20 }, { n: 2 }],
      [['a'], { line: 2, column: 1 }, { n: 3 }],
    ])
    expect(plain('a "b" "c" { d = 1 }')).toEqual({ a: { b: { c: { d: 1 } } } })
  })

  test('with the place of each key and value', () => {
    const [item] = parseHcl('\n  # é\n  key\n    = "v"').items
    expect(item?.at).toEqual({ line: 3, column: 3 })
    expect(item?.assignedAt).toEqual({ line: 4, column: 5 })
    expect(item?.value.at).toEqual({ line: 4, column: 7 })
  })

  test('with a byte order mark, and empty', () => {
    expect(plain('\uFEFFa = 1')).toEqual({ a: 1 })
    expect(plain('')).toEqual({})
    expect(plain('# nothing')).toEqual({})
  })

  test('keeps the text of numbers, for those that a double cannot hold', () => {
    expect(parseHcl('a = 12345678901234567890').items[0]?.value).toMatchObject({
      text: '12345678901234567890',
    })
  })

  test('takes __proto__ for a key like any other', () => {
    expect(Object.keys(plain('__proto__ = { a = 1 }') ?? {})).toEqual(['__proto__'])
    expect(Object.keys(plain('x "__proto__" { a = 1 }') ?? {})).toEqual(['x'])
    expect(Object.prototype).not.toHaveProperty('a')
  })
})

describe('JSON is read', () => {
  test('when the text begins with a brace', () => {
    expect(plain('\n {"a": [1, -2.5, "\\u00e9\\/", true, null], "b": {"c": {}}}\n')).toEqual({
      a: [1, -2.5, 'é/', true, null],
      b: { c: {} },
    })
  })

  test('and its objects count as blocks', () => {
    for (const text of [
      '{"path": {"a": {"n": 1}, "b": {"n": 2}}}',
      '{"path": [{"a": {"n": 1}}, {"b": {"n": 2}}]}',
      '{"path": {"a": {"n": 1}}, "path": {"b": [{"n": 2}]}}',
    ]) {
      const blocks = blocksOf(parseHcl(text), 'path', 1)
      expect(blocks.map(({ labels, body }) => [labels, plainOf(body)])).toEqual([
        [['a'], { n: 1 }],
        [['b'], { n: 2 }],
      ])
    }
  })

  test.each([
    '{',
    '{"a"}',
    '{"a" 1}',
    '{"a": 1,}',
    '{a: 1}',
    '{"a": 01}',
    '{"a": +1}',
    '{"a": x}',
    '{"a": [1 2]}',
    '{"a": "\n"}',
    '{"a": "\\x41"}',
    '{} {}',
    '{"a" = 1}',
    '{"a": 1} // x',
    '{"a": 1 "b": 2}',
    "{'a': 1}",
    '{"a": }',
  ])('strictly: %j is refused', (text) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
    expect(() => parseHcl(text)).toThrow(HclError)
  })
})

describe('an error names the place and what was expected', () => {
  test.each([
    ['path "x" {', 'At 1:12: object expected closing RBRACE got: EOF'],
    ['7', 'At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: NUMBER'],
    ['\u0001', 'At 1:1: illegal char'],
    ['\n a', "At 2:4: expected start of object ('{') or assignment ('=') got: EOF"],
    ['a b = 1', 'At 1:5: nested object expected: LBRACE got: ASSIGN'],
    ['= 1', 'At 1:1: expected: IDENT | STRING got: ASSIGN'],
    ['{', 'At 1:3: expected: STRING got: EOF'],
    ['a = ', 'At 1:6: expected a string in quotes, a number, true, false, [ or {, got: EOF'],
    [
      'a = hunter2',
      'At 1:5: expected a string in quotes, a number, true, false, [ or {, got: IDENT',
    ],
    [
      'a = "hunter2\n"',
      'At 1:5: literal not terminated, expected a closing quote on the same line',
    ],
    ['a = "x\\q"', 'At 1:7: illegal char escape'],
    ['a = "\\UFFFFFFFF"', 'At 1:6: illegal char escape'],
    ['a = [1 2]', 'At 1:8: error parsing list, expected comma or list end, got: NUMBER'],
    ['a = [1, 2', 'At 1:11: error parsing list, expected comma or list end, got: EOF'],
    ['a = <<', 'At 1:5: heredoc expected a marker and a new line'],
    [
      'a = <<EOF\nhunter2',
      'At 1:5: heredoc not terminated, expected its marker on a line of its own',
    ],
    ['/* a', 'At 1:1: comment not terminated, expected */'],
    ['a = 089', 'At 1:5: expected a number without leading zeros, or an octal one'],
    ['a { } }', 'At 1:7: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE'],
    ['a = 1 b', "At 1:9: expected start of object ('{') or assignment ('=') got: EOF"],
  ])('%j: %s', (text, message) => {
    expect(failure(text)).toBe(message)
  })

  test('in a block too', () => {
    expect(() => blocksOf(parseHcl('\npath = "hunter2"'), 'path', 1)).toThrow(
      'At 2:8: expected a block { ... }',
    )
    expect(() => blocksOf(parseHcl('path "a" "b" {}'), 'path', 1)).toThrow(
      'At 1:1: expected 1 labels before the block',
    )
    expect(() => blocksOf(parseHcl('path { capabilities = ["x"] }'), 'path', 1)).toThrow(HclError)
  })
})

describe('a text beyond the limits is refused', () => {
  test('of more than a megabyte', () => {
    expect(plain(`#${'x'.repeat(1024 * 1024 - 1)}`)).toEqual({})
    expect(failure(`#${'x'.repeat(1024 * 1024)}`)).toContain('at most 1048576 characters')
  })

  test.each([
    ['a = [', ']'],
    ['a = [{ b = ', '}]'],
    ['{"a":[', ']}'],
  ])('of more than 64 levels: %s', (open) => {
    expect(failure(open.repeat(10_000))).toMatch(/at most 64 levels|expected/)
    expect(failure(`a = ${'['.repeat(65)}${']'.repeat(65)}`)).toContain('at most 64 levels')
    expect(plain(`a = ${'['.repeat(64)}${']'.repeat(64)}`)).toHaveProperty('a')
  })

  test('but one long line of small tokens is read', () => {
    expect(parseHcl(`a=1 `.repeat(200_000)).items).toHaveLength(200_000)
  })
})

describe('whatever the text', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '=',
    ':',
    ',',
    '"',
    '\\',
    '\\u',
    '<<',
    '<<-',
    'EOF',
    '\n',
    ' ',
    '#',
    '//',
    '/*',
    '*/',
    'a',
    'path',
    '1',
    '-',
    '.',
    '0x',
    '0',
    '"a"',
    'true',
    'null',
    '\uFEFF',
    '\u0000',
    '😀',
    '\uD800',
    'é',
    '${',
    '+',
    'e9',
  )

  test('it is read or refused with an HclError inside it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
      fc.array(pieces, { maxLength: 40 }).map((all) => `{${all.join('')}`),
    )
    fc.assert(
      fc.property(text, (input) => {
        try {
          expect(parseHcl(input).kind).toBe('object')
        } catch (error) {
          if (!(error instanceof HclError)) throw error
          expect(error.line).toBeGreaterThan(0)
          expect(error.line).toBeLessThanOrEqual(input.split('\n').length)
          expect(error.column).toBeGreaterThan(0)
        }
      }),
      { numRuns: 5_000 },
    )
  })

  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })

  test('JSON means what JSON.parse says it means', () => {
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(plain(text)).toEqual(JSON.parse(text))
      }),
      { numRuns: 1_000 },
    )
  })

  test('HCL that was printed is read back', () => {
    fc.assert(
      fc.property(object, fc.boolean(), fc.boolean(), (value, commas, comments) => {
        const wanted = withoutNull(JSON.parse(JSON.stringify(value)))
        expect(plain(print(wanted, { commas, comments }))).toEqual(wanted)
      }),
      { numRuns: 1_000 },
    )
  })
})

function withoutNull(value: Json): Plain {
  if (value === null || JSON.isRawJSON(value)) return 'null'
  if (isList(value)) return value.map(withoutNull)
  if (typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutNull(one)]))
}

function print(object: Plain, style: { commas: boolean; comments: boolean }): string {
  if (typeof object !== 'object' || object === null || isList(object)) throw new Error('no object')
  return Object.entries(object)
    .map(
      ([key, value]) =>
        `${style.comments ? '# "{ \n' : ''}${quote(key)} = ${printValue(value, style)}`,
    )
    .join(style.commas ? ',' : ' ')
}

function printValue(value: Plain, style: { commas: boolean; comments: boolean }): string {
  if (typeof value === 'string') return quote(value)
  if (isList(value)) return `[${value.map((one) => printValue(one, style)).join(', /* ] */\n')}]`
  return typeof value === 'object' ? `{ ${print(value, style)} }` : String(value)
}

function quote(text: string): string {
  return JSON.stringify(text)
}
