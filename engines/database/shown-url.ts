/** Connection strings as a client may see them: a password that stands in one is not shown. */

const HIDDEN = 'xxxxx'
/** `scheme://user:password@`, and MySQL's `user:password@tcp(…)`. */
const INLINE = /^((?:[a-z][a-z0-9+.-]*:\/\/)?[^:@/]*:)([^@/]+)(@)/i
/** In a query or in pairs. */
const PAIRED = /((?:^|[\s?&;])(?:password|pwd)\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&;]+)/gi
const TEMPLATE = '{{password}}'

export function shownUrl(url: string): string {
  return url
    .replace(INLINE, (all, before: string, password: string, after: string) =>
      password === TEMPLATE ? all : before + HIDDEN + after,
    )
    .replaceAll(PAIRED, (all, before: string, password: string) =>
      password.replaceAll("'", '') === TEMPLATE ? all : before + HIDDEN,
    )
}

export function hasInlinePassword(url: string): boolean {
  return shownUrl(url) !== url
}
