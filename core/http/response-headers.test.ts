import { expect, test } from 'vitest'
import { ResponseHeaders } from './response-headers.ts'

function headers(
  custom: ConstructorParameters<typeof ResponseHeaders>[0],
  status = 200,
  own = {},
  body = 'é',
) {
  const flat = new ResponseHeaders(custom).flat({ status, headers: own, body })
  const pairs: Record<string, string> = {}
  for (let i = 0; i < flat.length; i += 2) pairs[flat[i] ?? ''] = flat[i + 1] ?? ''
  return pairs
}

test('every answer forbids caches, names its type and length, and asks for TLS from now on', () => {
  expect(headers(undefined)).toEqual({
    'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    'Cache-Control': 'no-store',
    'Content-Type': 'application/json',
    'Content-Length': '2',
  })
})

test('an answer may bring its own type and cache control, in any spelling', () => {
  const own = { 'content-type': 'text/plain', 'CACHE-CONTROL': 'max-age=9', 'Retry-After': '1' }
  expect(headers({}, 200, own)).toEqual({
    'Content-Type': 'text/plain',
    'Cache-Control': 'max-age=9',
    'Retry-After': '1',
    'Content-Length': '2',
  })
})

test('204 has a type but no length', () => {
  expect(headers({}, 204, {}, '')).toEqual({
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
  })
})

test('of the configured headers the narrowest status wins', () => {
  const custom = {
    default: { 'X-A': 'default', 'X-B': 'default' },
    '4xx': { 'x-a': '4xx' },
    '404': { 'X-A': '404' },
  }
  expect(headers(custom, 200)).toMatchObject({ 'X-A': 'default', 'X-B': 'default' })
  expect(headers(custom, 400)).toMatchObject({ 'x-a': '4xx', 'X-B': 'default' })
  expect(headers(custom, 404)).toMatchObject({ 'X-A': '404', 'X-B': 'default' })
})
