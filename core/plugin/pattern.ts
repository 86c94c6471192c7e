/**
 * Patterns of paths, and the table that finds the path of a request.
 *
 * Segments are separated by '/': a literal, `:name` (one segment that matches the field's pattern), or once `:name*` (the
 * rest, slashes included, which may be empty; literals may follow it).
 */
import { assert } from '../errors.ts'
import type { Fields } from './fields.ts'

export interface Pattern {
  readonly text: string
  readonly segments: readonly Segment[]
  /** Where among the segments the rest stands; -1: nowhere. */
  readonly restAt: number
}
export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string; readonly folds: boolean; readonly is: RegExp }
  | {
      readonly kind: 'rest'
      readonly name: string
      readonly folds: boolean
      /** A '/' at its end says nothing: the canonical path is without. */
      readonly trims: boolean
    }

/** Vault's rule for a name in a path: letters, digits and '_'; '-' and '.' inside. */
const NAME = String.raw`\w(?:[\w.-]*\w)?`

export function compilePattern(text: string, fields: Fields): Pattern {
  const segments = text.split('/').map((segment): Segment => {
    if (!segment.startsWith(':')) return { kind: 'literal', text: segment }
    const name = segment.slice(1).replace('*', '')
    const field = fields[name]
    assert(field !== undefined, `the pattern ${text} names the field ${name}`)
    const { foldsCase: folds, trimsSlash: trims } = field.facts
    if (segment.endsWith('*')) return { kind: 'rest', name, folds, trims }
    const is = new RegExp(`^(?:${field.facts.pattern ?? NAME})$`)
    return { kind: 'name', name, folds, is }
  })
  return { text, segments, restAt: segments.findIndex(({ kind }) => kind === 'rest') }
}

/** What a path matched: the values of its segments by field, and its canonical form. */
export interface Match<P> {
  readonly path: P
  readonly params: Readonly<Record<string, string>>
  /** The path with each name in the form in which policies, audit and storage see it. */
  readonly canonical: string
}

/**
 * Finds the declared path of a request, the first declared winning. A list or scan matches with and without its
 * trailing '/'; any other operation as it stands, so that `role/x/` is no second name for `role/x`.
 */
export class PathTable<P extends { readonly patterns: readonly Pattern[] }> {
  readonly #byFirst = new Map<string, Candidate<P>[]>()
  readonly #others: Candidate<P>[] = []

  constructor(paths: readonly P[]) {
    let order = 0
    for (const path of paths) {
      for (const pattern of path.patterns) this.#add({ path, pattern, order: order++ })
    }
  }

  /** hot: every request. */
  find(path: string, { listing }: { listing: boolean }): Match<P> | undefined {
    const segments = path.split('/')
    const trimmed = listing && path.endsWith('/') ? segments.slice(0, -1) : segments
    const literal = this.#byFirst.get(trimmed[0] ?? '') ?? []
    let best: (Match<P> & { order: number }) | undefined
    for (const candidates of [literal, this.#others]) {
      for (const { path: found, pattern, order } of candidates) {
        if (best !== undefined && best.order < order) break
        const match = matchSegments(pattern, trimmed, segments)
        if (match !== undefined) {
          best = { path: found, ...match, order }
          break
        }
      }
    }
    return best
  }

  #add(candidate: Candidate<P>): void {
    const first = candidate.pattern.segments[0]
    if (first?.kind !== 'literal') {
      this.#others.push(candidate)
      return
    }
    const bucket = this.#byFirst.get(first.text)
    if (bucket === undefined) this.#byFirst.set(first.text, [candidate])
    else bucket.push(candidate)
  }
}

interface Candidate<P> {
  readonly path: P
  readonly pattern: Pattern
  readonly order: number
}

function matchSegments(
  pattern: Pattern,
  trimmed: readonly string[],
  whole: readonly string[],
): { params: Record<string, string>; canonical: string } | undefined {
  const { segments, restAt } = pattern
  const params: Record<string, string> = {}
  const canonical: string[] = []
  const fixed = restAt < 0 ? segments.length : restAt
  if (restAt < 0 ? trimmed.length !== fixed : whole.length < segments.length) return undefined
  for (let i = 0; i < fixed; i++) {
    const segment = segments[i]
    const text = trimmed[i] ?? ''
    if (segment?.kind === 'literal') {
      if (segment.text !== text) return undefined
      canonical.push(text)
    } else if (segment?.kind === 'name') {
      if (!segment.is.test(text)) return undefined
      const value = segment.folds ? text.toLowerCase() : text
      params[segment.name] = value
      canonical.push(value)
    }
  }
  const rest = segments[restAt]
  if (rest?.kind !== 'rest') {
    // What a list's trailing '/' left over.
    for (let i = fixed; i < whole.length; i++) canonical.push(whole[i] ?? '')
    return { params, canonical: canonical.join('/') }
  }
  const end = whole.length - (segments.length - restAt - 1)
  for (let i = end; i < whole.length; i++) {
    const segment = segments[restAt + 1 + i - end]
    if (segment?.kind !== 'literal' || segment.text !== whole[i]) return undefined
  }
  let value = whole.slice(fixed, end).join('/')
  if (rest.folds) value = value.toLowerCase()
  if (rest.trims && value.endsWith('/')) value = value.slice(0, -1)
  params[rest.name] = value
  canonical.push(value)
  for (let i = end; i < whole.length; i++) canonical.push(whole[i] ?? '')
  return { params, canonical: canonical.join('/') }
}
