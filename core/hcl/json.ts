/**
 * JSON, strictly, with the place of each part.
 */
import type { HclItem, HclList, HclObject, HclValue } from './ast.ts'
import { literal, Reader } from './reader.ts'

export class JsonParser {
  readonly #reader: Reader

  constructor(text: string) {
    this.#reader = new Reader(text, { json: true })
  }

  document(): HclObject {
    const object = this.#object()
    this.#reader.expect('EOF', 'expected the end of the text,')
    return object
  }

  #value(): HclValue {
    const reader = this.#reader
    if (reader.token.kind === 'LBRACE') return this.#object()
    if (reader.token.kind === 'LBRACK') return this.#list()
    const value = literal(reader.token)
    if (value === undefined) throw reader.unexpected('expected a JSON value')
    reader.take()
    return value
  }

  #object(): HclObject {
    const { at } = this.#reader.take()
    return { kind: 'object', at, items: this.#sequence('RBRACE', () => this.#member()) }
  }

  #list(): HclList {
    const { at } = this.#reader.take()
    return { kind: 'list', at, items: this.#sequence('RBRACK', () => this.#value()) }
  }

  #sequence<T>(end: 'RBRACE' | 'RBRACK', read: () => T): T[] {
    const reader = this.#reader
    const parts: T[] = []
    if (reader.takeIf(end)) return parts
    reader.nested(() => {
      do parts.push(read())
      while (reader.takeIf('COMMA'))
    })
    reader.expect(end, `${end === 'RBRACE' ? 'object' : 'list'} expected comma or closing ${end}`)
    return parts
  }

  #member(): HclItem {
    const { at, text: key } = this.#reader.expect('STRING', 'expected: STRING')
    const { at: assignedAt } = this.#reader.expect('COLON', 'expected: COLON')
    return { key, at, labels: [], assignedAt, value: this.#value() }
  }
}
