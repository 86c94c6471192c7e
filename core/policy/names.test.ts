import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalPolicyName,
  canonicalPolicyNames,
  InvalidPolicyName,
  PolicyNotAssignable,
} from './names.ts'

describe('a name', () => {
  test.each([
    ['Admin', 'admin'],
    [' p1 ', 'p1'],
    ['dir/p', 'dir/p'],
    ['a.b-c_d:e@f+g', 'a.b-c_d:e@f+g'],
    ['ROOT', 'root'],
    ['a..b', 'a..b'],
  ])('%j is kept as %j', (name, canonical) => {
    expect(canonicalPolicyName(name)).toBe(canonical)
  })

  test.each([
    '',
    ' ',
    '.',
    '..',
    '../root',
    'a/../root',
    'a/./b',
    '/root',
    'root/',
    'a//b',
    'a\\b',
    'a b',
    'a,b',
    'a*',
    'a\u0000',
    'a\nb',
    'rооt',
    'ｒｏｏｔ',
    'root\u200b',
    'İ',
    '%2e%2e',
    'é',
    'x'.repeat(257),
  ])('%j is refused', (name) => {
    expect(() => canonicalPolicyName(name)).toThrow(InvalidPolicyName)
  })

  test('whatever it is, is refused or its own canonical form, of lower-case ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 8 }), (name) => {
        try {
          const canonical = canonicalPolicyName(name)
          expect(canonical).toMatch(/^[a-z0-9_@:+.\-/]+$/)
          expect(canonicalPolicyName(canonical)).toBe(canonical)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidPolicyName)
        }
      }),
    )
  })
})

describe('a list of names', () => {
  test('has each once, sorted, without empty ones', () => {
    expect(canonicalPolicyNames(['b', 'A', '', ' ', 'a '], { addDefault: false })).toEqual([
      'a',
      'b',
    ])
    expect(canonicalPolicyNames(['x', 'b'], { addDefault: true })).toEqual(['b', 'default', 'x'])
    expect(canonicalPolicyNames([], { addDefault: true })).toEqual(['default'])
  })

  test.each(['root', 'ROOT', ' Root', 'rOOt\t'])('with %j is root alone', (root) => {
    expect(canonicalPolicyNames(['a', root], { addDefault: true })).toEqual(['root'])
  })

  test('cannot hold the policy of wrapping tokens, nor what is no name', () => {
    expect(() => canonicalPolicyNames(['Response-Wrapping'], { addDefault: true })).toThrow(
      PolicyNotAssignable,
    )
    expect(() => canonicalPolicyNames(['root', 'response-wrapping'], { addDefault: true })).toThrow(
      'cannot assign policy "response-wrapping"',
    )
    expect(() => canonicalPolicyNames(['../root'], { addDefault: true })).toThrow(InvalidPolicyName)
  })
})
