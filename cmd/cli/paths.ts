/** Paths as people type them. */

/** Without blanks and slashes at either end. */
export function bare(path: string): string {
  return path.trim().replace(/^\/+|\/+$/g, '')
}

/** With one slash at the end, as mounts are named. */
export function folder(path: string): string {
  const trimmed = path.trim()
  return trimmed === '' || trimmed.endsWith('/') ? trimmed : `${trimmed}/`
}

/** Of a namespace as it is typed: empty for the root one, else with its `/` at the end. */
export function namespacePrefix(namespace: string): string {
  const named = namespace.replace(/^\/+|\/+$/g, '')
  return named === '' || named === 'root' ? '' : `${named}/`
}
