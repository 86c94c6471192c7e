/**
 * HCL's own notation.
 */
import type { HclItem, HclList, HclObject, HclValue } from './ast.ts'
import type { TokenKind } from './lexer.ts'
import { literal, Reader } from './reader.ts'

export class HclParser {
  readonly #reader: Reader

  constructor(text: string) {
    this.#reader = new Reader(text, { json: false })
  }

  document(): HclObject {
    const items = this.#items('EOF')
    return { kind: 'object', at: { line: 1, column: 1 }, items }
  }

  #items(end: TokenKind): HclItem[] {
    const reader = this.#reader
    const items: HclItem[] = []
    while (reader.token.kind !== end) {
      if (reader.token.kind === 'EOF') throw reader.unexpected('object expected closing RBRACE')
      items.push(this.#item())
      reader.takeIf('COMMA')
    }
    return items
  }

  #item(): HclItem {
    const reader = this.#reader
    const at = reader.token.at
    const [key, ...labels] = this.#keys()
    const assignedAt = reader.token.at
    if (key === undefined) throw reader.unexpected('expected: IDENT | STRING')
    if (reader.token.kind === 'LBRACE') {
      return { key, at, labels, assignedAt: undefined, value: this.#object() }
    }
    if (labels.length > 0) throw reader.unexpected('nested object expected: LBRACE')
    reader.expect('ASSIGN', "expected start of object ('{') or assignment ('=')")
    return { key, at, labels, assignedAt, value: this.#value() }
  }

  #keys(): string[] {
    const reader = this.#reader
    const keys: string[] = []
    while (
      reader.token.kind === 'IDENT' ||
      reader.token.kind === 'STRING' ||
      reader.token.kind === 'BOOL'
    ) {
      keys.push(reader.take().text)
    }
    const { kind } = reader.token
    if (kind !== 'ASSIGN' && kind !== 'LBRACE' && kind !== 'EOF') {
      throw reader.unexpected('expected: IDENT | STRING | ASSIGN | LBRACE')
    }
    return keys
  }

  #value(): HclValue {
    const reader = this.#reader
    if (reader.token.kind === 'LBRACE') return this.#object()
    if (reader.token.kind === 'LBRACK') return this.#list()
    const value = literal(reader.token)
    if (value === undefined)
      throw reader.unexpected('expected a string in quotes, a number, true, false, [ or {,')
    reader.take()
    return value
  }

  #object(): HclObject {
    const { at } = this.#reader.take()
    const items = this.#reader.nested(() => this.#items('RBRACE'))
    this.#reader.take()
    return { kind: 'object', at, items }
  }

  #list(): HclList {
    const reader = this.#reader
    const { at } = reader.take()
    const items = reader.nested(() => {
      const values: HclValue[] = []
      while (reader.token.kind !== 'RBRACK') {
        values.push(this.#value())
        if (!reader.takeIf('COMMA')) break
      }
      return values
    })
    reader.expect('RBRACK', 'error parsing list, expected comma or list end,')
    return { kind: 'list', at, items }
  }
}
