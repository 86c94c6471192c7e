import { describe, expect, test } from 'vitest'
import { matchesGlob } from '../../core/glob.ts'
import { childPolicies, type PoliciesAsked } from './child-policies.ts'
import { newRole, type TokenRole } from './role.ts'

function policies(input: Partial<PoliciesAsked>): readonly string[] {
  return childPolicies({
    asked: [],
    parent: ['default'],
    sudo: false,
    noDefaultPolicy: false,
    role: undefined,
    inNamespaceBelow: false,
    ...input,
  })
}

const role = (more: Partial<TokenRole>): TokenRole => ({ ...newRole('r'), ...more })

describe('without a role', () => {
  test('a child inherits what its parent has, and no more', () => {
    expect(policies({ parent: ['a', 'b'] })).toEqual(['a', 'b'])
    expect(policies({ parent: ['a', 'default'] })).toEqual(['a', 'default'])
  })

  test('what is asked for is a subset of the parent’s', () => {
    expect(policies({ parent: ['a', 'b'], asked: ['B'] })).toEqual(['b'])
    expect(() => policies({ parent: ['a'], asked: ['a', 'b'] })).toThrow('subset of parent')
  })

  test('in a namespace below, where they are those of others, the names of the parent’s are not inherited', () => {
    const below = { parent: ['a', 'root'], inNamespaceBelow: true }
    expect(policies(below)).toEqual(['default'])
    expect(policies({ ...below, asked: ['b'] })).toEqual(['b', 'default'])
    expect(policies({ ...below, role: role({ disallowedPolicies: ['x'] }) })).toEqual(['default'])
    expect(() => policies({ ...below, asked: ['root'] })).toThrow(
      'root tokens may not be created from a parent namespace',
    )
  })

  test('a parent without the default policy cannot pass it on', () => {
    expect(policies({ parent: ['a'], asked: ['a'] })).toEqual(['a'])
    expect(() => policies({ parent: ['a'], asked: ['a', 'default'] })).toThrow('subset of parent')
    expect(policies({ parent: ['a', 'default'], asked: ['a'] })).toEqual(['a', 'default'])
  })

  test('sudo may ask for anything but root', () => {
    expect(policies({ parent: ['a'], asked: ['z'], sudo: true })).toEqual(['default', 'z'])
    for (const asked of ['root', 'ROOT', ' Root ', 'rOOt']) {
      expect(() => policies({ parent: ['a'], asked: [asked, 'a'], sudo: true })).toThrow(
        'root tokens may not be created',
      )
    }
  })

  test('root makes root, alone', () => {
    expect(policies({ parent: ['root'] })).toEqual(['root'])
    expect(policies({ parent: ['root'], asked: ['root', 'a'] })).toEqual(['root'])
    expect(policies({ parent: ['root'], asked: ['a'] })).toEqual(['a', 'default'])
  })

  test('no_default_policy takes the default policy away even where it is asked for', () => {
    expect(policies({ parent: ['root'], asked: ['default'], noDefaultPolicy: true })).toEqual([])
    expect(policies({ parent: ['a', 'default'], noDefaultPolicy: true })).toEqual(['a'])
  })
})

describe('with a role', () => {
  test('its allowed policies are what a token gets and all that it may get, whatever the parent has', () => {
    const allowed = role({ allowedPolicies: ['x', 'y'] })
    expect(policies({ parent: ['a'], role: allowed })).toEqual(['default', 'x', 'y'])
    expect(policies({ parent: ['a'], role: allowed, asked: ['x'] })).toEqual(['default', 'x'])
    expect(() => policies({ parent: ['a'], role: allowed, asked: ['a'] })).toThrow('must be subset')
  })

  test('globs allow what they match', () => {
    const globs = role({ allowedPoliciesGlob: ['team-*-read'] })
    expect(policies({ role: globs, asked: ['team-a-read'] })).toEqual(['default', 'team-a-read'])
    expect(() => policies({ role: globs, asked: ['team-a-write'] })).toThrow('must be subset')
    expect(policies({ role: globs })).toEqual(['default'])
  })

  test('what it disallows no token gets: neither asked for, nor from the parent, nor by a glob', () => {
    const refusing = role({ disallowedPolicies: ['a'], disallowedPoliciesGlob: ['adm*'] })
    expect(() => policies({ role: refusing, asked: ['a'] })).toThrow('disallowed')
    expect(() => policies({ role: refusing, asked: ['admin'] })).toThrow('disallowed')
    expect(() => policies({ role: refusing, parent: ['a', 'b'] })).toThrow('disallowed')
    expect(policies({ role: refusing, parent: ['b'] })).toEqual(['b', 'default'])
  })

  test('a role that disallows the default policy does not add it either', () => {
    expect(policies({ role: role({ disallowedPolicies: ['default'] }), asked: ['b'] })).toEqual([
      'b',
    ])
    const glob = role({ allowedPolicies: ['b'], disallowedPoliciesGlob: ['def*'] })
    expect(policies({ role: glob })).toEqual(['b'])
    expect(() => policies({ role: glob, asked: ['default'] })).toThrow()
  })

  test('a role that allows root gives it to nobody whose parent is not root', () => {
    const allowed = role({ allowedPolicies: ['root'] })
    expect(() => policies({ role: allowed, parent: ['a'], sudo: true })).toThrow('root tokens')
    expect(policies({ role: allowed, parent: ['root'] })).toEqual(['root'])
  })

  test('without the default policy', () => {
    const bare = role({ allowedPolicies: ['x'], noDefaultPolicy: true })
    expect(policies({ role: bare })).toEqual(['x'])
    expect(() => policies({ role: bare, asked: ['x', 'default'] })).toThrow('must be subset')
  })
})

test.each([
  ['a*', 'abc', true],
  ['*c', 'abc', true],
  ['a*c', 'abc', true],
  ['a*c', 'ac', true],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'ac', false],
  ['ab*ba', 'aba', false],
  ['*', '', true],
  ['abc', 'abcd', false],
  ['a*', 'b', false],
  ['*x*', 'x', true],
  ['*xx', 'x', false],
])('the glob %j takes %j: %j', (glob, text, matches) => {
  expect(matchesGlob(glob, text)).toBe(matches)
})
