/**
 * Strings in quotes and heredocs: what they mean, and where they end.
 */
import { HclError, type Position } from './errors.ts'

interface Literal {
  readonly value: string
  /** Offset behind the literal. */
  readonly end: number
}

const PLAIN = /[^"\\\n]+/y
// oxlint-disable-next-line no-control-regex -- JSON forbids just these in strings
const JSON_PLAIN = /[^"\\\u0000-\u001f]+/y
const ESCAPE =
  /\\(?:([abfnrtv"\\])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y
const JSON_ESCAPE = /\\(?:([bfnrt"\\/])|u([0-9a-fA-F]{4}))/y
const MEANING: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const MAX_CODE_POINT = 0x10ffff

/**
 * @param start offset of the opening quote
 * @throws {HclError} it does not end on its line, or has an escape that there is not
 */
export function readString(text: string, start: number, at: Position, json: boolean): Literal {
  const plain = json ? JSON_PLAIN : PLAIN
  let value = ''
  let offset = start + 1
  for (;;) {
    plain.lastIndex = offset
    const piece = plain.exec(text)?.[0] ?? ''
    value += piece
    offset += piece.length
    const next = text.charAt(offset)
    if (next === '"') return { value, end: offset + 1 }
    if (next !== '\\')
      throw new HclError(at, 'literal not terminated, expected a closing quote on the same line')
    const escape = readEscape(
      text,
      offset,
      { line: at.line, column: at.column + offset - start },
      json,
    )
    value += escape.value
    offset = escape.end
  }
}

function readEscape(text: string, offset: number, at: Position, json: boolean): Literal {
  const pattern = json ? JSON_ESCAPE : ESCAPE
  pattern.lastIndex = offset
  const found = pattern.exec(text)
  if (found === null) throw new HclError(at, 'illegal char escape')
  const end = offset + found[0].length
  const [, letter, second, octal, short, long] = found
  if (letter !== undefined) return { value: MEANING[letter] ?? letter, end }
  const hex = second ?? short ?? long
  const code = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16)
  if (code > MAX_CODE_POINT) throw new HclError(at, 'illegal char escape')
  return { value: String.fromCodePoint(code), end }
}

const HEREDOC = /<<(-?)([\p{L}\p{N}_]+)[ \t]*\r?\n/uy

/**
 * `<<EOF` keeps its lines as they are; `<<-EOF` takes the closing marker's indentation off each, if each has it.
 *
 * @param start offset of the first `<`
 * @throws {HclError} no marker follows, or no line closes it
 */
export function readHeredoc(text: string, start: number, at: Position): Literal {
  HEREDOC.lastIndex = start
  const found = HEREDOC.exec(text)
  if (found === null) throw new HclError(at, 'heredoc expected a marker and a new line')
  const [opening, dash, marker = ''] = found
  const lines: string[] = []
  let offset = start + opening.length
  while (offset < text.length) {
    const newline = text.indexOf('\n', offset)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(offset, end).replace(/\r$/, '')
    const indentation = /^[ \t]*/.exec(line)?.[0] ?? ''
    if (line.slice(indentation.length) === marker) {
      const kept = dash === '-' ? withoutIndentation(lines, indentation) : lines
      return { value: kept.map((one) => `${one}\n`).join(''), end }
    }
    lines.push(line)
    offset = end + 1
  }
  throw new HclError(at, 'heredoc not terminated, expected its marker on a line of its own')
}

function withoutIndentation(lines: readonly string[], indentation: string): readonly string[] {
  return lines.every((line) => line.startsWith(indentation))
    ? lines.map((line) => line.slice(indentation.length))
    : lines
}
