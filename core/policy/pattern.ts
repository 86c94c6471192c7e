/**
 * The paths of rules: which part is literal, and which of two patterns is the closer one (contract: http.md, 7.1).
 * A `*` at the end stands for any rest, a segment `+` for any one segment; elsewhere both are ordinary characters.
 */

/** What stands for one whole segment. */
export const ANY_SEGMENT = Symbol('any segment')
export type PatternPart = string | typeof ANY_SEGMENT

export interface Pattern {
  readonly text: string
  /** Literal texts, as long as can be, and whole segments in between. Without the `*` at the end. */
  readonly parts: readonly PatternPart[]
  readonly open: boolean
  /** Where the first wildcard stands; the text's length where there is none. */
  readonly literalLength: number
  readonly segmentCount: number
}

export function parsePattern(text: string): Pattern {
  const open = text.endsWith('*')
  const body = open ? text.slice(0, -1) : text
  const parts: PatternPart[] = []
  let literal = ''
  for (const [index, segment] of body.split('/').entries()) {
    const separator = index === 0 ? '' : '/'
    if (segment === '+') {
      if (literal + separator !== '') parts.push(literal + separator)
      parts.push(ANY_SEGMENT)
      literal = ''
    } else {
      literal += separator + segment
    }
  }
  if (literal !== '') parts.push(literal)
  const [first] = parts
  const segmentCount = parts.filter((part) => part === ANY_SEGMENT).length
  const literalLength =
    segmentCount === 0 ? body.length : typeof first === 'string' ? first.length : 0
  return { text, parts, open, literalLength, segmentCount }
}

/** No wildcard in it: it means one path. */
export function isExact(pattern: Pattern): boolean {
  return !pattern.open && pattern.segmentCount === 0
}

/** Of two patterns with wildcards that match one path: above 0 if `a` is the one to apply. Never 0 for two patterns. */
export function comparePatterns(a: Pattern, b: Pattern): number {
  return (
    a.literalLength - b.literalLength ||
    Number(b.open) - Number(a.open) ||
    b.segmentCount - a.segmentCount ||
    a.text.length - b.text.length ||
    (a.text < b.text ? -1 : Number(a.text > b.text))
  )
}

/** Whether the path is one that the pattern means. Slow: `PatternTree` is for requests. */
export function matches({ parts, open }: Pattern, path: string): boolean {
  let at = 0
  for (const part of parts) {
    if (part === ANY_SEGMENT) {
      const slash = path.indexOf('/', at)
      at = slash < 0 ? path.length : slash
    } else if (path.startsWith(part, at)) {
      at += part.length
    } else {
      return false
    }
  }
  return open || at === path.length
}
