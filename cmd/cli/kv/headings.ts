/** The headings between the tables of kv: `== Data ==`, as wide as the table below. */

/** Characters of a table beside its first column: the gap, and the shortest second column. */
const BESIDE_KEYS = 4 + 'Value'.length

export function headingOver(title: string, data: Readonly<Record<string, unknown>>): string {
  return heading(title, Math.max(0, ...Object.keys(data).map((key) => key.length)) + BESIDE_KEYS)
}

export function heading(title: string, width: number): string {
  const room = width - title.length - 2
  const signs = '='.repeat(room <= 0 ? 2 : Math.ceil(room / 2))
  return `${signs} ${title} ${signs}`
}
