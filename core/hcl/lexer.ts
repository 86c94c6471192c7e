/**
 * Cuts a text of HCL or JSON into tokens. Linear in the text's length: no expression here backtracks.
 */
import { HclError, type Position } from './errors.ts'
import { readHeredoc, readString } from './literals.ts'

/** Named as HCL's own parser names them, because its error texts are on the wire (sys/policies). */
export type TokenKind =
  | 'IDENT'
  | 'STRING'
  | 'HEREDOC'
  | 'NUMBER'
  | 'BOOL'
  | 'NULL'
  | 'LBRACE'
  | 'RBRACE'
  | 'LBRACK'
  | 'RBRACK'
  | 'COMMA'
  | 'ASSIGN'
  | 'COLON'
  | 'EOF'

export interface Token {
  readonly kind: TokenKind
  readonly at: Position
  /** Of a string or heredoc what it means, of all others what is written. */
  readonly text: string
}

const PUNCTUATION: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ['{', 'LBRACE'],
  ['}', 'RBRACE'],
  ['[', 'LBRACK'],
  [']', 'RBRACK'],
  [',', 'COMMA'],
  ['=', 'ASSIGN'],
  [':', 'COLON'],
])

const BLANK = /[ \t\r\n]+/y
const IDENTIFIER = /[\p{L}_][\p{L}\p{N}_.-]*/uy
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\p{L}\p{N}_.])/uy
const JSON_NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_.])/uy
const WORDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ['true', 'BOOL'],
  ['false', 'BOOL'],
])
const JSON_WORDS: ReadonlyMap<string, TokenKind> = new Map([...WORDS, ['null', 'NULL' as const]])

export class Lexer {
  readonly #text: string
  readonly #json: boolean
  #offset = 0
  #line = 1
  /** Offset at which the current line begins. */
  #lineStart = 0

  constructor(text: string, options: { json: boolean }) {
    this.#text = text
    this.#json = options.json
  }

  /** @throws {HclError} no token begins here, or it does not end */
  next(): Token {
    this.#skipBlanksAndComments()
    const at = this.#here()
    const text = this.#text
    // HCL's parser counts the end itself as a column; its error texts are on the wire.
    if (this.#offset >= text.length)
      return { kind: 'EOF', at: { line: at.line, column: at.column + 1 }, text: '' }
    const first = text.charAt(this.#offset)
    const punctuation = PUNCTUATION.get(first)
    if (punctuation !== undefined) return { kind: punctuation, at, text: this.#take(1) }
    if (first === '"')
      return this.#literal('STRING', at, readString(text, this.#offset, at, this.#json))
    if (first === '<' && !this.#json)
      return this.#literal('HEREDOC', at, readHeredoc(text, this.#offset, at))
    const number = this.#match(this.#json ? JSON_NUMBER : NUMBER)
    if (number !== undefined) return { kind: 'NUMBER', at, text: number }
    return this.#word(at)
  }

  #word(at: Position): Token {
    const word = this.#match(IDENTIFIER)
    if (word === undefined) throw new HclError(at, 'illegal char')
    const kind = (this.#json ? JSON_WORDS : WORDS).get(word)
    if (kind === undefined && this.#json) throw new HclError(at, 'expected a JSON value')
    return { kind: kind ?? 'IDENT', at, text: word }
  }

  #literal(kind: TokenKind, at: Position, literal: { value: string; end: number }): Token {
    this.#take(literal.end - this.#offset)
    return { kind, at, text: literal.value }
  }

  #skipBlanksAndComments(): void {
    for (;;) {
      if (this.#match(BLANK) !== undefined) continue
      if (this.#json) return
      const rest = this.#text.charAt(this.#offset)
      if (rest === '#' || this.#text.startsWith('//', this.#offset)) this.#take(this.#until('\n'))
      else if (this.#text.startsWith('/*', this.#offset)) this.#skipBlockComment()
      else return
    }
  }

  #skipBlockComment(): void {
    const end = this.#text.indexOf('*/', this.#offset + 2)
    if (end < 0) throw new HclError(this.#here(), 'comment not terminated, expected */')
    this.#take(end + 2 - this.#offset)
  }

  /** How many characters lie before `stop`, or before the end. */
  #until(stop: string): number {
    const found = this.#text.indexOf(stop, this.#offset)
    return (found < 0 ? this.#text.length : found) - this.#offset
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset
    const found = pattern.exec(this.#text)?.[0]
    return found === undefined ? undefined : this.#take(found.length)
  }

  /** Goes on by so many characters and counts the lines among them. */
  #take(count: number): string {
    const taken = this.#text.slice(this.#offset, this.#offset + count)
    for (
      let newline = taken.indexOf('\n');
      newline >= 0;
      newline = taken.indexOf('\n', newline + 1)
    ) {
      this.#line++
      this.#lineStart = this.#offset + newline + 1
    }
    this.#offset += count
    return taken
  }

  #here(): Position {
    return { line: this.#line, column: this.#offset - this.#lineStart + 1 }
  }
}
