/** Lists and maps of strings as JSON. */
import { quote, sortedKeys } from '../json.ts'

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
