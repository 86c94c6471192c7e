/** Which patterns can never apply, because another fits all of their paths and is closer to each. */
import { comparePatterns, isExact, type Pattern } from './pattern.ts'

/** Whether `other` takes every path of `pattern`. The two are of one set of rules, and not the same. */
export function isShadowedBy(pattern: Pattern, other: Pattern): boolean {
  // What has no wildcard goes first.
  if (isExact(pattern) || isExact(other)) return false
  return contains(other, pattern) && comparePatterns(other, pattern) > 0
}

/** Whether `wide` means every path that `narrow` means. */
export function contains(wide: Pattern, narrow: Pattern): boolean {
  if (!wide.open && narrow.open) return false
  const outer = segmentsOf(wide)
  const inner = segmentsOf(narrow)
  if (wide.open ? inner.length < outer.length : inner.length !== outer.length) return false
  return outer.every((segment, index) => {
    const own = inner[index] ?? ''
    if (wide.open && index === outer.length - 1) return segment === '' || startsSo(own, segment)
    // The last segment of an open pattern is the beginning of one only.
    if (narrow.open && index === inner.length - 1) return false
    return segment === '+' || segment === own
  })
}

function startsSo(segment: string, prefix: string): boolean {
  return segment !== '+' && segment.startsWith(prefix)
}

function segmentsOf({ text, open }: Pattern): readonly string[] {
  return (open ? text.slice(0, -1) : text).split('/')
}
