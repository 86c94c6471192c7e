import { expect, test } from 'vitest'
import { matchText, MissingVariable, substitute } from './placeholders.ts'

const variables = new Map([['t', 's.token(1)']])
const fits = (expected: string, actual: string) =>
  matchText(expected, actual, variables) !== undefined

test.each([
  ['<uuid>', '6f1a8f6e-1c7b-4d9e-9d62-0a4b1d1f7a11'],
  ['kv_<hex8>', 'kv_01abcdef'],
  ['a <time> b', 'a 2026-01-02T03:04:05.678Z b'],
  ['token ${t} is known', 'token s.token(1) is known'],
  ['custom_metadata <nil>', 'custom_metadata <nil>'],
  ['<a href="/v1/sys/">x</a>', '<a href="/v1/sys/">x</a>'],
  ['v2.6.2+builtin.bao', 'v1.19.0+builtin.vault'],
  ['<ttl:3600>', '3598'],
  ['<ttl:60> <ttl:600>', '59 600'],
])('%s fits %s', (expected, actual) => {
  expect(fits(expected, actual)).toBe(true)
})

test.each([
  ['<uuid>', 'not-a-uuid'],
  ['kv_<hex8>', 'kv_01abcdeg'],
  ['<time>', '0001-01-01'],
  ['${t}', 's.token(2)'],
  ['a.c', 'abc'],
  ['<nil>', 'anything'],
  ['<ttl:3600>', '3601'],
  ['<ttl:3600>', '3500'],
  ['x', 'x\n'],
])('%s does not fit %s', (expected, actual) => {
  expect(fits(expected, actual)).toBe(false)
})

test('a variable without a value is an error, or is taken from the text', () => {
  expect(() => matchText('${new}', 'v', variables)).toThrow(MissingVariable)
  expect(matchText('${new} ${new}', 'v v', variables, { captures: true })?.get('new')).toBe('v')
  expect(matchText('${new} ${new}', 'v w', variables, { captures: true })).toBeUndefined()
})

test('what is sent never holds the name of a variable', () => {
  expect(substitute('a ${t}', variables)).toBe('a s.token(1)')
  expect(() => substitute('a ${new}', variables)).toThrow(MissingVariable)
})
