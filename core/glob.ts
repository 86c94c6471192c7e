/** Patterns in which `*` stands for any text. */

/** `*` at the beginning, the end, or in between, for any text. */
export function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.split('*')
  const [first = '', ...rest] = parts
  if (rest.length === 0) return glob === text
  const last = rest.pop() ?? ''
  if (!text.startsWith(first) || text.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.endsWith(last) && text.length - last.length >= at
}
