import { describe, expect, test } from 'vitest'
import { DEFAULT_BODY_LIMITS } from '../http/body.ts'
import type { HttpRequest } from '../http/message.ts'
import { parseForm } from '../http/target.ts'
import { readRequest } from './incoming.ts'
import { memberOf } from '../../test/support/json.ts'

function read(method: string, target: string, more: Partial<HttpRequest> = {}) {
  const [path = '', query = ''] = target.split('?')
  const http: HttpRequest = {
    method,
    path: `/v1/${path}`,
    query: parseForm(query),
    headers: {},
    body: Buffer.from(''),
    client: { address: '127.0.0.1', port: 1 },
    ...more,
  }
  return readRequest(http, DEFAULT_BODY_LIMITS)
}

const statusOf = (...request: Parameters<typeof read>) => {
  try {
    read(...request)
    return 200
  } catch (error) {
    return memberOf(error, 'status')
  }
}

test.each([
  ['GET', 'a/b', 'read', 'a/b'],
  ['GET', 'a/b?list=true', 'list', 'a/b/'],
  ['GET', 'a/b/?list=1', 'list', 'a/b/'],
  ['GET', 'a/b?list=false', 'read', 'a/b'],
  ['GET', 'a/b?scan=true', 'scan', 'a/b/'],
  ['LIST', 'a/b', 'list', 'a/b/'],
  ['LIST', 'a/b/', 'list', 'a/b/'],
  ['SCAN', 'a', 'scan', 'a/'],
  ['POST', 'a/b', 'update', 'a/b'],
  ['PUT', 'a/b', 'update', 'a/b'],
  ['DELETE', 'a/b', 'delete', 'a/b'],
  ['HEAD', 'a/b', 'header', 'a/b'],
  ['GET', 'a/b?help=1', 'help', 'a/b'],
  ['POST', 'a/b?help=true', 'help', 'a/b'],
  ['HELP', 'a/b', 'help', 'a/b'],
  ['POST', 'a/b?list=true', 'update', 'a/b'],
  ['DELETE', 'a/b?list=true', 'delete', 'a/b'],
])('%s %s is a %s of %s', (method, target, operation, path) => {
  expect(read(method, target)).toMatchObject({ operation, path })
})

test('a patch says what it is by its content type', () => {
  const patch = {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: Buffer.from('{}'),
  }
  expect(read('PATCH', 'a', patch).operation).toBe('patch')
  expect(statusOf('PATCH', 'a', { body: Buffer.from('{}') })).toBeGreaterThanOrEqual(400)
})

test.each([
  ['POST', 'a/', 400],
  ['PUT', 'a/', 400],
  ['PATCH', 'a/', 400],
  ['OPTIONS', 'a', 400],
  ['TRACE', 'a', 405],
  ['get', 'a', 405],
  ['GET', 'a?list=yes', 400],
  ['GET', 'a?help=maybe', 400],
  ['GET', 'a?list=true&scan=true', 400],
])('%s %s is refused: %d', (method, target, status) => {
  expect(statusOf(method, target)).toBe(status)
})

describe('fields', () => {
  test('of a read are its query, but for what says which operation it is', () => {
    expect(read('GET', 'a?list=true&after=x&tag=1&tag=2&empty=').body).toEqual({
      after: 'x',
      tag: ['1', '2'],
      empty: '',
    })
  })

  test('of a write are its body, and its query says nothing', () => {
    expect(read('POST', 'a?b=2', { body: Buffer.from('{"a":1.0}') }).body).toEqual({
      a: { rawJSON: '1.0' },
    })
  })

  test('of a delete are its query', () => {
    expect(read('DELETE', 'a?b=2', { body: Buffer.from('{"a":1}') }).body).toEqual({ b: '2' })
  })

  test('a name that objects have by birth is a field like any other', () => {
    expect(Object.keys(read('GET', 'a?__proto__=1&constructor=2').body)).toEqual([
      '__proto__',
      'constructor',
    ])
  })
})

describe('the token', () => {
  test.each([
    [{ 'x-vault-token': 'a' }, 'a'],
    [{ authorization: 'Bearer b' }, 'b'],
    [{ 'x-vault-token': 'a', authorization: 'Bearer b' }, 'a'],
    [{ 'x-vault-token': '', authorization: 'Bearer b' }, 'b'],
    [{ 'x-vault-token': ['a', 'c'] }, 'a'],
    [{ authorization: 'Basic b' }, ''],
    [{ authorization: 'bearer b' }, ''],
    [{}, ''],
  ])('of %j is %j', (headers, token) => {
    expect(read('GET', 'a', { headers }).token).toBe(token)
  })
})

test.each([
  ['60', 60],
  ['1m', 60],
  ['', 0],
  ['0', 0],
  ['1ms', 1],
  ['1.2s', 2],
])('a wrapping span of %j is %d s', (text, seconds) => {
  expect(read('GET', 'a', { headers: { 'x-vault-wrap-ttl': text } }).wrapTtlSeconds).toBe(seconds)
})

test.each(['-1', 'x', '-1ms', '1e3', '99999999h'])('a wrapping span of %j is refused', (text) => {
  expect(statusOf('GET', 'a', { headers: { 'x-vault-wrap-ttl': text } })).toBe(400)
})
