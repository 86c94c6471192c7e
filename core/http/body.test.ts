import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RequestError } from '../errors.ts'
import { stringifyJson } from '../json.ts'
import { BodyNotJson, DEFAULT_BODY_LIMITS, parseBody, type BodyLimits } from './body.ts'
import { findJsonFault } from './json-fault.ts'

function parse(
  body: string | Buffer,
  contentType?: string,
  method = 'POST',
  limits: Partial<BodyLimits> = {},
) {
  const headers = contentType === undefined ? {} : { 'content-type': contentType }
  return parseBody(
    { method, headers, body: Buffer.from(body) },
    { ...DEFAULT_BODY_LIMITS, ...limits },
  )
}
function refusal(...args: Parameters<typeof parse>): string {
  try {
    parse(...args)
  } catch (error) {
    if (error instanceof RequestError) return `${error.status} ${error.errors.join()}`
    throw error
  }
  return 'taken'
}

const form = 'application/x-www-form-urlencoded'

test.each([
  ['', undefined, {}],
  [' \n', undefined, {}],
  ['null', undefined, {}],
  ['{"a":1}', undefined, { a: 1 }],
  ['{"a":1}', 'text/plain', { a: 1 }],
  ['\r\n {"a":[]}', form, { a: [] }],
  ['{"a":1,"a":2}', undefined, { a: 2 }],
  ['a=1&b=x+y&a=2%263', form, { a: '1,2&3', b: 'x y' }],
  ['a=1', `${form}; charset=UTF-8`, { a: '1' }],
  ['a', form.toUpperCase(), { a: '' }],
  ['{"ü":"\\u20ac€"}', undefined, { ü: '€€' }],
])('%j as %s is taken', (body, type, fields) => {
  expect(parse(body, type)).toEqual(fields)
})

test('numbers keep their text', () => {
  const text = '{"a":1.0,"b":12345678901234567890,"c":1e400,"d":-0}'
  expect(stringifyJson(parse(text))).toBe(text)
})

test('a member named __proto__ is a member', () => {
  expect(Object.keys(parse('{"__proto__":{"x":1}}'))).toEqual(['__proto__'])
  expect(Object.keys(parse('__proto__=1', form))).toEqual(['__proto__'])
})

test.each([
  ['[1]', 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
  ['"CANARY"', 'json: cannot unmarshal string into Go value of type map[string]interface {}'],
  ['1.0', 'json: cannot unmarshal number into Go value of type map[string]interface {}'],
  ['7', 'json: cannot unmarshal number into Go value of type map[string]interface {}'],
  ['true', 'json: cannot unmarshal bool into Go value of type map[string]interface {}'],
  ['CANARY', 'line 1, column 1: expected a value'],
  ['{"a": CANARY}', 'line 1, column 7: expected a value'],
  ['{"a":}', 'line 1, column 6: expected a value'],
  ['{\n  "a": 1,\n}', 'line 3, column 1: expected a name in double quotes'],
  ["{'a':1}", 'line 1, column 2: expected a name in double quotes'],
  ['{"CANARY" 1}', 'line 1, column 11: expected ":" after a name'],
  ['{"a":1 "b":2}', 'line 1, column 8: expected "," or "}"'],
  ['{"a":[1 2]}', 'line 1, column 9: expected "," or "]"'],
  ['{"a":[1}', 'line 1, column 8: expected "," or "]"'],
  ['{"a":1} CANARY', 'line 1, column 9: expected the end after the first value'],
  ['{"a":1}{"a":2}', 'line 1, column 8: expected the end after the first value'],
  ['{"a":"CANARY', 'line 1, column 13: expected the closing quote of a string'],
  ['{"a":"CAN\nARY"}', 'line 1, column 10: expected control characters in strings to be escaped'],
  ['{"a":"\\x41"}', 'line 1, column 7: expected a valid escape after "\\"'],
  ['{"a":01}', 'line 1, column 7: expected "," or "}"'],
  ['{"a":+1}', 'line 1, column 6: expected a value'],
  ['{"a":1', 'line 1, column 7: expected "," or "}"'],
  ['\ufeff{"a":1}', 'line 1, column 1: expected a value'],
  [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'the body is not valid UTF-8'],
])('%s is refused', (body, reason) => {
  expect(refusal(body)).toBe(`400 failed to decode JSON input: ${reason}`)
})

test('the fault is found exactly where the parser finds one, whatever was done to a text', () => {
  const damaged = fc
    .tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(200),
      fc.constantFrom('', '"', '{', ']', ',', ':', '\\', '\n', '0', 'x'),
    )
    .map(
      ([text, at, put]) =>
        text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + 1),
    )
  fc.assert(
    fc.property(damaged, (text) => {
      let isJson = true
      try {
        JSON.parse(text)
      } catch {
        isJson = false
      }
      expect(findJsonFault(text).reason === 'expected valid JSON').toBe(isJson)
    }),
    { numRuns: 3_000 },
  )
})

test('no error holds anything of the body', () => {
  const secret = 'CANARY'
  const texts = [
    secret,
    `{"${secret}":}`,
    `{"a":${secret}}`,
    `{"a":"${secret}`,
    `["${secret}"]`,
    `{"a":"${secret}\\q"}`,
  ]
  for (const text of texts) {
    let caught: unknown
    try {
      parse(text)
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(BodyNotJson)
    const whole =
      caught instanceof Error ? `${caught.message}${caught.stack}${String(caught.cause)}` : ''
    expect(whole).not.toContain(secret)
  }
})

describe('a PATCH', () => {
  test.each([
    ['application/merge-patch+json', 'taken'],
    ['application/Merge-Patch+JSON; charset=utf-8', 'taken'],
    [undefined, '400 mime: no media type'],
    ['', '400 mime: no media type'],
    [';x=y', '400 mime: no media type'],
    ['application', '400 mime: expected slash after first token'],
    ['application/', '400 mime: expected token after slash'],
    ['a/b/c', '400 mime: unexpected content after media subtype'],
    ['a/b c', '400 mime: unexpected content after media subtype'],
    ['application/merge-patch+json; x', '400 mime: invalid media parameter'],
    [
      'application/json',
      '415 PATCH requires Content-Type of application/merge-patch+json, provided application/json',
    ],
  ])('of type %j: %s', (type, expected) => {
    expect(refusal('{"a":1}', type, 'PATCH')).toBe(expected)
  })
})

describe('complexity', () => {
  const complex = (what: string) =>
    `400 refused JSON input due to high complexity: exceeded maximum ${what}`
  const strings = complex('number of strings (max_request_json_strings)')
  const memory = complex('estimated memory limits (max_request_json_memory)')

  test('of one below each limit is taken, of one above refused', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    expect(refusal(nested(300))).toBe('taken')
    expect(refusal(nested(301))).toBe(complex('depth (max_json_depth, 300)'))
    const list = (count: number) => `{"a":[${Array(count).fill('"x"').join()}]}`
    expect(refusal(list(99), undefined, 'POST', { maxStrings: 100 })).toBe('taken')
    expect(refusal(list(100), undefined, 'POST', { maxStrings: 100 })).toBe(strings)
    expect(refusal(`{"a":${'1'.repeat(5_000)}}`)).toBe('taken')
    expect(refusal(`{"a":${'1'.repeat(5_001)}}`)).toBe(
      complex('length of a number (5000 characters)'),
    )
    expect(refusal('a=1&b=2&c=3', form, 'POST', { maxStrings: 4 })).toBe(strings)
  })

  test('a batch as large as Vault takes is taken', () => {
    const item = { plaintext: 'eA==', context: 'eA==' }
    expect(refusal(JSON.stringify({ batch_input: Array(10_000).fill(item) }))).toBe('taken')
  })

  test('one large value is taken up to the size of the largest body', () => {
    expect(refusal(`{"a":"${'x'.repeat((32 << 20) - 10)}"}`)).toBe('taken')
  })

  test.each([
    ['100,000 empty objects', () => `{"a":[${'{},'.repeat(100_000)}{}]}`, memory],
    ['100,000 empty lists', () => `{"a":[${'[],'.repeat(100_000)}[]]}`, memory],
    ['depth 10,000', () => `{"a":${'['.repeat(10_000)}`, complex('depth (max_json_depth, 300)')],
    [
      'objects of depth 10,000',
      () => '{"a":'.repeat(10_000),
      complex('depth (max_json_depth, 300)'),
    ],
    [
      'a million names',
      () => `{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`).join()}}`,
      strings,
    ],
    ['3 million small numbers', () => `{"a":[${'0,'.repeat(3_000_000)}0]}`, memory],
    ['a million fractions', () => `{"a":[${'1.5,'.repeat(1_000_000)}0]}`, memory],
    ['a million long integers', () => `{"a":[${'1234567890123456,'.repeat(1_000_000)}0]}`, memory],
    [
      'a number of a million digits',
      () => `{"a":${'9'.repeat(1_000_000)}}`,
      complex('length of a number (5000 characters)'),
    ],
    ['a huge exponent', () => `{"a":1e${'9'.repeat(4_000)}}`, 'taken'],
    ['a name of a million characters', () => `{"${'k'.repeat(1_000_000)}":1}`, 'taken'],
    ['quotes in strings', () => `{"a":"${'\\"{['.repeat(100_000)}"}`, 'taken'],
  ])('%s: %s', (_name, body, expected) => {
    expect(refusal(body())).toBe(expected)
  })

  test('what is no JSON is not scanned for longer than JSON is', () => {
    for (const text of [
      '"'.repeat(200_001),
      '\\'.repeat(100_000),
      'e'.repeat(100_000),
      '}'.repeat(100_000),
    ]) {
      expect(refusal(text)).toMatch(/^400 /)
    }
  })
})
