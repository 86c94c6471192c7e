/** The statements of a role: split, and filled with the values of one user (contract: engines-db-pki.md, A3.1). */
import { isList, parseJson, type Json } from '../../../core/json.ts'
import { refused } from '../errors.ts'
import { scan, type Dialect, type Piece } from './scan.ts'

/** A statement as it was written, and which one it is. */
export interface Statement {
  readonly text: string
  /** For errors: `creation statement 2 (GRANT)`. */
  readonly label: string
}

export interface SplitOptions {
  readonly dialect: Dialect
  /** What they are for: `creation`. */
  readonly purpose: string
  /** An element in whose code the word END stands is one statement, as Vault has it for PostgreSQL. */
  readonly blocks?: boolean
}

/**
 * The single statements of what a role has. An element may be in base64 or a JSON array of texts; it is split at each `;`
 * that stands neither in quotes nor in a comment.
 */
export function splitStatements(elements: readonly string[], options: SplitOptions): Statement[] {
  const texts = elements
    .flatMap(decoded)
    .flatMap((text) =>
      options.blocks && isBlock(text, options.dialect) ? [text] : split(text, options.dialect),
    )
    .map((text) => text.trim())
    .filter((text) => text !== '')
  return texts.map((text, index) => ({ text, label: labelOf(text, index, options.purpose) }))
}

function labelOf(text: string, index: number, purpose: string): string {
  const verb = /^[A-Za-z]{2,20}/.exec(text)?.[0].toUpperCase() ?? ''
  return `${purpose} statement ${index + 1}${VERBS.has(verb) ? ` (${verb})` : ''}`
}

/** Words with which statements begin: they may be said, unlike what follows. */
const VERBS = new Set(
  'CREATE GRANT ALTER DROP REVOKE SET DO INSERT UPDATE DELETE SELECT REASSIGN COMMENT CALL FLUSH WITH BEGIN'.split(
    ' ',
  ),
)

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const UTF8 = new TextDecoder('utf-8', { fatal: true })

function decoded(element: string): string[] {
  const text = fromBase64(element.trim())
  const list = text.trimStart().startsWith('[') ? fromJson(text) : undefined
  return list ?? [text]
}

/** A word such as `NONSENSE` could be base64 as well; what it stands for would be no text then. */
function fromBase64(text: string): string {
  if (text.length < 8 || !BASE64.test(text)) return text
  try {
    const plain = UTF8.decode(Buffer.from(text, 'base64'))
    // oxlint-disable-next-line no-control-regex -- what has control characters is no statement
    return /[\u0000-\u0008\u000e-\u001f]/.test(plain) ? text : plain
  } catch (error) {
    if (error instanceof TypeError) return text
    throw error
  }
}

function fromJson(text: string): string[] | undefined {
  try {
    const parsed: Json = parseJson(text)
    if (!isList(parsed)) return undefined
    const texts = parsed.filter((item) => typeof item === 'string')
    return texts.length === parsed.length ? texts : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isBlock(text: string, dialect: Dialect): boolean {
  return scan(text, dialect).some(
    ({ kind, text: code }) => kind === 'code' && /\bEND\b/i.test(code),
  )
}

function split(text: string, dialect: Dialect): string[] {
  const statements = ['']
  const add = (part: string) => statements.push((statements.pop() ?? '') + part)
  for (const piece of scan(text, dialect)) {
    if (piece.kind !== 'code') {
      add(piece.text)
      continue
    }
    const [first = '', ...rest] = piece.text.split(';')
    add(first)
    statements.push(...rest)
  }
  return statements
}

/** What stands for `{{name}}` and its like. */
export type Values = Readonly<Record<string, string>>

const PLACEHOLDER = /\{\{(\w+)\}\}/g
/** What may stand outside of quotes; two hyphens would begin a comment. */
const PLAIN = /^(?!.*--)[\w.@:+-]+$/

/**
 * The statement with its values. Each is written as the quotes around it demand, so that no value can end them; where there
 * are none, only plain names are taken.
 *
 * @throws {DatabaseError} a value cannot stand where the statement wants it
 */
export function fillStatement(
  { text, label }: Statement,
  values: Values,
  dialect: Dialect,
): string {
  return scan(text, dialect)
    .map((piece) => fillPiece(piece, { label, values, dialect }))
    .join('')
}

interface Filling {
  readonly label: string
  readonly values: Values
  readonly dialect: Dialect
}

function fillPiece(piece: Piece, filling: Filling): string {
  if (piece.kind === 'comment') return piece.text
  if (piece.kind === 'dollar') return fillDollar(piece, filling)
  const { values, label } = filling
  return piece.text.replaceAll(PLACEHOLDER, (placeholder, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) return placeholder
    if (value.includes('\0')) throw refused(`${label}: a value holds a NUL character`)
    if (piece.kind !== 'code') return quotedValue(value, piece)
    if (PLAIN.test(value)) return value
    throw refused(`${label}: put ${placeholder} in quotes; its value can stand nowhere else`)
  })
}

function quotedValue(value: string, { end, backslashes }: Piece): string {
  const doubled = value.replaceAll(end, end + end)
  return backslashes ? doubled.replaceAll('\\', '\\\\') : doubled
}

/** The body of a block is code again, in which its own quotes count. */
function fillDollar({ text, end }: Piece, filling: Filling): string {
  const isClosed = text.length >= 2 * end.length && text.endsWith(end)
  const body = text.slice(end.length, isClosed ? -end.length : undefined)
  const filled = scan(body, filling.dialect)
    .map((piece) => fillPiece(piece, filling))
    .join('')
  if (!body.includes(end) && filled.includes(end)) {
    throw refused(`${filling.label}: a value would end the block`)
  }
  return end + filled + (isClosed ? end : '')
}
