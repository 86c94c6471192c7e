/**
 * The request target, made canonical once: everything after this file (routing, policies, audit, storage keys) reads
 * the path and the query that come out of here, and nothing decodes them again.
 *
 * Promises  The path begins with '/', has no `.`, `..` or empty segment (a '/' at its end is kept), no control or
 *           invisible character, and is valid Unicode. Two targets with the same path name the same thing; a target
 *           that would need rewriting to be canonical is refused, never mended: clients learn of it, and no proxy in
 *           front can have understood it otherwise.
 * Escapes   Each is decoded exactly once, so `%252e` is the three characters `%2e`. Dots and slashes may not be
 *           escaped at all: no client needs it, and it is how paths are smuggled past proxies. `%5C` is an ordinary
 *           backslash (names of directory users hold it); a bare one is refused, as URL parsers make a '/' of it.
 * Query     As forms: '+' is a blank. In paths '+' is itself.
 */
import { isUtf8 } from 'node:buffer'
import { BadRequest } from '../errors.ts'

export type Query = ReadonlyMap<string, readonly string[]>

export interface Target {
  readonly path: string
  readonly query: Query
}

/** The target has no canonical form. The text never repeats the target: it may hold a secret in the wrong place. */
export class InvalidTarget extends BadRequest {
  override readonly name = 'InvalidTarget'
}

/** More than any client sends; bounds the map that is made of them. */
export const MAX_QUERY_PARAMETERS = 1_000

/** Canonical as it stands: plain characters only, and no segment begins with a dot. Linear, for '/' divides. */
const PLAIN_PATH = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)+\/?$/
const ORIGIN = /^https?:\/\/[^/?#]*/i
const ESCAPED_DOT = /%2e/i
const ESCAPED_SLASH = /%2f/i
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/
/** As Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and of the blanks only U+0020. */
const NOT_PRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u
const NOT_ASCII = /[^\0-\x7f]/
const NO_QUERY: Query = new Map()
const PERCENT = 0x25

/**
 * hot: every request.
 *
 * @param target as it came over the wire, one character a byte (as node:http gives it); absolute form is taken too
 * @throws {InvalidTarget}
 */
export function parseTarget(target: string): Target {
  const local = target.startsWith('/') ? target : withoutOrigin(target)
  const mark = local.indexOf('?')
  if (mark < 0) return { path: canonicalPath(local), query: NO_QUERY }
  return { path: canonicalPath(local.slice(0, mark)), query: parseForm(local.slice(mark + 1)) }
}

/** `http://host/path`, as a client sends it to a proxy. */
function withoutOrigin(target: string): string {
  const origin = ORIGIN.exec(target)?.[0]
  if (origin === undefined) throw new InvalidTarget('the path must begin with "/"')
  const local = target.slice(origin.length)
  return local.startsWith('/') ? local : `/${local}`
}

function canonicalPath(raw: string): string {
  if (PLAIN_PATH.test(raw) || raw === '/') return raw
  refuseAmbiguous(raw)
  const path = decode(raw, 'path')
  if (NOT_PRINTABLE.test(path)) {
    throw new InvalidTarget(
      'the path holds a control character or another that does not print; leave it out',
    )
  }
  return path
}

/** Whatever one reader could take for another path than the next reader does. */
function refuseAmbiguous(raw: string): void {
  if (ESCAPED_DOT.test(raw)) throw new InvalidTarget('relative paths not supported')
  if (ESCAPED_SLASH.test(raw)) {
    // The first text is Vault's for `..%2F`; clients know it.
    const relative = DOT_SEGMENT.test(raw.replace(/%2f/gi, '/'))
    throw new InvalidTarget(
      relative
        ? 'relative paths not supported'
        : 'the path holds an escaped slash (%2F); write "/" between names',
    )
  }
  if (DOT_SEGMENT.test(raw)) {
    throw new InvalidTarget(
      'the path holds a "." or ".." segment; send the path that is meant, without it',
    )
  }
  if (raw.includes('//')) {
    throw new InvalidTarget('the path holds an empty segment ("//"); write one "/" between names')
  }
  if (raw.includes('\\')) throw new InvalidTarget('the path holds a backslash; write it as %5C')
  if (raw.includes('#')) throw new InvalidTarget('the path holds a "#"; write it as %23')
}

/**
 * A query or the body of a form.
 *
 * @param text one character a byte, without the '?'
 * @throws {InvalidTarget}
 */
export function parseForm(text: string): Query {
  if (text === '') return NO_QUERY
  const values = new Map<string, string[]>()
  const pairs = text.split('&', MAX_QUERY_PARAMETERS + 1)
  if (pairs.length > MAX_QUERY_PARAMETERS) {
    throw new InvalidTarget(`too many parameters; at most ${MAX_QUERY_PARAMETERS} are taken`)
  }
  for (const pair of pairs) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decodeForm(at < 0 ? pair : pair.slice(0, at))
    const value = at < 0 ? '' : decodeForm(pair.slice(at + 1))
    const earlier = values.get(name)
    if (earlier === undefined) values.set(name, [value])
    else earlier.push(value)
  }
  return values
}

function decodeForm(text: string): string {
  return decode(text.includes('+') ? text.replaceAll('+', ' ') : text, 'query')
}

/** Percent-decodes once and reads the bytes as UTF-8. */
function decode(text: string, where: 'path' | 'query'): string {
  if (!text.includes('%') && !NOT_ASCII.test(text)) return text
  const bytes = Buffer.alloc(text.length)
  let length = 0
  for (let i = 0; i < text.length; i++) {
    let byte = text.charCodeAt(i)
    if (byte === PERCENT) {
      byte = (hexDigit(text.charCodeAt(i + 1)) << 4) | hexDigit(text.charCodeAt(i + 2))
      if (byte < 0) {
        throw new InvalidTarget(
          `the ${where} holds a "%" without two hexadecimal digits after it; write it as %25`,
        )
      }
      i += 2
    }
    // A character beyond a byte cannot come off the wire; 0xff makes it invalid UTF-8.
    bytes[length++] = byte > 0xff ? 0xff : byte
  }
  const used = bytes.subarray(0, length)
  if (!isUtf8(used))
    throw new InvalidTarget(`the ${where} is not valid UTF-8; escape the bytes of UTF-8 text`)
  return used.toString('utf8')
}

/** -1 where there is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
