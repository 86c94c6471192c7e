/**
 * `exclude`: what a device leaves out of its lines. A JSON array of `{ condition, fields }`: where the condition (see
 * `expression.ts`) holds, the fields go, both named by JSON pointers into the entry, such as `/response/data`. Conditions
 * see the entry as the device would write it: what is hashed is a hash there.
 */
import * as z from 'zod'
import { BadRequest } from '../errors.ts'
import { escapeHtml, isJsonObject, isList, parseJson, type Json } from '../json.ts'
import { parsePredicate, type Predicate } from './expression.ts'

/** Makes the line of an entry (JSON, without its newline) the one that is written. */
export type Exclusion = (line: string) => string

const exclusionsSchema = z
  .array(
    z.strictObject({
      condition: z.string().optional(),
      fields: z.array(z.string()).min(1).max(64),
    }),
  )
  .min(1)
  .max(64)

/** An entry always says when it was made, what it is and of which request. */
const KEPT: ReadonlySet<string> = new Set(['', '/', '/time', '/type', '/request', '/request/id'])

interface Rule {
  readonly condition: Predicate | undefined
  readonly pointers: readonly (readonly string[])[]
}

/** @throws {BadRequest} it is not such an array; the text says what is wrong, and repeats nothing */
export function parseExclusion(text: string): Exclusion {
  const parsed = exclusionsSchema.safeParse(jsonOf(text))
  if (!parsed.success) {
    throw new BadRequest(
      '"exclude" must be a JSON array of objects with "fields", a list of JSON pointers, and maybe a "condition"',
    )
  }
  const rules = parsed.data.map(({ condition, fields }): Rule => ({
    condition:
      condition === undefined || condition === ''
        ? undefined
        : parsePredicate('exclude', condition, isPointer),
    pointers: fields.map(demandPointer),
  }))
  return (line) => excluded(line, rules)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isPointer = (text: string) => text.startsWith('/')

function demandPointer(text: string): readonly string[] {
  if (KEPT.has(text)) {
    throw new BadRequest('"exclude": every entry keeps /time, /type and /request/id')
  }
  if (!isPointer(text))
    throw new BadRequest('"exclude": a field is a JSON pointer, such as /request/data')
  return segmentsOf(text)
}

/** RFC 6901. */
function segmentsOf(pointer: string): readonly string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function excluded(line: string, rules: readonly Rule[]): string {
  const entry = parseJson(line)
  const read = (pointer: string) => textsOf(at(entry, segmentsOf(pointer)))
  const holding = rules.filter(({ condition }) => condition?.(read) ?? true)
  if (holding.length === 0) return line
  const left = holding
    .flatMap(({ pointers }) => pointers)
    .reduce((value, pointer) => without(value, pointer), entry)
  return escapeHtml(JSON.stringify(left))
}

function at(value: Json | undefined, [first, ...rest]: readonly string[]): Json | undefined {
  if (first === undefined) return value
  return isJsonObject(value) && Object.hasOwn(value, first) ? at(value[first], rest) : undefined
}

/** What a condition compares: objects are neither equal to a text nor do they contain one. */
function textsOf(value: Json | undefined): string | readonly string[] {
  if (value === undefined || value === null || isJsonObject(value)) return ''
  return isList(value) ? value.map(textOf) : textOf(value)
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function without(value: Json, [first, ...rest]: readonly string[]): Json {
  if (first === undefined || !isJsonObject(value) || !Object.hasOwn(value, first)) return value
  const { [first]: gone = null, ...others } = value
  if (rest.length === 0) return others
  // In its old place: the order of the members is part of the form.
  return { ...value, [first]: without(gone, rest) }
}
