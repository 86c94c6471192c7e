import { expect, test } from 'vitest'
import { faultOfPattern } from './safe-pattern.ts'

test.each([
  String.raw`\w(?:[\w.-]*\w)?`,
  '[0-9a-f]{8}',
  '(?:creds|static-creds)',
  String.raw`[^/]+\.pem`,
  '[*+?|{(]*',
  String.raw`\(\?=`,
])('%s is fine', (pattern) => {
  expect(faultOfPattern(pattern)).toBeUndefined()
})

test.each([
  ['(?:a+)+', 'repeats a group'],
  ['(?:a|a)*', 'repeats a group'],
  ['(?:ab){2,}', 'repeats a group'],
  ['a*a*a*', 'more than 2 repeats'],
  ['a?'.repeat(13), 'more than 12 choices'],
  ['(?:a|a)'.repeat(13), 'more than 12 choices'],
  ['(?=a)', 'group of another kind'],
  ['(?<name>a)', 'group of another kind'],
  [String.raw`(a)\1`, 'refers to a group'],
  ['a'.repeat(257), 'more than 256 characters'],
  ['[a', 'no regular expression'],
])('%s is refused', (pattern, fault) => {
  expect(faultOfPattern(pattern)).toContain(fault)
})

test('the worst that is taken still matches quickly', () => {
  for (const pattern of ['a*a*', `${'a?'.repeat(12)}b`, `${'(?:a|a)'.repeat(12)}b`]) {
    expect(faultOfPattern(pattern)).toBeUndefined()
    expect(new RegExp(`^(?:${pattern})$`).test(`${'a'.repeat(8000)}c`)).toBe(false)
  }
})
