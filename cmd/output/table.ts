/** Columns of text, four spaces between; an empty cell is `n/a`. */
const GAP = '    '
const EMPTY_CELL = 'n/a'

export function columnText(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.trim() || EMPTY_CELL))
  const widths: number[] = []
  for (const row of cells)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
  return cells
    .map((row) => row.map((cell, column) => padded(cell, widths, row, column)).join(GAP))
    .join('\n')
}

/** As `columnText`, with the first row underlined as the header. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const [header = [], ...rest] = rows
  return columnText([header, header.map((title) => '-'.repeat(widthOf(title))), ...rest])
}

/** The last cell of a row stays as it is: no blanks at the end of a line. */
function padded(
  cell: string,
  widths: readonly number[],
  row: readonly string[],
  column: number,
): string {
  if (column === row.length - 1) return cell
  return cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))
}

/** Characters, not UTF-16 units; what a terminal shows wider counts as one all the same. */
function widthOf(text: string): number {
  return Array.from(text).length
}
