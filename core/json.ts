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
    parse(
      text: string,
      reviver: (key: string, value: Json, context: { source?: string }) => Json,
    ): Json
  }
}

/** A number that a JavaScript number may not print as it was written: fraction, exponent, or 16 digits and more. */
const MAY_CHANGE = /\d(?:\.|[eE]|\d{15})|-0/

/**
 * Parses JSON; numbers that would be printed otherwise become `RawNumber`s.
 *
 * @throws {SyntaxError} it is not JSON, or nested some thousand levels deep
 */
export function parseJson(text: string): Json {
  if (!MAY_CHANGE.test(text)) return JSON.parse(text) as Json
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

const HTML = /[<>&\u2028\u2029]/g
const HTML_TEST = /[<>&\u2028\u2029]/

/**
 * hot: every answer. The JSON text of `value` as Go's encoder writes it. Members that are `undefined` are left out; a
 * `Date` is a time as Go prints it (which the audit log shows, unlike a string).
 * The encoder is our own because JavaScript moves integer-like keys to the front of an object, whatever their order.
 */
export function stringifyJson(value: unknown): string {
  return escapeHtml(isInOrder(value) ? JSON.stringify(value) : encode(value))
}

/** Whether JavaScript's own encoder, which is several times as fast, writes the value as Go's does. */
function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object') return value !== undefined
  if (value === null || JSON.isRawJSON(value)) return true
  if (Array.isArray(value)) return value.every(isInOrder)
  if (value instanceof Date) return false
  let before = ''
  for (const key in value) {
    if (key < before || !isInOrder(Reflect.get(value, key))) return false
    before = key
  }
  return true
}

function encode(value: unknown): string {
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value))
    return JSON.stringify(value)
  if (Array.isArray(value)) return encodeArray(value)
  return value instanceof Date ? `"${rfc3339(value.getTime())}"` : encodeObject(value)
}

function encodeArray(items: readonly unknown[]): string {
  if (items.every((item) => typeof item !== 'object' || item === null)) return JSON.stringify(items)
  return `[${items.map((item) => (item === undefined ? 'null' : encode(item))).join(',')}]`
}

function encodeObject(object: object): string {
  let text = ''
  const members = object as Readonly<Record<string, unknown>>
  for (const key of Object.keys(object).sort(byCodeUnit)) {
    const value = members[key]
    if (value !== undefined)
      text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${encode(value)}`
  }
  return `{${text}}`
}

/** Go sorts by bytes of UTF-8; the two orders differ for characters beyond the BMP only. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1
}

/** Escapes what Go's encoder escapes beyond JSON's own rules. Such characters occur in strings only. */
export function escapeHtml(json: string): string {
  return HTML_TEST.test(json)
    ? json.replace(HTML, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json
}
