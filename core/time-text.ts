/** Times as clients and files write them. */

/** Later times have no form of RFC 3339. */
export const MAX_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59)
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

/** Milliseconds since 1970. @returns `undefined` where the text is no time of RFC 3339, such as `2030-01-31T12:00:00Z` */
export function parseTime(text: string): number | undefined {
  const atMs = RFC3339.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN
  return Number.isNaN(atMs) ? undefined : atMs
}
