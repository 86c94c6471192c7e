import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidTarget, MAX_QUERY_PARAMETERS, parseForm, parseTarget } from './target.ts'

const path = (target: string) => parseTarget(target).path
const query = (target: string) => Object.fromEntries(parseTarget(target).query)
const refused = (target: string) => {
  try {
    return path(target)
  } catch (error) {
    if (error instanceof InvalidTarget) return error.errors[0]
    throw error
  }
}

describe('paths', () => {
  test.each([
    ['/', '/'],
    ['/v1', '/v1'],
    ['/v1/', '/v1/'],
    ['/v1/secret/data/a', '/v1/secret/data/a'],
    ['/v1/secret/data/a/', '/v1/secret/data/a/'],
    ['/v1/kv/a..b', '/v1/kv/a..b'],
    ['/v1/kv/x/..y', '/v1/kv/x/..y'],
    ['/v1/kv/.hidden/...', '/v1/kv/.hidden/...'],
    ['/v1/kv/dot.s', '/v1/kv/dot.s'],
    ['/v1/kv/pl+us', '/v1/kv/pl+us'],
    ['/v1/kv/pl%2Bus', '/v1/kv/pl+us'],
    ['/v1/kv/sp%20ace', '/v1/kv/sp ace'],
    ['/v1/kv/q%3Fm', '/v1/kv/q?m'],
    ['/v1/kv/h%23', '/v1/kv/h#'],
    ['/v1/kv/%C3%BC/%e2%82%ac', '/v1/kv/ü/€'],
    ['/v1/kv/\u00c3\u00bc', '/v1/kv/ü'],
    ['/v1/auth/ldap/login/DOMAIN%5Cuser', '/v1/auth/ldap/login/DOMAIN\\user'],
    ['/v1/kv/%252e%252e/x', '/v1/kv/%2e%2e/x'],
    ['/v1/kv/%25', '/v1/kv/%'],
    ['/v1/kv/<>"{}|^`', '/v1/kv/<>"{}|^`'],
    ['/v1/kv/a:b@c;d=e,f', '/v1/kv/a:b@c;d=e,f'],
    ['http://host:8200/v1/x', '/v1/x'],
    ['HTTPS://host?list=true', '/'],
  ])('%j names %j', (target, expected) => {
    expect(path(target)).toBe(expected)
  })

  const dots = 'the path holds a "." or ".." segment; send the path that is meant, without it'
  const empty = 'the path holds an empty segment ("//"); write one "/" between names'
  const slash = 'the path holds an escaped slash (%2F); write "/" between names'
  const hidden = 'the path holds a control character or another that does not print; leave it out'
  const utf8 = 'the path is not valid UTF-8; escape the bytes of UTF-8 text'
  const percent = 'the path holds a "%" without two hexadecimal digits after it; write it as %25'
  test.each([
    ['/v1/secret/%2e%2e/x', 'relative paths not supported'],
    ['/v1/secret/%2E/x', 'relative paths not supported'],
    ['/v1/secret/.%2e/x', 'relative paths not supported'],
    ['/v1/secret/..%2Fx', 'relative paths not supported'],
    ['/v1/secret/x%2f..', 'relative paths not supported'],
    ['/v1/secret/a%2Fb', slash],
    ['/v1/secret/a%2f', slash],
    ['/v1/secret/../x', dots],
    ['/v1/secret/./x', dots],
    ['/v1/secret/..', dots],
    ['/v1/secret/.', dots],
    ['/..', dots],
    ['/v1//sys/health', empty],
    ['//v1/sys/health', empty],
    ['/v1/secret//', empty],
    ['/v1/a\\..\\b', 'the path holds a backslash; write it as %5C'],
    ['/v1/a#b', 'the path holds a "#"; write it as %23'],
    ['/v1/secret/%00x', hidden],
    ['/v1/secret/a%0Ab', hidden],
    ['/v1/secret/%7f', hidden],
    ['/v1/secret/%C2%85', hidden],
    ['/v1/secret/%C2%A0', hidden],
    ['/v1/secret/%E2%80%AEx', hidden],
    ['/v1/secret/%EF%BB%BFx', hidden],
    ['/v1/secret/%c0%ae%c0%ae/x', utf8],
    ['/v1/secret/%c0%af', utf8],
    ['/v1/secret/%e0%80%ae', utf8],
    ['/v1/secret/%ed%a0%80', utf8],
    ['/v1/secret/%f4%90%80%80', utf8],
    ['/v1/secret/%ff', utf8],
    ['/v1/secret/\u00fc', utf8],
    ['/v1/secret/ü\u20ac', utf8],
    ['/v1/secret/%', percent],
    ['/v1/secret/%4', percent],
    ['/v1/secret/%zz', percent],
    ['/v1/secret/%u002e', percent],
    ['*', 'the path must begin with "/"'],
    ['v1/x', 'the path must begin with "/"'],
    ['', 'the path must begin with "/"'],
    ['ftp://host/v1/x', 'the path must begin with "/"'],
  ])('%j is refused', (target, text) => {
    expect(refused(target)).toBe(text)
  })

  /** Ways to write what a careless reader may take for a dot, a slash, or the end of the path. */
  const DOTS = [
    '.',
    '%2e',
    '%2E',
    '%252e',
    '%c0%ae',
    '%e0%80%ae',
    '%u002e',
    '\u2024',
    '%EF%BC%8E',
    '',
  ]
  const SLASHES = [
    '/',
    '//',
    '%2f',
    '%2F',
    '%252f',
    '\\',
    '%5c',
    '%c0%af',
    '%EF%BC%8F',
    '/%00',
    '/;/',
    '/ /',
    '?',
  ]

  test('of 6,500 ways to write "..", each is refused or names no special segment', () => {
    let count = 0
    for (const a of DOTS) {
      for (const b of DOTS) {
        for (const before of SLASHES) {
          for (const after of [...SLASHES.slice(0, 4), '']) {
            expectCanonical(`/v1/secret${before}${a}${b}${after}metadata`)
            count++
          }
        }
      }
    }
    expect(count).toBe(6_500)
  })

  test('whatever the bytes, a path is refused or canonical', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...DOTS,
        ...SLASHES,
        'a',
        'B',
        '%',
        '%0',
        '%00',
        '%7F',
        '%25',
        '+',
        ' ',
        '#',
        '~',
        'ÿ',
      ),
      fc.integer({ min: 0, max: 255 }).map((n) => `%${n.toString(16).padStart(2, '0')}`),
      fc.integer({ min: 1, max: 255 }).map((n) => String.fromCharCode(n)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) =>
        expectCanonical(`/${pieces.join('')}`),
      ),
      { numRuns: 5_000 },
    )
  })

  test('a canonical path written out again names itself', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' })
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const target = `/${names.map(encodeURIComponent).join('/')}`
        const found = refused(target)
        if (found?.startsWith('/') === true) expect(found).toBe(`/${names.join('/')}`)
      }),
      { numRuns: 2_000 },
    )
  })

  test('the error never repeats what was sent', () => {
    for (const target of [
      '/v1/CANARY/%00',
      '/v1/CANARY/../x',
      '/CANARY%ff',
      '/x?CANARY=%zz',
      'CANARY',
    ]) {
      expect(refused(target)).not.toContain('CANARY')
    }
  })
})

function expectCanonical(target: string): void {
  const found = refused(target)
  if (found?.startsWith('/') !== true) return
  const segments = found.split('/').slice(1)
  const inner = segments.slice(0, -1)
  expect(inner).not.toContain('')
  expect(segments).not.toContain('.')
  expect(segments).not.toContain('..')
  expect(found).not.toMatch(/\p{C}/u)
  expect(found.isWellFormed()).toBe(true)
}

describe('queries', () => {
  test.each([
    ['/x', {}],
    ['/x?', {}],
    ['/x?list=true', { list: ['true'] }],
    ['/x?list', { list: [''] }],
    ['/x?a=1&b=2&a=3', { a: ['1', '3'], b: ['2'] }],
    ['/x?a=b=c&&', { a: ['b=c'] }],
    ['/x?scope=openid%20profile+email', { scope: ['openid profile email'] }],
    ['/x?a=1%2B1', { a: ['1+1'] }],
    ['/x?context=bXk%3D', { context: ['bXk='] }],
    ['/x?a%26b=%3D', { 'a&b': ['='] }],
    ['/x?u=https://app.example/cb?y', { u: ['https://app.example/cb?y'] }],
    ['/x?e=%E2%82%AC', { e: ['€'] }],
    ['/x?__proto__=1', JSON.parse('{"__proto__": ["1"]}')],
  ])('%j', (target, expected) => {
    expect(query(target)).toEqual(expected)
  })

  test.each(['/x?a=%', '/x?a=%g0', '/x?a=%ff', '/x?%c0%ae=1'])('%j is refused', (target) => {
    expect(() => parseTarget(target)).toThrow(InvalidTarget)
  })

  test('the number of parameters is limited', () => {
    expect(parseForm('a&'.repeat(MAX_QUERY_PARAMETERS - 1)).get('a')).toHaveLength(
      MAX_QUERY_PARAMETERS - 1,
    )
    expect(() => parseForm('a&'.repeat(MAX_QUERY_PARAMETERS))).toThrow(InvalidTarget)
  })
})
