/**
 * YAML as Vault prints it: YAML 1.1 rules for what needs quotes, keys sorted, lists not indented, nothing folded. Double
 * quotes for a text that would be read as something else (`"12"`, `"n"`), single ones for a text with YAML's own marks.
 */
import { Document, Scalar, parse, stringify, visit } from 'yaml'
import { membersOf } from './printable.ts'
import type { Printable } from './printable.ts'

const VERSION = '1.1'

export function yamlText(value: Printable): string {
  const document = new Document(plain(value), {
    version: VERSION,
    sortMapEntries: true,
    aliasDuplicateObjects: false,
  })
  visit(document, {
    Scalar(_key, scalar) {
      const { value: text } = scalar
      if (typeof text !== 'string') return
      if (readsOtherwise(text)) scalar.type = Scalar.QUOTE_DOUBLE
      else if (needsQuotes(text)) scalar.type = Scalar.QUOTE_SINGLE
    },
  })
  const text = document.toString({ singleQuote: true, indentSeq: false, lineWidth: 0 })
  return text.trimEnd()
}

/** Printable, on one line, and holding something that YAML would look into. */
function needsQuotes(text: string): boolean {
  return /^\P{C}*$/u.test(text) && /^["']/.test(stringify(text, { version: VERSION }))
}

/** Without quotes it would be a number, a boolean, a time, or nothing. */
function readsOtherwise(text: string): boolean {
  if (!/^[\w+.~:-]*$/.test(text)) return false
  try {
    return typeof parse(text, { version: VERSION }) !== 'string'
  } catch {
    return false
  }
}

/** Maps become objects, and numbers whose text matters keep it as far as YAML's writer can. */
function plain(value: unknown): unknown {
  if (JSON.isRawJSON(value)) return numberScalar(value.rawJSON)
  if (Array.isArray(value)) return value.map(plain)
  const members = membersOf(value)
  return members === undefined
    ? value
    : Object.fromEntries(members.map(([key, item]) => [key, plain(item)]))
}

function numberScalar(text: string): unknown {
  if (/^-?\d+$/.test(text)) return BigInt(text)
  const scalar = new Scalar(Number(text))
  scalar.minFractionDigits = /\.(\d+)$/.exec(text)?.[1]?.length ?? 0
  return scalar
}
