/**
 * Puts a policy's text (HCL) into the common form: one item a line, two blanks a level, `=` aligned, an empty line
 * around what takes several lines. Comments stay where they are.
 */
import { assert } from '../../core/errors.ts'
import { ROOT_NAMESPACE } from '../../core/policy/policy.ts'
import { parsePolicy } from '../../core/policy/parse.ts'

/** @throws {InvalidPolicy} the text is no policy; with the place and the reason */
export function formatPolicy(source: string): string {
  parsePolicy(source, { name: 'formatted', namespace: ROOT_NAMESPACE })
  if (/^\s*\{/.test(source)) return source // JSON has no form of its own here
  const items = readItems(new Pieces(source))
  return items.length === 0 ? '' : `${printItems(items, '').join('\n')}\n`
}

/** A piece of text: a comment, a string, a heredoc, a mark, a word; or the end of a line. */
const PIECE =
  /(?<blank>[ \t\r]+)|(?<newline>\n)|(?<comment>(?:#|\/\/)[^\n]*|\/\*[\s\S]*?\*\/)|(?<heredoc><<-?(\w+)\n[\s\S]*?\n[ \t]*\5(?=\n|$))|(?<text>"(?:[^"\\]|\\.)*")|(?<mark>[{}[\],=])|(?<word>[^\s"{}[\],=#]+)/gy

type Kind = 'newline' | 'comment' | 'heredoc' | 'text' | 'mark' | 'word'
interface Piece {
  readonly kind: Kind
  readonly text: string
}

const KINDS: readonly Kind[] = ['newline', 'comment', 'heredoc', 'text', 'mark', 'word']

class Pieces {
  readonly #pieces: readonly Piece[]
  #at = 0

  constructor(source: string) {
    this.#pieces = [...source.matchAll(PIECE)].flatMap(({ groups = {} }) => {
      const kind = KINDS.find((name) => groups[name] !== undefined)
      return kind === undefined ? [] : [{ kind, text: groups[kind] ?? '' }]
    })
  }

  peek(): Piece | undefined {
    return this.#pieces[this.#at]
  }

  take(): Piece {
    const piece = this.#pieces[this.#at++]
    assert(piece !== undefined, 'a policy that parses does not end within an item')
    return piece
  }

  /** Takes it if it is next. */
  takeMark(text: string): boolean {
    const found = this.peek()?.kind === 'mark' && this.peek()?.text === text
    if (found) this.#at++
    return found
  }

  skipNewlines(): void {
    while (this.peek()?.kind === 'newline') this.#at++
  }
}

/** `key = value`, `key "label" { … }`, or comments with nothing below. */
interface Item {
  readonly comments: readonly string[]
  readonly keys: readonly string[]
  readonly assigned: boolean
  readonly value: Value | undefined
  /** Behind it on its line. */
  readonly trailing: string | undefined
}

type Value =
  | { readonly kind: 'plain'; readonly text: string }
  | { readonly kind: 'list'; readonly entries: readonly Entry[]; readonly broken: boolean }
  | { readonly kind: 'object'; readonly items: readonly Item[] }

interface Entry {
  readonly comments: readonly string[]
  readonly value: Value
}

function readItems(pieces: Pieces): readonly Item[] {
  const items: Item[] = []
  for (;;) {
    const comments = readComments(pieces)
    const next = pieces.peek()
    if (next === undefined || (next.kind === 'mark' && next.text === '}')) {
      const last = { comments, keys: [], assigned: false, value: undefined, trailing: undefined }
      return comments.length === 0 ? items : [...items, last]
    }
    items.push(readItem(pieces, comments))
  }
}

function readComments(pieces: Pieces): readonly string[] {
  const comments: string[] = []
  for (pieces.skipNewlines(); pieces.peek()?.kind === 'comment'; pieces.skipNewlines())
    comments.push(pieces.take().text.trimEnd())
  return comments
}

function readItem(pieces: Pieces, comments: readonly string[]): Item {
  const keys: string[] = []
  while (pieces.peek()?.kind === 'word' || pieces.peek()?.kind === 'text')
    keys.push(pieces.take().text)
  const assigned = pieces.takeMark('=')
  pieces.skipNewlines()
  const value = readValue(pieces)
  pieces.takeMark(',')
  const trailing = pieces.peek()?.kind === 'comment' ? pieces.take().text.trimEnd() : undefined
  return { comments, keys, assigned, value, trailing }
}

function readValue(pieces: Pieces): Value {
  if (pieces.takeMark('{')) {
    const items = readItems(pieces)
    pieces.takeMark('}')
    return { kind: 'object', items }
  }
  return pieces.takeMark('[') ? readList(pieces) : { kind: 'plain', text: pieces.take().text }
}

function readList(pieces: Pieces): Value {
  const entries: Entry[] = []
  let broken = false
  for (;;) {
    broken ||= pieces.peek()?.kind === 'newline' || pieces.peek()?.kind === 'comment'
    const comments = readComments(pieces)
    if (pieces.takeMark(']')) return { kind: 'list', entries, broken }
    entries.push({ comments, value: readValue(pieces) })
    pieces.takeMark(',')
  }
}

function printItems(items: readonly Item[], indent: string): readonly string[] {
  return groupsOf(items).flatMap((group, at) => [
    ...(at === 0 ? [] : ['']),
    ...printGroup(group, indent),
  ])
}

/** Items of one line stand together; anything longer, or with a comment above it, stands alone. */
function groupsOf(items: readonly Item[]): readonly (readonly Item[])[] {
  const groups: Item[][] = []
  for (const item of items) {
    const last = groups.at(-1)
    const before = last?.at(-1)
    if (
      last !== undefined &&
      before !== undefined &&
      isShort(before) &&
      isShort(item) &&
      item.comments.length === 0
    )
      last.push(item)
    else groups.push([item])
  }
  return groups
}

function isShort({ value }: Item): boolean {
  return value !== undefined && (value.kind === 'plain' || (value.kind === 'list' && !value.broken))
}

function printGroup(group: readonly Item[], indent: string): readonly string[] {
  const width = Math.max(...group.map((item) => item.keys.join(' ').length))
  return group.flatMap((item) => [
    ...item.comments.map((comment) => indent + comment),
    ...(item.value === undefined ? [] : printItem(item, item.value, indent, width)),
  ])
}

function printItem(item: Item, value: Value, indent: string, width: number): readonly string[] {
  const keys = item.keys.join(' ')
  const head = item.assigned ? `${keys.padEnd(width)} = ` : `${keys} `
  const [first = '', ...rest] = printValue(value, indent)
  const lines = [indent + head + first, ...rest]
  const last = lines.pop() ?? ''
  return [...lines, item.trailing === undefined ? last : `${last} ${item.trailing}`]
}

/** The first line begins where the value does; the others are whole. */
function printValue(value: Value, indent: string): readonly string[] {
  const inner = `${indent}  `
  if (value.kind === 'plain') return value.text.split('\n')
  if (value.kind === 'object')
    return value.items.length === 0
      ? ['{}']
      : ['{', ...printItems(value.items, inner), `${indent}}`]
  if (!value.broken)
    return [
      `[${value.entries.map((entry) => printValue(entry.value, indent).join('\n')).join(', ')}]`,
    ]
  const lines = value.entries.flatMap(({ comments, value: entry }) => {
    const [first = '', ...rest] = printValue(entry, inner)
    const printed = [inner + first, ...rest]
    return [
      ...comments.map((comment) => inner + comment),
      ...printed.slice(0, -1),
      `${printed.at(-1) ?? ''},`,
    ]
  })
  return ['[', ...lines, `${indent}]`]
}
