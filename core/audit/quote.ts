/**
 * Strings as JSON, as Go's encoder writes them (`<`, `>`, `&`, U+2028 and U+2029 escaped as well).
 */
import { escapeHtml } from '../json.ts'

/** Whatever either encoder escapes, and surrogates, of which one may be alone. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const TO_ESCAPE = /["\\<>&\u0000-\u001f\u2028\u2029\ud800-\udfff]/

/** hot: several a line; most strings need no escape. */
export function quote(text: string): string {
  return TO_ESCAPE.test(text) ? escapeHtml(JSON.stringify(text)) : `"${text}"`
}

/** `["a","b"]` */
export function quoteList(texts: readonly string[]): string {
  let list = ''
  for (const text of texts) list += list === '' ? quote(text) : `,${quote(text)}`
  return `[${list}]`
}

/** `{"a":"1"}`, keys sorted. */
export function quoteMap(map: Readonly<Record<string, string>>): string {
  let members = ''
  for (const key of sortedKeys(map)) members += `,${quote(key)}:${quote(map[key] ?? '')}`
  return `{${members.slice(1)}}`
}

/** hot: most objects have their keys in order already, and looking is cheaper than sorting. */
export function sortedKeys(object: object): string[] {
  const keys = Object.keys(object)
  for (let i = 1; i < keys.length; i++) {
    if ((keys[i] ?? '') < (keys[i - 1] ?? '')) return keys.sort()
  }
  return keys
}

/**
 * hot: the same text, of JSON, in one piece. Text that was put together is a tree of its pieces until somebody looks at it; kept
 * as a tree it costs the garbage collector more than it cost to make (measured: 3 µs of 13 a request and answer).
 */
export function flat(text: string): string {
  // The result must be used, or the optimizer drops the look. No JSON begins with NUL.
  return text.charCodeAt(0) === 0 ? '' : text
}
