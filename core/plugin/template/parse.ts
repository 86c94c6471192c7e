/**
 * From the text of a template to its parts: the subset of Go's text/template that names need (pipelines, `if`, texts,
 * whole numbers, parentheses). No text of an error holds anything of the template.
 */

/** The text is no template; says what is wrong, and in which line. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

/** A piece of a template. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if'
      readonly condition: Pipeline
      readonly whenSet: readonly Part[]
      readonly whenEmpty: readonly Part[]
    }

/** Calls from left to right; each one's result is the last argument of the next. */
export type Pipeline = readonly Command[]
/** A function with arguments, or one value. */
export interface Command {
  readonly head: Operand
  readonly args: readonly Operand[]
}
export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'group'; readonly pipeline: Pipeline }

/** What a template may name. */
export interface Names {
  readonly functions: ReadonlySet<string>
  readonly fields: ReadonlySet<string>
}

const MAX_TEMPLATE_CHARACTERS = 4096
const MAX_DEPTH = 20

type Token =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'word'; readonly value: string }
  | { readonly kind: 'mark'; readonly value: string }

/** An action between texts: `{{ … }}`. */
interface Action {
  readonly line: number
  readonly tokens: readonly Token[]
}

/** @throws {TemplateError} */
export function parseTemplate(text: string, names: Names): readonly Part[] {
  if (text.length > MAX_TEMPLATE_CHARACTERS) {
    throw new TemplateError(`it is longer than ${MAX_TEMPLATE_CHARACTERS} characters`)
  }
  return new Parser(pieces(text), names).parse()
}

const ACTION = /\{\{(- )?((?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|\/\*[\s\S]*?\*\/|[^"`])*?)( -)?\}\}/g

/** Texts and actions in turn; `{{- ` and ` -}}` take the blanks beside them away. */
function pieces(text: string): (string | Action)[] {
  const found: (string | Action)[] = []
  let at = 0
  let trimNext = false
  const addText = (piece: string, trimEnd: boolean) => {
    const begun = trimNext ? piece.trimStart() : piece
    const done = trimEnd ? begun.trimEnd() : begun
    if (done.includes('{{')) throw fault(lineOf(text, at), 'an action is not closed by "}}"')
    if (done !== '') found.push(done)
  }
  for (const match of text.matchAll(ACTION)) {
    addText(text.slice(at, match.index), match[1] !== undefined)
    const inside = (match[2] ?? '').trim()
    const line = lineOf(text, match.index)
    if (!/^\/\*[\s\S]*\*\/$/.test(inside)) found.push({ line, tokens: tokensOf(inside, line) })
    trimNext = match[3] !== undefined
    at = match.index + match[0].length
  }
  addText(text.slice(at), false)
  return found
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}

const TOKEN = /\s+|("(?:[^"\\\n]|\\.)*")|`([^`]*)`|([().|])|([A-Za-z_]\w*|-?\d+)|([\s\S])/g

function tokensOf(text: string, line: number): Token[] {
  const tokens: Token[] = []
  for (const [, quoted, raw, mark, word, other] of text.matchAll(TOKEN)) {
    if (quoted !== undefined) tokens.push({ kind: 'string', value: unquote(quoted, line) })
    else if (raw !== undefined) tokens.push({ kind: 'string', value: raw })
    else if (mark !== undefined) tokens.push({ kind: 'mark', value: mark })
    else if (word !== undefined) tokens.push({ kind: 'word', value: word })
    else if (other !== undefined) throw fault(line, 'unexpected character in an action')
  }
  return tokens
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  '\\': '\\',
}

function unquote(quoted: string, line: number): string {
  return quoted.slice(1, -1).replaceAll(/\\(.)/g, (_all, escaped: string) => {
    const found = ESCAPES[escaped]
    if (found === undefined) throw fault(line, 'unknown escape in a text')
    return found
  })
}

function fault(line: number, why: string): TemplateError {
  return new TemplateError(`template:${line}: ${why}`)
}

class Parser {
  readonly #pieces: readonly (string | Action)[]
  readonly #names: Names
  #at = 0

  constructor(found: readonly (string | Action)[], names: Names) {
    this.#pieces = found
    this.#names = names
  }

  parse(): readonly Part[] {
    const { parts, end } = this.#list(0)
    if (end !== undefined) throw fault(end.line, 'unexpected "end" or "else"')
    return parts
  }

  /** Up to the `end` or `else` that closes it, if one does. */
  #list(depth: number): { parts: Part[]; end: Action | undefined } {
    if (depth > MAX_DEPTH) throw new TemplateError('it is nested too deep')
    const parts: Part[] = []
    for (;;) {
      const piece = this.#pieces[this.#at++]
      if (piece === undefined) return { parts, end: undefined }
      if (typeof piece === 'string') {
        parts.push({ kind: 'text', text: piece })
        continue
      }
      const first = wordAt(piece, 0)
      if (first === 'end' || first === 'else') return { parts, end: piece }
      parts.push(
        first === 'if'
          ? this.#if(piece, 1, depth)
          : { kind: 'value', pipeline: this.#whole(piece, 0) },
      )
    }
  }

  #if(action: Action, from: number, depth: number): Part {
    const condition = this.#whole(action, from)
    const { parts: whenSet, end } = this.#list(depth + 1)
    if (end === undefined) throw fault(action.line, '"if" has no "end"')
    return { kind: 'if', condition, whenSet, whenEmpty: this.#otherwise(end, depth) }
  }

  #otherwise(end: Action, depth: number): readonly Part[] {
    if (wordAt(end, 0) === 'end') return []
    if (wordAt(end, 1) === 'if') return [this.#if(end, 2, depth + 1)]
    const { parts, end: last } = this.#list(depth + 1)
    if (last === undefined || wordAt(last, 0) !== 'end')
      throw fault(end.line, '"else" has no "end"')
    return parts
  }

  #whole(action: Action, from: number): Pipeline {
    const cursor = { at: from, depth: 0 }
    const pipeline = this.#pipeline(action, cursor)
    if (cursor.at < action.tokens.length) throw fault(action.line, 'unexpected ")"')
    return pipeline
  }

  #pipeline(action: Action, cursor: { at: number; depth: number }): Pipeline {
    const commands: Command[] = []
    do {
      commands.push(this.#command(action, cursor))
    } while (takes(action, cursor, '|'))
    return commands
  }

  #command(action: Action, cursor: { at: number; depth: number }): Command {
    const operands: Operand[] = []
    for (;;) {
      const next = action.tokens[cursor.at]
      if (
        next === undefined ||
        (next.kind === 'mark' && (next.value === ')' || next.value === '|'))
      ) {
        break
      }
      operands.push(this.#operand(action, cursor))
    }
    const [head, ...args] = operands
    if (head === undefined) throw fault(action.line, 'missing value for command')
    if (head.kind !== 'function' && args.length > 0) {
      throw fault(action.line, 'only a function takes arguments')
    }
    return { head, args }
  }

  #operand(action: Action, cursor: { at: number; depth: number }): Operand {
    const token = action.tokens[cursor.at++]
    if (token === undefined) throw fault(action.line, 'missing value for command')
    if (token.kind === 'string') return { kind: 'literal', value: token.value }
    if (token.kind === 'word') return this.#word(action, token.value)
    if (token.value === '.') return this.#field(action, cursor)
    if (token.value !== '(') throw fault(action.line, 'unexpected mark in an action')
    if (++cursor.depth > MAX_DEPTH) throw fault(action.line, 'it is nested too deep')
    const pipeline = this.#pipeline(action, cursor)
    if (!takes(action, cursor, ')')) throw fault(action.line, 'unclosed left paren')
    cursor.depth--
    return { kind: 'group', pipeline }
  }

  #field(action: Action, cursor: { at: number }): Operand {
    const name = wordAt(action, cursor.at++)
    if (name !== undefined && this.#names.fields.has(name)) return { kind: 'field', name }
    throw fault(action.line, `unknown field; there are ${list(this.#names.fields, '.')}`)
  }

  #word(action: Action, word: string): Operand {
    if (/^-?\d+$/.test(word)) return { kind: 'literal', value: Number(word) }
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' }
    if (this.#names.functions.has(word)) return { kind: 'function', name: word }
    throw fault(action.line, `function not defined; there are ${list(this.#names.functions)}`)
  }
}

function list(names: ReadonlySet<string>, before = ''): string {
  return [...names].map((name) => before + name).join(', ')
}

function wordAt({ tokens }: Action, at: number): string | undefined {
  const token = tokens[at]
  return token?.kind === 'word' ? token.value : undefined
}

function takes({ tokens }: Action, cursor: { at: number }, mark: string): boolean {
  const token = tokens[cursor.at]
  if (token?.kind !== 'mark' || token.value !== mark) return false
  cursor.at++
  return true
}
