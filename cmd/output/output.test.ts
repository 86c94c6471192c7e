import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseJson } from '../../core/json.ts'
import { goQuotedList, goValue } from './go-value.ts'
import { jsonText } from './json.ts'
import { columnText, tableText } from './table.ts'
import { wrapIndented, wrapText } from './wrap.ts'
import { yamlText } from './yaml.ts'

const sample = () =>
  parseJson('{"b":[1,2.50,{}],"a":{"x":null,"<&>":true},"n":12345678901234567890,"z":[]}')

describe('JSON', () => {
  test('is indented and sorted as Go does it, numbers unchanged', () => {
    expect(jsonText(sample())).toBe(`{
  "a": {
    "\\u003c\\u0026\\u003e": true,
    "x": null
  },
  "b": [
    1,
    2.50,
    {}
  ],
  "n": 12345678901234567890,
  "z": []
}`)
  })

  test('keeps the order of a Map', () => {
    expect(
      jsonText(
        new Map([
          ['z', 1],
          ['a', 2],
        ]),
      ),
    ).toBe('{\n  "z": 1,\n  "a": 2\n}')
  })

  test('reads back as what was written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(JSON.parse(jsonText(parseJson(text)))).toEqual(JSON.parse(text))
      }),
    )
  })
})

describe('YAML', () => {
  test('quotes what YAML 1.1 would take for something else, and sorts', () => {
    const status = new Map<string, string | number | boolean>([
      ['t', 3],
      ['n', 5],
      ['nonce', ''],
      ['sealed', true],
      ['version', '1.21.0'],
      ['yes', 'no'],
      ['at', '2026-11-24T08:00:00Z'],
      ['text', '12'],
    ])
    expect(yamlText(status)).toBe(
      [
        'at: "2026-11-24T08:00:00Z"',
        '"n": 5',
        'nonce: ""',
        'sealed: true',
        't: 3',
        'text: "12"',
        'version: 1.21.0',
        '"yes": "no"',
      ].join('\n'),
    )
  })

  test('keeps large numbers and fractions as they were', () => {
    expect(yamlText(parseJson('{"big":12345678901234567890,"half":1.50}'))).toBe(
      'big: 12345678901234567890\nhalf: 1.50',
    )
  })

  test('takes single quotes for marks of its own, and reads back as what was written', () => {
    expect(yamlText({ odd: "it's: #x" })).toBe("odd: 'it''s: #x'")
    const texts = fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.boolean(), fc.integer()),
    )
    fc.assert(
      fc.property(texts, (value) => {
        expect(parse(yamlText(value), { version: '1.1' })).toEqual({ ...value })
      }),
    )
  })

  test('does not indent lists and does not fold long texts', () => {
    const long = 'word '.repeat(40).trim()
    expect(yamlText({ keys: ['a', long] })).toBe(`keys:\n- a\n- ${long}`)
  })
})

describe('Go values', () => {
  test('are printed as %v prints them', () => {
    expect(goValue(null)).toBe('<nil>')
    expect(goValue(parseJson('{"b":["x",1.0],"a":{"c":true}}'))).toBe(
      'map[a:map[c:true] b:[x 1.0]]',
    )
    expect(goQuotedList(['a "b"', 'c'])).toBe('["a \\"b\\"" "c"]')
    expect(goQuotedList(null)).toBe('[]')
  })
})

describe('tables', () => {
  test('align their columns, say n/a for nothing, and end lines without blanks', () => {
    expect(
      tableText([
        ['Key', 'Value'],
        ['a', ''],
        ['longer', '∞'],
      ]),
    ).toBe('Key       Value\n---       -----\na         n/a\nlonger    ∞')
    expect(columnText([['Key Term', '1']])).toBe('Key Term    1')
  })
})

describe('paragraphs', () => {
  test('are broken into lines of even length', () => {
    const text =
      'Success! You are now authenticated. The token information displayed below is already stored in the token helper. You do NOT need to run "bao login" again. Future OpenBao requests will automatically use this token.'
    expect(wrapText(text)).toBe(
      'Success! You are now authenticated. The token information displayed below is\nalready stored in the token helper. You do NOT need to run "bao login" again.\nFuture OpenBao requests will automatically use this token.',
    )
    expect(wrapIndented('* a', 2)).toBe('  * a')
  })

  test('keep all words in order, and no line is longer than allowed', () => {
    const word = fc.stringMatching(/^[a-z.]{1,30}$/)
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1 }),
        fc.integer({ min: 30, max: 80 }),
        (words, width) => {
          const lines = wrapText(words.join(' '), width).split('\n')
          expect(lines.join(' ').split(' ')).toEqual(words)
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})
