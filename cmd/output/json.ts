/** JSON as Go's encoder indents it: two spaces, keys sorted, `<`, `>` and `&` escaped. */
import { escapeHtml } from '../../core/json.ts'
import { membersOf } from './printable.ts'
import type { Printable } from './printable.ts'

export function jsonText(value: Printable): string {
  return escapeHtml(indented(value, ''))
}

function indented(value: unknown, indent: string): string {
  const inner = `${indent}  `
  if (Array.isArray(value))
    return block(
      '[',
      value.map((item) => indented(item, inner)),
      ']',
      indent,
    )
  const members = membersOf(value)
  if (members === undefined) return JSON.stringify(value)
  const lines = members
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}: ${indented(member, inner)}`)
  return block('{', lines, '}', indent)
}

function block(open: string, lines: readonly string[], close: string, indent: string): string {
  if (lines.length === 0) return open + close
  return `${open}\n${lines.map((line) => `${indent}  ${line}`).join(',\n')}\n${indent}${close}`
}
