import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemRandom } from '../random.ts'
import { generatePassword } from './generate.ts'
import { parsePasswordPolicy } from './policy.ts'

const RULES = 'length = 12\nrule "charset" { charset = "abc" min-chars = 2 }'
const faultOf = (text: string): string => {
  try {
    parsePasswordPolicy(text)
    return 'none'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
const inList = (text: string) => `invalid password policy: 1 error occurred:\n\t* ${text}\n\n`

describe('a password policy', () => {
  const parsed = { length: 12, rules: [{ charset: ['a', 'b', 'c'], minChars: 2 }] }
  test.each([
    RULES,
    '{"length": 12, "rule": [{"charset": [{"charset": "abc", "min-chars": 2}]}]}',
    '{"length": 12, "rule": {"charset": {"charset": "abc", "min-chars": 2}}}',
  ])('is read from %j', (text) => {
    expect(parsePasswordPolicy(text)).toEqual({ ...parsed, alphabet: ['a', 'b', 'c'] })
  })

  test('may name a character several times, and ones beyond 16 bits', () => {
    const policy = parsePasswordPolicy('length = 4\nrule "charset" { charset = "aa🔑é" }')
    expect(policy.alphabet).toEqual(['a', '🔑', 'é'])
  })

  const many = Array.from({ length: 257 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('')
  test.each([
    [
      '',
      'invalid password policy: 2 errors occurred:\n\t* length must be > 0\n\t* no charset specified\n\n',
    ],
    ['length = 10', inList('no charset specified')],
    ['rule "charset" { charset = "ab" }', inList('length must be > 0')],
    ['length = -5\nrule "charset" { charset = "ab" }', inList('length must be > 0')],
    [
      'length = 5\nrule "charset" { charset = "ab" min-chars = 9 }',
      inList('specified rules require at least 9 characters but 5 is specified'),
    ],
    [
      'length = 5\nrule "charset" { charset = "a\\u0007" }',
      inList('non-printable character in charset'),
    ],
    [
      `length = 5\nrule "charset" { charset = "${many}" }`,
      inList('charset is too long: limited to 256 characters'),
    ],
    [
      'length = 3\nrule "charset" { charset = "ab" }',
      'passwords must be between 4 and 100 characters',
    ],
    [
      'length = 101\nrule "charset" { charset = "ab" }',
      'passwords must be between 4 and 100 characters',
    ],
    [
      'length = 5\nrule "charset" { charset = "ab" }\nrule "charset" { min-chars = 1 }',
      'unable to construct test password from provided policy: are the rules impossible?',
    ],
    [
      'length = 5\nrule "odd" { charset = "ab" }',
      'invalid password policy: unable to parse rules: unable to parse rule odd: unrecognized rule type odd',
    ],
    [
      'length = "long"\nrule "charset" { charset = "ab" }',
      'invalid password policy: unable to decode: At 1:10: expected length to be a whole number',
    ],
    [
      'length = 4.5\nrule "charset" { charset = "ab" }',
      'invalid password policy: unable to decode: At 1:10: expected length to be a whole number',
    ],
    [
      'garbage{',
      'invalid password policy: unable to decode: At 1:10: object expected closing RBRACE got: EOF',
    ],
  ])('is not %j', (text, fault) => {
    expect(faultOf(text)).toBe(fault)
  })
})

describe('a password', () => {
  const CHARACTERS = Array.from('abcXYZ019!?é🔑 ')
  const rule = fc.record({
    charset: fc.subarray(CHARACTERS, { minLength: 1 }),
    minChars: fc.integer({ min: -1, max: 20 }),
  })

  test('has its length and the characters that each rule demands, and no others', () => {
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 4, max: 100 }),
        (rules, wanted) => {
          const least = rules.reduce((sum, { minChars }) => sum + Math.max(0, minChars), 0)
          const length = Math.max(wanted, least)
          const blocks = rules.map(
            ({ charset, minChars }) =>
              `rule "charset" { charset = "${charset.join('')}" min-chars = ${minChars} }`,
          )
          const policy = parsePasswordPolicy([`length = ${length}`, ...blocks].join('\n'))
          const password = Array.from(generatePassword(policy, systemRandom))
          expect(password).toHaveLength(length)
          for (const { charset, minChars } of rules) {
            const count = password.filter((one) => charset.includes(one)).length
            expect(count).toBeGreaterThanOrEqual(minChars)
          }
          for (const one of password) expect(policy.alphabet).toContain(one)
        },
      ),
    )
  })

  test('is found at once even where chance alone would hardly find it', () => {
    const blocks = Array.from('0123456789').map(
      (one) => `rule "charset" { charset = "${one}" min-chars = 10 }`,
    )
    const policy = parsePasswordPolicy(['length = 100', ...blocks].join('\n'))
    expect(Array.from(generatePassword(policy, systemRandom)).toSorted().join('')).toBe(
      Array.from('0123456789')
        .map((one) => one.repeat(10))
        .join(''),
    )
  })

  test('has what a rule demands anywhere, not first', () => {
    const policy = parsePasswordPolicy(
      'length = 20\nrule "charset" { charset = "!" min-chars = 1 }\nrule "charset" { charset = "ab" }',
    )
    const places = Array.from({ length: 400 }, () =>
      generatePassword({ ...policy, alphabet: ['a', 'b'] }, systemRandom).indexOf('!'),
    )
    // That one of 20 places is missed in 400 passwords happens once in 40 million runs.
    expect(new Set(places).size).toBe(20)
  })

  test('leaves out bytes that would favour the first characters', () => {
    // Of 3 characters the byte 255 is one too many: 0 to 254 are 85 for each.
    const drawn = [255, 2, 255, 1, 0, 0]
    const bytes = (count: number) => {
      expect(count).toBe(1)
      return Buffer.from([drawn.shift() ?? 0])
    }
    const policy = { length: 4, rules: [], alphabet: ['a', 'b', 'c'] }
    expect(generatePassword(policy, { bytes })).toBe('cbaa')
  })
})
