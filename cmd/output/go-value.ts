/** Values as Go's `%v` prints them: what a table shows for anything that is no plain string. */
import { membersOf } from './printable.ts'

export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (JSON.isRawJSON(value)) return value.rawJSON
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`
  const members = membersOf(value)
  if (members !== undefined)
    return `map[${members.map(([key, member]) => `${key}:${goValue(member)}`).join(' ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A list of strings as Go's `%q`. */
export function goQuotedList(items: readonly string[] | null): string {
  return `[${(items ?? []).map((item) => JSON.stringify(item)).join(' ')}]`
}
