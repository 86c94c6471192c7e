/**
 * JSON as it crosses the wire: numbers keep their exact text (1.0 stays 1.0, 64-bit integers are not rounded), and
 * output is that of Go's encoder: keys sorted, `<`, `>`, `&`, U+2028 and U+2029 escaped.
 */

import { rfc3339 } from './clock.ts'

/** A number whose text would not survive a JavaScript number; made by `JSON.rawJSON`. */
export interface RawNumber {
  readonly rawJSON: string
}
export type Json = null | boolean | number | string | RawNumber | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

declare global {
  interface JSON {
    rawJSON(text: string): RawNumber
    isRawJSON(value: unknown): value is RawNumber
    parse(text: string): Json
    parse(
      text: string,
      reviver: (key: string, value: Json, context: { source?: string }) => Json,
    ): Json
  }
}

/**
 * A number that a JavaScript number may not print as it was written: fraction, exponent, or 16 digits and more. Where no
 * number can begin, as within a UUID, none is looked for: parsing with care takes several times as long.
 */
const MAY_CHANGE = /(?:^|[[:,\s])(?:-?(?:\d+[.eE]|\d{16})|-0)/

/**
 * Parses JSON; numbers that would be printed otherwise become `RawNumber`s.
 *
 * @throws {SyntaxError} it is not JSON, or nested some thousand levels deep
 */
export function parseJson(text: string): Json {
  if (!MAY_CHANGE.test(text)) return JSON.parse(text)
  try {
    return JSON.parse(text, keepNumber)
  } catch (error) {
    // The parser itself takes any depth; with a reviver it calls itself for each level.
    if (error instanceof RangeError) throw new SyntaxError('nested too deep', { cause: error })
    throw error
  }
}

function keepNumber(_key: string, value: Json, { source }: { source?: string }): Json {
  return typeof value === 'number' && source !== undefined && String(value) !== source
    ? JSON.rawJSON(source)
    : value
}

export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
  )
}

/** As `Array.isArray`, which takes the elements of a readonly array for `any`. */
export function isList<T>(value: T): value is Extract<T, readonly unknown[]> {
  return Array.isArray(value)
}

const HTML = /[<>&\u2028\u2029]/g
const HTML_TEST = /[<>&\u2028\u2029]/

/**
 * hot: every answer. The JSON text of `value` as Go's encoder writes it. Members that are `undefined` are left out; a
 * `Date` is a time as Go prints it (which the audit log shows, unlike a string).
 *
 * JavaScript's own encoder, which is several times as fast, does it where it can: it moves integer-like keys to the
 * front of an object, whatever their order. What is frozen, as stored records are, is encoded once.
 */
export function stringifyJson(value: unknown): string {
  return encode(value)
}

/** Of objects that cannot change, nor what is in them. */
const ofFrozen = new WeakMap<object, string>()

function encode(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) {
    return JSON.stringify(value)
  }
  if (value instanceof Date) return `"${rfc3339(value.getTime())}"`
  if (!Object.isFrozen(value)) return encodeStructure(value)
  let text = ofFrozen.get(value)
  if (text === undefined) {
    text = flat(encodeStructure(value))
    ofFrozen.set(value, text)
  }
  return text
}

function encodeStructure(value: object): string {
  if (Array.isArray(value)) return encodeArray(value)
  return isPlain(value) ? escapeHtml(JSON.stringify(value)) : encodeObject(value)
}

function encodeArray(items: readonly unknown[]): string {
  if (items.every(isPrimitive)) return escapeHtml(JSON.stringify(items))
  return `[${items.map((item) => (item === undefined ? 'null' : encode(item))).join(',')}]`
}

/** Whether JavaScript's own encoder writes the object as Go's does. */
function isPlain(object: object): boolean {
  let before = ''
  for (const key in object) {
    if (key < before || !isPrimitive(Reflect.get(object, key))) return false
    before = key
  }
  return true
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function encodeObject(object: object): string {
  let text = ''
  for (const key of sortedKeys(object)) {
    const value: unknown = Reflect.get(object, key)
    if (value !== undefined) text += `${text === '' ? '' : ','}${quote(key)}:${encode(value)}`
  }
  return `{${text}}`
}

/**
 * hot: most objects have their keys in order already, and looking is cheaper than sorting. Go sorts by bytes of UTF-8;
 * the two orders differ for characters beyond the BMP only.
 */
export function sortedKeys(object: object): string[] {
  const keys = Object.keys(object)
  for (let i = 1; i < keys.length; i++) {
    if ((keys[i] ?? '') < (keys[i - 1] ?? '')) return keys.sort()
  }
  return keys
}

/** Whatever either encoder escapes, and surrogates, of which one may be alone. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const TO_ESCAPE = /["\\<>&\u0000-\u001f\u2028\u2029\ud800-\udfff]/

/** hot: a string as JSON; most need no escape. */
export function quote(text: string): string {
  return TO_ESCAPE.test(text) ? escapeHtml(JSON.stringify(text)) : `"${text}"`
}

/** Escapes what Go's encoder escapes beyond JSON's own rules. Such characters occur in strings only. */
export function escapeHtml(json: string): string {
  return HTML_TEST.test(json)
    ? json.replace(HTML, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json
}

/**
 * hot: the same text, of JSON, in one piece. Text that was put together is a tree of its pieces until somebody looks at
 * it; kept as a tree it costs the garbage collector more than it cost to make (measured: 3 µs of 13 a request and
 * answer).
 */
export function flat(text: string): string {
  // The result must be used, or the optimizer drops the look. No JSON begins with NUL.
  return text.charCodeAt(0) === 0 ? '' : text
}
