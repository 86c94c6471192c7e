/**
 * What both notations share: the tokens of one text, one of them looked at, the count of levels, single values.
 */
import type { HclValue } from './ast.ts'
import { HclError, type Position } from './errors.ts'
import { Lexer, type Token, type TokenKind } from './lexer.ts'

/** Policies need 6 levels. */
const MAX_DEPTH = 64

export class Reader {
  readonly #lexer: Lexer
  #token: Token
  #depth = 0

  constructor(text: string, options: { json: boolean }) {
    this.#lexer = new Lexer(text, options)
    this.#token = this.#lexer.next()
  }

  get token(): Token {
    return this.#token
  }

  take(): Token {
    const taken = this.#token
    this.#token = this.#lexer.next()
    return taken
  }

  takeIf(kind: TokenKind): boolean {
    if (this.#token.kind !== kind) return false
    this.take()
    return true
  }

  expect(kind: TokenKind, what: string): Token {
    if (this.#token.kind !== kind) throw this.unexpected(what)
    return this.take()
  }

  unexpected(what: string): HclError {
    return new HclError(this.#token.at, `${what} got: ${this.#token.kind}`)
  }

  nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH)
      throw new HclError(this.#token.at, `expected at most ${MAX_DEPTH} levels`)
    const result = read()
    this.#depth--
    return result
  }
}

/** A value of one token, or nothing if the token begins something else. */
export function literal({ kind, at, text }: Token): HclValue | undefined {
  if (kind === 'STRING' || kind === 'HEREDOC') return { kind: 'string', at, value: text }
  if (kind === 'NUMBER') return { kind: 'number', at, value: numberOf(text, at), text }
  if (kind === 'BOOL') return { kind: 'boolean', at, value: text === 'true' }
  if (kind === 'NULL') return { kind: 'null', at }
  return undefined
}

/** A leading zero makes a number octal, as in Go. */
function numberOf(text: string, at: Position): number {
  const digits = text.replace(/^[+-]/, '')
  const sign = text.startsWith('-') ? -1 : 1
  if (!/^0\d/.test(digits)) return sign * Number(digits)
  if (!/^[0-7]+$/.test(digits))
    throw new HclError(at, 'expected a number without leading zeros, or an octal one')
  return sign * Number.parseInt(digits, 8)
}
