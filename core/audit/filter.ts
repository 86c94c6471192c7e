/**
 * Which entries a device gets: those that its `filter` lets through; with `fallback`, those that no other device gets.
 * A filter reads what is in the clear in every entry.
 */
import { BadRequest } from '../errors.ts'
import { parsePredicate, type Read } from './expression.ts'
import type { RequestFacts } from './facts.ts'

export type Filter = (request: RequestFacts) => boolean

/** What Vault's filters may name. */
const PROPERTIES: ReadonlyMap<string, (request: RequestFacts) => string> = new Map([
  ['mount_point', ({ mount }) => mount?.path ?? ''],
  ['mount_type', ({ mount }) => mount?.type ?? ''],
  ['namespace', ({ namespace }) => namespace.path],
  ['operation', ({ operation }) => operation],
  ['path', ({ path }) => path],
])

/** @throws {BadRequest} it is no filter */
function parseFilter(text: string): Filter {
  const predicate = parsePredicate('filter', text, (name) => PROPERTIES.has(name))
  return (request) => {
    const read: Read = (name) => PROPERTIES.get(name)?.(request) ?? ''
    return predicate(read)
  }
}

/** What of the entries a device gets; absent: all. */
export interface Selection {
  readonly filter?: Filter
  /** It gets those that no other device gets. */
  readonly fallback?: true
}

/** @throws {BadRequest} both at once, or no filter */
export function readSelection(filter: string | undefined, fallback: boolean): Selection {
  if (fallback && filter !== undefined && filter !== '') {
    throw new BadRequest('cannot configure a fallback device with a filter')
  }
  if (fallback) return { fallback }
  return filter === undefined || filter === '' ? {} : { filter: parseFilter(filter) }
}
