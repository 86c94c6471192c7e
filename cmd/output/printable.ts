/**
 * What a command shows: JSON, and `Map`s where the order of members is fixed by the format of Vault's command line
 * (a plain object is shown with its keys sorted).
 */
import type { Json } from '../../core/json.ts'

export type Printable = Json | readonly Printable[] | ReadonlyMap<string, Printable>

/** The members of an object or a Map in the order in which they are shown; undefined: it is neither. */
export function membersOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (value instanceof Map)
    return [...value.entries()].map(([key, member]) => [String(key), member])
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value) || JSON.isRawJSON(value)) return undefined
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}
