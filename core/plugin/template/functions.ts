/** What templates of names can call, as in Vault (contract: engines-db-pki.md, A2.3). The value is the last argument. */
import { hash } from 'node:crypto'
import type { Random } from '../../random.ts'
import { formatGoTime } from './go-time.ts'
import { TemplateFailure, type TemplateFunction, type Value } from './run.ts'

/** Whatever a template draws or cuts is shorter. */
const MAX_CHARACTERS = 512
const SHA256_TAIL = 8

export interface FunctionContext {
  readonly random: Pick<Random, 'base62' | 'uuid'>
  readonly nowMs: number
}

type Maker = (context: FunctionContext) => TemplateFunction

const MAKERS: Readonly<Record<string, Maker>> = {
  random: (context) => (length) => context.random.base62(count(length)),
  truncate: () => (most, text) => cut(string(text), count(most)),
  truncate_sha256: () => (most, text) => cutWithHash(string(text), count(most)),
  uppercase: () => (text) => string(text).toUpperCase(),
  lowercase: () => (text) => string(text).toLowerCase(),
  replace: () => (from, to, text) => string(text).replaceAll(string(from), () => string(to)),
  sha256: () => (text) => hash('sha256', string(text)),
  base64: () => (text) => Buffer.from(string(text)).toString('base64'),
  decode_base64: () => (text) => Buffer.from(string(text), 'base64').toString(),
  hex: () => (text) => Buffer.from(string(text)).toString('hex'),
  decode_hex: () => (text) => Buffer.from(string(text), 'hex').toString(),
  unix_time: (context) => () => String(Math.floor(context.nowMs / 1000)),
  unix_time_millis: (context) => () => String(Math.floor(context.nowMs)),
  timestamp: (context) => (layout) => formatGoTime(string(layout), context.nowMs),
  uuid: (context) => () => context.random.uuid(),
  printf:
    () =>
    (format, ...args) =>
      print(string(format), args),
  eq:
    () =>
    (first, ...others) =>
      others.some((other) => other === first),
  ne: () => (first, second) => first !== second,
  not: () => (value) => value === '' || value === 0 || value === false,
}

export const FUNCTION_NAMES: ReadonlySet<string> = new Set(Object.keys(MAKERS))

export function templateFunctions(context: FunctionContext): ReadonlyMap<string, TemplateFunction> {
  return new Map(Object.entries(MAKERS).map(([name, make]) => [name, make(context)]))
}

function string(value: Value | undefined): string {
  if (typeof value === 'string') return value
  throw new TemplateFailure('a function has too few arguments, or a number where a text belongs')
}

function count(value: Value | undefined): number {
  if (typeof value !== 'number') throw new TemplateFailure('a length is a whole number')
  if (value <= 0) throw new TemplateFailure(`max length must be > 0 but was ${value}`)
  if (value > MAX_CHARACTERS) throw new TemplateFailure(`a length is at most ${MAX_CHARACTERS}`)
  return value
}

/** The first bytes; half a character at the end is left out. */
function cut(text: string, bytes: number): string {
  const all = Buffer.from(text)
  if (all.length <= bytes) return text
  let end = bytes
  while (end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end--
  return all.toString('utf8', 0, end)
}

/** As `cut`, but so that different texts stay different: the end is from the hash of what was cut off. */
function cutWithHash(text: string, bytes: number): string {
  if (bytes <= SHA256_TAIL) {
    throw new TemplateFailure(`truncate_sha256 needs a length above ${SHA256_TAIL}`)
  }
  if (Buffer.byteLength(text) <= bytes) return text
  const kept = cut(text, bytes - SHA256_TAIL)
  return kept + hash('sha256', text.slice(kept.length)).slice(0, SHA256_TAIL)
}

const VERB = /%([%svdq]|.|$)/g

/** Go's `printf` of `%s`, `%v`, `%d`, `%q` and `%%`, with its words for arguments that miss or are left. */
function print(format: string, args: readonly Value[]): string {
  let used = 0
  const text = format.replaceAll(VERB, (_all, verb: string) => {
    if (verb === '%') return '%'
    if (!/^[svdq]$/.test(verb)) throw new TemplateFailure('printf knows %s, %v, %d, %q and %%')
    const value = args[used++]
    if (value === undefined) return `%!${verb}(MISSING)`
    return verb === 'q' ? JSON.stringify(String(value)) : String(value)
  })
  if (used < args.length) throw new TemplateFailure('printf has more arguments than verbs')
  return text
}
