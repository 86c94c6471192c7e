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
