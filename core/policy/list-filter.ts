/**
 * `list_scan_response_keys_filter_path`: from the path of a listing and a listed key, the path that the caller must be
 * allowed to read (or list, where the key ends in `/`) to see the key.
 */
export interface ListFilter {
  readonly text: string
  /** Literal text, or the name of what stands there. */
  readonly parts: readonly ListFilterPart[]
}

type ListFilterPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path' }
  | { readonly kind: 'key' }

const REFERENCE = /\{\{-?\s*\.(path|key)\s*-?\}\}/g

/** @returns nothing if it holds anything but text, `{{ .path }}` and `{{ .key }}`, or no key */
export function parseListFilter(text: string): ListFilter | undefined {
  const parts: ListFilterPart[] = []
  let offset = 0
  for (const found of text.matchAll(REFERENCE)) {
    parts.push({ kind: 'text', text: text.slice(offset, found.index) })
    parts.push({ kind: found[1] === 'key' ? 'key' : 'path' })
    offset = found.index + found[0].length
  }
  parts.push({ kind: 'text', text: text.slice(offset) })
  const foreign = parts.some((part) => part.kind === 'text' && /\{\{|\}\}/.test(part.text))
  return foreign || !parts.some((part) => part.kind === 'key') ? undefined : { text, parts }
}

/** @param path of the listing, as the request has it */
export function renderListFilter(filter: ListFilter, path: string, key: string): string {
  return filter.parts
    .map((part) => (part.kind === 'text' ? part.text : part.kind === 'key' ? key : path))
    .join('')
}
