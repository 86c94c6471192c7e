/**
 * Where and why a text is not JSON, in words that hold nothing of the text: bodies hold secrets, and errors reach logs.
 * Runs only after the parser refused; what the parser takes, this takes.
 */

/** The place of the first fault. */
export interface JsonFault {
  /** Both from 1; columns count UTF-16 units. */
  readonly line: number
  readonly column: number
  readonly reason: string
}

const BLANKS = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
/** The inside of a string up to what ends it, well or badly. */
// oxlint-disable-next-line no-control-regex -- JSON's rule is about exactly these
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

export function findJsonFault(text: string): JsonFault {
  const scanner = new Scanner(text)
  const reason = scanner.document() ?? 'expected valid JSON'
  const before = text.slice(0, scanner.at)
  const line = before.split('\n').length
  return { line, column: scanner.at - before.lastIndexOf('\n'), reason }
}

/** Each method moves past what it names, or says what it expected at `at`. */
class Scanner {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): string | undefined {
    // No recursion: the depth of the text is not ours.
    const open: ('}' | ']')[] = []
    for (;;) {
      this.#skip(BLANKS)
      const opened = this.#opening()
      if (opened !== undefined) {
        open.push(opened)
        if (this.#is(opened)) this.at++
        else {
          const fault = opened === '}' ? this.#name() : undefined
          if (fault !== undefined) return fault
          continue
        }
        open.pop()
      } else {
        const fault = this.#scalar()
        if (fault !== undefined) return fault
      }
      const after = this.#afterValue(open)
      if (after !== 'value') return after
    }
  }

  /** Past `{` or `[` and the blanks after it; what closes it. */
  #opening(): '}' | ']' | undefined {
    const closing = this.#is('{') ? '}' : this.#is('[') ? ']' : undefined
    if (closing === undefined) return undefined
    this.at++
    this.#skip(BLANKS)
    return closing
  }

  /** Closes what ends here. `value`: one must follow; `undefined`: the document is whole. */
  #afterValue(open: ('}' | ']')[]): string | undefined {
    for (;;) {
      this.#skip(BLANKS)
      const closing = open.at(-1)
      if (closing === undefined) {
        return this.at === this.#text.length ? undefined : 'expected the end after the first value'
      }
      if (this.#is(closing)) {
        this.at++
        open.pop()
      } else if (this.#is(',')) {
        this.at++
        this.#skip(BLANKS)
        return (closing === '}' ? this.#name() : undefined) ?? 'value'
      } else {
        return `expected "," or "${closing}"`
      }
    }
  }

  #name(): string | undefined {
    if (!this.#is('"')) return 'expected a name in double quotes'
    const fault = this.#string()
    if (fault !== undefined) return fault
    this.#skip(BLANKS)
    if (!this.#is(':')) return 'expected ":" after a name'
    this.at++
    return undefined
  }

  #scalar(): string | undefined {
    if (this.#is('"')) return this.#string()
    return this.#skip(WORD) || this.#skip(NUMBER) ? undefined : 'expected a value'
  }

  #string(): string | undefined {
    this.at++
    for (;;) {
      this.#skip(PLAIN)
      if (this.#is('"')) {
        this.at++
        return undefined
      }
      if (this.at === this.#text.length) return 'expected the closing quote of a string'
      if (!this.#is('\\')) return 'expected control characters in strings to be escaped'
      if (!this.#skip(ESCAPE)) return 'expected a valid escape after "\\"'
    }
  }

  #is(character: string): boolean {
    return this.#text[this.at] === character
  }

  /** Whether it moved. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    const length = pattern.exec(this.#text)?.[0].length ?? 0
    this.at += length
    return length > 0
  }
}
