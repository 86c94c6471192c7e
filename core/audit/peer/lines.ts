/** The lines of one write, each with its newline. */
export function eachLine(lines: string): readonly string[] {
  const found: string[] = []
  for (let from = 0; from < lines.length;) {
    const newline = lines.indexOf('\n', from)
    const end = newline < 0 ? lines.length : newline + 1
    found.push(lines.slice(from, end))
    from = end
  }
  return found
}
