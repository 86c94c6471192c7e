/**
 * SQL in its outermost pieces: what is code, what is within quotes, what is a comment. Enough to find the ends of statements,
 * and to know how a value has to be written where it is to stand.
 */

export interface Dialect {
  /** A backslash in a text escapes what follows (MySQL); in PostgreSQL only in `E'…'`. */
  readonly backslashEscapes: boolean
  /** `$tag$ … $tag$` is a text. */
  readonly dollarQuotes: boolean
  /** `#` begins a comment. */
  readonly hashComments: boolean
}

export const POSTGRESQL: Dialect = {
  backslashEscapes: false,
  dollarQuotes: true,
  hashComments: false,
}
export const MYSQL: Dialect = { backslashEscapes: true, dollarQuotes: false, hashComments: true }

export interface Piece {
  readonly kind: 'code' | 'single' | 'double' | 'backtick' | 'dollar' | 'comment'
  /** With its quotes. */
  readonly text: string
  /** Of texts: a backslash escapes. */
  readonly backslashes: boolean
  /** What ends it; empty for code. */
  readonly end: string
}

const OPENING =
  /(?<e>\b[eE])?'|"|`|\$(?<tag>(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$|--|#|\/\*/g

export function scan(text: string, dialect: Dialect): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  const code = (to: number) => {
    if (to > at) pieces.push(codePiece(text.slice(at, to)))
  }
  OPENING.lastIndex = 0
  for (let match = OPENING.exec(text); match !== null; match = OPENING.exec(text)) {
    const piece = pieceAt(text, match, dialect)
    if (piece === undefined) continue
    code(match.index)
    pieces.push(piece)
    at = match.index + piece.text.length
    OPENING.lastIndex = at
  }
  code(text.length)
  return pieces
}

function codePiece(text: string): Piece {
  return { kind: 'code', text, backslashes: false, end: '' }
}

/** The piece that begins there, up to its end or the end of all. */
function pieceAt(text: string, match: RegExpExecArray, dialect: Dialect): Piece | undefined {
  const [opening] = match
  const from = match.index
  const backslashes = dialect.backslashEscapes || match.groups?.['e'] !== undefined
  const quoted = (kind: Piece['kind'], quote: string, escapes: boolean): Piece => ({
    kind,
    text: text.slice(from, endOfQuoted(text, from + opening.length, quote, escapes)),
    backslashes: escapes,
    end: quote,
  })
  const upTo = (kind: Piece['kind'], end: string): Piece => {
    const found = text.indexOf(end, from + opening.length)
    const to = found < 0 ? text.length : found + end.length
    return { kind, text: text.slice(from, to), backslashes: false, end }
  }
  if (opening.endsWith("'")) return quoted('single', "'", backslashes)
  if (opening === '"') return quoted('double', '"', dialect.backslashEscapes)
  if (opening === '`') return quoted('backtick', '`', false)
  if (opening === '/*') return upTo('comment', '*/')
  if (opening === '--') return upTo('comment', '\n')
  if (opening === '#') return dialect.hashComments ? upTo('comment', '\n') : undefined
  return dialect.dollarQuotes ? upTo('dollar', opening) : undefined
}

function endOfQuoted(text: string, from: number, quote: string, backslashes: boolean): number {
  for (let at = from; at < text.length; at++) {
    const one = text[at]
    if (one === '\\' && backslashes) at++
    else if (one === quote) {
      if (text[at + 1] !== quote) return at + 1
      at++
    }
  }
  return text.length
}
