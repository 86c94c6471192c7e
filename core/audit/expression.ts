/**
 * The predicates of audit options, in the language that Vault's have (go-bexpr): `mount_type == kv and path contains
 * "app/"`. Operators: `==`, `!=`, `in`, `not in`, `contains`, `not contains`, `is empty`, `is not empty`; `and`, `or`,
 * `not`, and parentheses. A value is a word or stands in quotes; what is read of an entry is a text or a list of texts.
 *
 * There is no `matches`: a regular expression over paths that anybody sends could hold the server up.
 */
import { BadRequest } from '../errors.ts'

/** What a selector reads of an entry; empty where there is no such thing. */
export type Read = (selector: string) => string | readonly string[]
export type Predicate = (read: Read) => boolean

/** Each entry of the device is judged by it. */
const MAX_CHARACTERS = 4096
/** Of parentheses and `not`s: the parser calls itself for each. */
const MAX_DEPTH = 64
const TOKEN =
  /\s*(?:(?<mark>==|!=|[()])|"(?<quoted>(?:[^"\\]|\\.)*)"|`(?<raw>[^`]*)`|(?<word>[^\s"`()=!]+))/uy

interface Token {
  readonly text: string
  /** Of a word or mark: a text in quotes is no operator. */
  readonly isBare: boolean
}

/**
 * @param option whose value it is, for the text of an error
 * @param isSelector whether entries have such a thing
 * @throws {BadRequest} it is no predicate; the text says where
 */
export function parsePredicate(
  option: string,
  text: string,
  isSelector: (name: string) => boolean,
): Predicate {
  if (text.length > MAX_CHARACTERS) {
    throw new BadRequest(`"${option}" may have up to ${MAX_CHARACTERS} characters`)
  }
  return new Parser(option, tokens(option, text), isSelector).whole()
}

function tokens(option: string, text: string): Token[] {
  const found: Token[] = []
  const end = text.trimEnd().length
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end;) {
    const at = TOKEN.lastIndex
    const groups = TOKEN.exec(text)?.groups
    if (groups === undefined)
      throw new BadRequest(`"${option}": no word can begin at character ${at + 1}`)
    const { mark, quoted, raw, word } = groups
    const bare = mark ?? word
    found.push({ text: bare ?? raw ?? unescaped(quoted ?? ''), isBare: bare !== undefined })
  }
  return found
}

const unescaped = (quoted: string) => quoted.replace(/\\(.)/gu, '$1')

class Parser {
  readonly #option: string
  readonly #tokens: readonly Token[]
  readonly #isSelector: (name: string) => boolean
  #at = 0
  #depth = 0

  constructor(option: string, all: readonly Token[], isSelector: (name: string) => boolean) {
    this.#option = option
    this.#tokens = all
    this.#isSelector = isSelector
  }

  whole(): Predicate {
    const predicate = this.#either()
    if (this.#at < this.#tokens.length) throw this.#fault('"and", "or" or the end')
    return predicate
  }

  #either(): Predicate {
    const parts = [this.#both()]
    while (this.#take('or')) parts.push(this.#both())
    return (read) => parts.some((part) => part(read))
  }

  #both(): Predicate {
    const parts = [this.#one()]
    while (this.#take('and')) parts.push(this.#one())
    return (read) => parts.every((part) => part(read))
  }

  #one(): Predicate {
    if (++this.#depth > MAX_DEPTH) {
      throw new BadRequest(`"${this.#option}" may be nested ${MAX_DEPTH} deep`)
    }
    const predicate = this.#unnested()
    this.#depth--
    return predicate
  }

  #unnested(): Predicate {
    if (this.#take('not')) {
      const denied = this.#one()
      return (read) => !denied(read)
    }
    if (!this.#take('(')) return this.#comparison()
    const inner = this.#either()
    if (!this.#take(')')) throw this.#fault('")"')
    return inner
  }

  #comparison(): Predicate {
    const first = this.#operand()
    if (this.#take('in')) return has(this.#selector(this.#operand()), first)
    if (this.#take('not')) {
      if (this.#take('in')) return negated(has(this.#selector(this.#operand()), first))
      if (this.#take('contains')) return negated(has(this.#selector(first), this.#operand()))
      throw this.#fault('"in" or "contains"')
    }
    const selector = this.#selector(first)
    if (this.#take('==')) return equals(selector, this.#operand())
    if (this.#take('!=')) return negated(equals(selector, this.#operand()))
    if (this.#take('contains')) return has(selector, this.#operand())
    if (!this.#take('is')) throw this.#fault('==, !=, "in", "contains" or "is"')
    const isNegated = this.#take('not')
    if (!this.#take('empty')) throw this.#fault('"empty"')
    return isNegated ? negated(isEmpty(selector)) : isEmpty(selector)
  }

  #operand(): string {
    const token = this.#tokens[this.#at]
    if (token === undefined || (token.isBare && /^(?:[()]|==|!=)$/.test(token.text))) {
      throw this.#fault('a name or a value')
    }
    this.#at++
    return token.text
  }

  #selector(name: string): string {
    if (!this.#isSelector(name)) {
      throw new BadRequest(`"${this.#option}": word ${this.#at} names nothing that an entry has`)
    }
    return name
  }

  #take(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.isBare !== true || token.text !== text) return false
    this.#at++
    return true
  }

  #fault(expected: string): BadRequest {
    return new BadRequest(`"${this.#option}": word ${this.#at + 1} should be ${expected}`)
  }
}

const negated =
  (predicate: Predicate): Predicate =>
  (read) =>
    !predicate(read)

const isEmpty =
  (selector: string): Predicate =>
  (read) =>
    read(selector).length === 0

const equals =
  (selector: string, value: string): Predicate =>
  (read) =>
    read(selector) === value

/** Of a list an element, of a text a part. */
const has =
  (selector: string, value: string): Predicate =>
  (read) =>
    read(selector).includes(value)
