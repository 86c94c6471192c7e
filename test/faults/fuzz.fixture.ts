/**
 * Requests that no client would send, generated from the declared paths and a seed: the same seed gives the same ones.
 */
import type { Declared } from '../advisories/routes.fixture.ts'
import { METHODS } from '../advisories/routes.fixture.ts'
import { PAIRS } from '../endpoints/read-back.fixture.ts'

export interface FuzzRequest {
  /** As it goes over the wire. */
  readonly bytes: Buffer
  readonly isHead: boolean
  /** More bytes follow than it tells of: what the server makes of them is an answer too many. */
  readonly isCutShort: boolean
}

/** A number from 0 to below 1 with each call. */
type Draw = () => number

/** What a request may be made of beside the declared paths. */
export interface Materials {
  readonly routes: readonly Declared[]
  /** Most requests have the first. */
  readonly tokens: readonly string[]
}

/** Mulberry32: 32 bits of state are enough to find a failing run again. */
function drawing(seed: number): Draw {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const WORDS = [
  '',
  'sample',
  'a',
  'A',
  '0',
  '-1',
  '1',
  'root',
  'ROOT',
  'default',
  'x'.repeat(300),
  'x'.repeat(5_000),
  'a b',
  'a/b',
  'a,b',
  '*',
  '+',
  '..',
  '.',
  '../../x',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\u202e',
  '\u2028',
  'ß',
  'İ',
  '𝕊',
  'e\u0301',
  '\ud800',
  '1h',
  '-1s',
  '999999999999h',
  '1.5',
  '9'.repeat(400),
  '{{identity.entity.id}}',
  '${x}',
  '%s%n',
  "'; drop",
  '<script>',
  'path "*" { capabilities = ["sudo"] }',
  'YQ==',
  '10.0.0.0/8',
  '::1',
  'kv',
  'approle',
  'file',
  'true',
  'null',
]
const METHODS_TOO = [
  'GET',
  'LIST',
  'SCAN',
  'HELP',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PURGE',
  'get',
  'FOO',
  '',
]
const PATH_TRICKS = [
  '/',
  '//',
  '/./',
  '/../',
  '/..',
  '/.',
  '%2e%2e/',
  '/%2e%2e',
  '%2f',
  '%2F..%2f',
  '%00',
  '%ff',
  '%c0%af',
  '%',
  '%zz',
  '%u002e',
  '\\',
  '/..\\',
  ';a=b',
  '#f',
  ' ',
  '%20',
  '%0d%0aX: y',
  '/x'.repeat(200),
  '%25%32%65',
  '\u00e4',
  '%e2%80%ae',
  '+',
  '*',
  ':',
  '@',
  '/sys/mounts',
  '/v1/',
]
const QUERIES = [
  '',
  '?',
  '?list=true',
  '?list=x',
  '?scan=true',
  '?list=true&scan=true',
  '?help=1',
  '?help=x',
  '?limit=-1',
  '?limit=9e9',
  '?after=%ff',
  '?version=x',
  '?version=-1',
  '?__proto__=x',
  '?a=b&a=c',
  '?&&==&',
  '?%',
  '?standbyok',
  `?x=${'y'.repeat(4_000)}`,
  '?compressed=maybe',
]
const HEADERS = [
  'X-Vault-Namespace: sample',
  'X-Vault-Namespace: ../x',
  'X-Vault-Namespace: \u00ff',
  'X-Vault-Wrap-TTL: 60',
  'X-Vault-Wrap-TTL: -1',
  'X-Vault-Wrap-TTL: x',
  'X-Vault-Wrap-Format: jwt',
  'X-Vault-Request: true',
  'X-Vault-Policy-Override: x',
  'X-Forwarded-For: 1.2.3.4',
  'X-Forwarded-For: a, b',
  'Origin: http://x',
  'Accept: text/plain;version=0.0.4',
  'If-None-Match: *',
  'Expect: 100-continue',
  'Range: bytes=0-',
  'Content-Type: text/plain',
  'Content-Type: application/merge-patch+json',
  'Content-Encoding: gzip',
  'Connection: close',
  'Authorization: Basic eA==',
  'Authorization: Bearer',
  'Cookie: a=b',
  'Upgrade: h2c',
  'X-Vault-Index: v1:AA==',
  `X-Long: ${'y'.repeat(9_000)}`,
  'X-Vault-Token: second',
  'Content-Type: application/x-www-form-urlencoded',
]
const BROKEN = [
  '{',
  '}',
  '{"a":',
  '{"a":1,}',
  '[1,2',
  '"x"',
  'null',
  '1',
  '{}{}',
  '{"a":1}x',
  "{'a':1}",
  '{"a":NaN}',
  '{"a":1e999}',
  '{"a":"\\ud800"}',
  '{"a":"\\u0000"}',
  '{"a":1,"a":2}',
  '\ufeff{}',
  '{"\u0000":1}',
  `${'['.repeat(5_000)}`,
  `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`,
  `{"a":${'9'.repeat(2_000)}}`,
  `{"a":"${'x'.repeat(100_000)}"}`,
  `{${Array.from({ length: 500 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
  ' ',
  'a=b&c=d',
]

export function* fuzzRequests(seed: number, materials: Materials): Generator<FuzzRequest, never> {
  const draw = drawing(seed)
  for (;;) yield requestOf(draw, materials)
}

function requestOf(draw: Draw, { routes, tokens }: Materials): FuzzRequest {
  const route = pick(draw, routes)
  const declared = [...route.operations.keys()].map((operation) => METHODS[operation])
  const method = draw() < 0.8 ? pick(draw, declared) : pick(draw, METHODS_TOO)
  const body = draw() < 0.7 ? bodyOf(draw, route) : draw() < 0.5 ? '' : pick(draw, BROKEN)
  const lines = [
    `${method} /v1/${pathOf(draw, route.url)}${draw() < 0.2 ? pick(draw, QUERIES) : ''} HTTP/1.1`,
    'Host: x',
    ...(draw() < 0.9
      ? [`X-Vault-Token: ${draw() < 0.7 ? (tokens[0] ?? '') : pick(draw, tokens)}`]
      : []),
    ...(method === 'PATCH' && draw() < 0.9 ? ['Content-Type: application/merge-patch+json'] : []),
    ...(draw() < 0.15 ? [pick(draw, HEADERS)] : []),
    ...(draw() < 0.05 ? [pick(draw, HEADERS)] : []),
  ]
  return { ...framed(draw, lines, Buffer.from(body)), isHead: method === 'HEAD' }
}

/** With its length, or in chunks; now and then with what follows the request, too. */
function framed(
  draw: Draw,
  lines: readonly string[],
  body: Buffer,
): Pick<FuzzRequest, 'bytes' | 'isCutShort'> {
  const chunked = draw() < 0.05
  const length = draw() < 0.01 ? Math.floor(body.length / 2) : body.length
  const head = [...lines, chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`]
  const opening = Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1')
  if (!chunked) {
    return { bytes: Buffer.concat([opening, body]), isCutShort: length < body.length }
  }
  const size = Buffer.from(`${body.length.toString(16)}\r\n`)
  const chunk = body.length === 0 ? [] : [size, body, Buffer.from('\r\n')]
  const bytes = Buffer.concat([opening, ...chunk, Buffer.from('0\r\n\r\n')])
  return { bytes, isCutShort: false }
}

function pathOf(draw: Draw, url: string): string {
  const named =
    draw() < 0.3 ? url.replaceAll('sample', encodeURIComponent(wellFormed(pick(draw, WORDS)))) : url
  if (draw() < 0.85) return named
  const at = Math.floor(draw() * (named.length + 1))
  const rest = draw() < 0.5 ? named.slice(at) : named.slice(Math.min(named.length, at + 1))
  return named.slice(0, at) + pick(draw, PATH_TRICKS) + rest
}

/** `encodeURIComponent` takes no half of a character. */
const wellFormed = (text: string) => text.toWellFormed()

function bodyOf(draw: Draw, { url, path }: Declared): string {
  const { base = {}, values = {} } = PAIRS[url] ?? {}
  const members = new Map<string, string>()
  if (draw() < 0.5) {
    // What the path takes, so that the handler gets beyond what it needs.
    for (const [name, value] of Object.entries(base)) members.set(name, JSON.stringify(value))
  }
  const share = draw() < 0.5 ? 0.2 : 0.7
  const names = Object.keys(path.fields).filter(() => draw() < share)
  if (draw() < 0.15) names.push(pick(draw, WORDS))
  for (const name of names) {
    const good = Object.hasOwn(values, name) ? values[name]?.write : undefined
    const takesGood = good !== undefined && draw() < 0.3
    members.set(name, takesGood ? JSON.stringify(good) : valueOf(draw, typeOf(path, name)))
  }
  const text = `{${Array.from(members, ([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
  return draw() < 0.05 ? damaged(draw, text) : text
}

function typeOf({ fields }: Declared['path'], name: string): string | undefined {
  return Object.hasOwn(fields, name) ? fields[name]?.facts.schema.type : undefined
}

function valueOf(draw: Draw, type: string | undefined, depth = 0): string {
  const wanted =
    draw() < 0.7 ? type : pick(draw, ['string', 'integer', 'boolean', 'array', 'object', 'null'])
  switch (wanted) {
    case 'integer':
    case 'number':
      return pick(draw, [
        '0',
        '1',
        '7',
        '-1',
        '1.5',
        '3600',
        '1e3',
        '9007199254740993',
        '1e400',
        '"60"',
        '"1h"',
      ])
    case 'boolean':
      return pick(draw, ['true', 'false', '"true"', '0', '"x"'])
    case 'array':
      return depth > 3 ? '[]' : `[${several(draw, () => valueOf(draw, 'string', depth + 1))}]`
    case 'object':
      return depth > 3
        ? '{}'
        : `{${several(draw, () => `${JSON.stringify(pick(draw, WORDS))}:${valueOf(draw, 'string', depth + 1)}`)}}`
    case 'null':
      return 'null'
    default:
      return JSON.stringify(pick(draw, WORDS))
  }
}

function several(draw: Draw, make: () => string): string {
  return Array.from({ length: Math.floor(draw() * 4) }, make).join(',')
}

/** One character more, less or other. */
function damaged(draw: Draw, text: string): string {
  const at = Math.floor(draw() * text.length)
  return (
    text.slice(0, at) +
    pick(draw, ['', '"', '{', '\\', '\u0001', 'é']) +
    text.slice(at + (draw() < 0.5 ? 1 : 0))
  )
}

function pick<T>(draw: Draw, items: readonly T[]): T {
  const item = items[Math.floor(draw() * items.length)]
  if (item === undefined) throw new Error('there is nothing to pick')
  return item
}
