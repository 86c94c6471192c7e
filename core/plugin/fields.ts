/**
 * The fields of a declared path: type, default, help, and Vault's lenient coercions (contract: http.md, 13). A field
 * turns what a client sent into one typed value, or throws a text that never repeats the value: a secret that was put
 * into the wrong field must not reach an answer or a log.
 */
import { parseDurationSeconds, InvalidDuration } from '../duration.ts'
import { BadRequest, FieldError } from '../errors.ts'
import { isJsonObject, parseJson, type Json, type JsonObject } from '../json.ts'

/** What a field is in OpenAPI and help. */
export interface FieldSchema {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object'
  readonly format?: string
  readonly items?: FieldSchema
}

/** Why a value does not convert; the caller puts the field's name before it. */
class Unconvertible extends Error {
  override readonly name = 'Unconvertible'
}

export interface FieldFacts {
  readonly schema: FieldSchema
  readonly description: string
  readonly required: boolean
  readonly deprecated: boolean
  readonly query: boolean
  readonly defaultValue: Json | undefined
  /** What a path segment of this field looks like; only where the default pattern does not do. */
  readonly pattern: string | undefined
  /** Upper and lower case are the same name: the canonical path holds the lower-case form. */
  readonly foldsCase: boolean
  /** As the rest of a path: with and without a '/' at its end is the same name, and the canonical path is without. */
  readonly trimsSlash: boolean
  /** An object whose texts the audit log shows as they are, also where it lies in the items of a batch. */
  readonly clearInAudit: boolean
}

/** A field of type T; immutable, each method returns a new one. */
export class Field<T> {
  readonly facts: FieldFacts
  readonly #convert: (input: Json) => T

  constructor(facts: FieldFacts, convert: (input: Json) => T) {
    this.facts = facts
    this.#convert = convert
  }

  /** The typed value of what was sent. @throws {FieldError} */
  parse(name: string, input: Json): T {
    try {
      return this.#convert(input)
    } catch (error) {
      if (error instanceof Unconvertible || error instanceof InvalidDuration) {
        throw new FieldError(`error converting input for field "${name}": ${error.message}`)
      }
      throw error
    }
  }

  /** What the field is when it was not sent. */
  default<D extends Exclude<T, undefined>>(value: D & Json): Field<Exclude<T, undefined>> {
    return new Field({ ...this.facts, defaultValue: value }, defined(this.#convert))
  }

  /** Refuses a request without it: 400 with `text`, or `missing required field "x"`. */
  required(): Field<Exclude<T, undefined>> {
    return new Field({ ...this.facts, required: true }, defined(this.#convert))
  }

  deprecated(): Field<T> {
    return new Field({ ...this.facts, deprecated: true }, this.#convert)
  }

  /** Documented as a query parameter (it is accepted in both places). */
  inQuery(): Field<T> {
    return new Field({ ...this.facts, query: true }, this.#convert)
  }

  /** Of an object: the audit log shows its texts as they are. For what is meant to be found there, and is no secret. */
  clearInAudit(): Field<T> {
    return new Field({ ...this.facts, clearInAudit: true }, this.#convert)
  }

  /** As a path segment it matches this regular expression (without anchors and groups that capture). */
  matching(pattern: string): Field<T> {
    return new Field({ ...this.facts, pattern }, this.#convert)
  }

  /** Refuses values that the check names a fault of; the text must not repeat the value. */
  check(fault: (value: Exclude<T, undefined>) => string | undefined): Field<T> {
    return new Field(this.facts, (input) => {
      const value = this.#convert(input)
      const text = isDefined(value) ? fault(value) : undefined
      if (text !== undefined) throw new BadRequest(text)
      return value
    })
  }
}

function isDefined<T>(value: T): value is Exclude<T, undefined> {
  return value !== undefined
}

function defined<T>(convert: (input: Json) => T): (input: Json) => Exclude<T, undefined> {
  return (input) => {
    const value = convert(input)
    if (!isDefined(value)) throw new Unconvertible('it must have a value')
    return value
  }
}

/** The declared fields of a path, by name. */
// oxlint-disable-next-line typescript/no-explicit-any -- Field is invariant in T; `any` here is what lets all of them in
export type Fields = Readonly<Record<string, Field<any>>>
/** The typed values of a request, as the handler gets them; `undefined`: not sent, and no default. */
export type Parsed<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
}

function field<T>(
  schema: FieldSchema,
  description: string,
  convert: (input: Json) => T,
  more: Partial<FieldFacts> = {},
): Field<T | undefined> {
  return new Field<T | undefined>(
    {
      schema,
      description,
      required: false,
      deprecated: false,
      query: false,
      defaultValue: undefined,
      pattern: undefined,
      foldsCase: false,
      trimsSlash: false,
      clearInAudit: false,
      ...more,
    },
    convert,
  )
}

/** A text; numbers and booleans become text as Vault has it (true is "1"). */
export const string = (description: string) => field({ type: 'string' }, description, toText)

/** A name whose upper and lower case mean the same; policy, audit and storage see the lower-case form. */
export const caselessName = (description: string) =>
  field({ type: 'string' }, description, (input) => toText(input).toLowerCase(), {
    foldsCase: true,
  })

/** The path of a mount; policy, audit and storage see it without a '/' at its end. */
export const mountPath = (description: string) =>
  field({ type: 'string' }, description, (input) => toText(input).replace(/\/$/, ''), {
    trimsSlash: true,
  })

/** A whole number, or a text that is one; true is 1. */
export const integer = (description: string) =>
  field({ type: 'integer' }, description, (input) => toInteger(input))

/** A number with or without a fraction, or a text that is one; true is 1. */
export const number = (description: string) => field({ type: 'number' }, description, toNumber)

/** true, false, 1, 0 and their spellings. */
export const boolean = (description: string) => field({ type: 'boolean' }, description, toBoolean)

/** A span in whole seconds from 0: a number of seconds or `90s`, `1h30m`, `2d`. */
export const duration = (description: string) =>
  field({ type: 'integer', format: 'seconds' }, description, toSeconds)

/** As `duration`, and negative spans too (they turn something off). */
export const signedDuration = (description: string) =>
  field({ type: 'integer', format: 'seconds' }, description, toSignedSeconds)

/** A list of texts: an array, or one text split at commas. */
export const list = (description: string) =>
  field({ type: 'array', items: { type: 'string' } }, description, toList)

/** A list of texts: an array, or one text as its only element. */
export const stringArray = (description: string) =>
  field({ type: 'array', items: { type: 'string' } }, description, toStringArray)

/** A list of whole numbers: an array, or one text split at commas. */
export const integers = (description: string) =>
  field({ type: 'array', items: { type: 'integer' } }, description, toIntegers)

/** An object of texts; also `k=v` texts, one or in an array. */
export const keyValues = (description: string) =>
  field({ type: 'object' }, description, toKeyValues)

/** Any JSON object, numbers verbatim. */
export const object = (description: string) =>
  field({ type: 'object' }, description, (input): JsonObject => {
    if (isJsonObject(input)) return input
    throw unexpected('map[string]interface {}', input)
  })

/** Any JSON value, verbatim. */
export const anything = (description: string) =>
  field({ type: 'object' }, description, (input): Json => input)

/** One of a few words. */
export function oneOf<const V extends string>(values: readonly V[], description: string) {
  return field({ type: 'string' }, description, (input): V => {
    const text = toText(input)
    const found = values.find((value) => value === text)
    if (found === undefined) throw new Unconvertible(`it must be one of ${values.join(', ')}`)
    return found
  })
}

function toText(input: Json): string {
  switch (typeof input) {
    case 'string':
      return input
    case 'number':
      return String(input)
    case 'boolean':
      return input ? '1' : '0'
    default:
      if (JSON.isRawJSON(input)) return input.rawJSON
      throw unexpected('string', input)
  }
}

const DECIMAL = /^[+-]?\d+$/
const PREFIXED = /^[+-]?0(?:[xX][0-9a-fA-F]+|[oO]?[0-7]+|[bB][01]+)$/

function toInteger(input: Json, at = ''): number {
  if (typeof input === 'boolean') return input ? 1 : 0
  if (typeof input === 'object' && !JSON.isRawJSON(input)) throw unexpected('int', input, at)
  const text = toText(input).trim()
  const value = text === '' ? 0 : parseInteger(text)
  if (value === undefined || !Number.isSafeInteger(value)) {
    throw new Unconvertible(`'${at}' cannot parse value as 'int': strconv.ParseInt: invalid syntax`)
  }
  return value
}

function parseInteger(text: string): number | undefined {
  if (PREFIXED.test(text)) {
    const digits = text.replace(/^[+-]/, '').replace(/^0(?=[0-7]+$)/, '0o')
    return text.startsWith('-') ? -Number(digits) : Number(digits)
  }
  return DECIMAL.test(text) ? Number(text) : undefined
}

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

function toNumber(input: Json): number {
  if (typeof input === 'boolean') return input ? 1 : 0
  if (typeof input === 'object' && !JSON.isRawJSON(input)) throw unexpected('float64', input)
  const text = toText(input).trim()
  const value = text === '' ? 0 : FLOAT.test(text) ? Number(text) : NaN
  if (Number.isFinite(value)) return value
  throw new Unconvertible("'' cannot parse value as 'float64': strconv.ParseFloat: invalid syntax")
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['', '0', 'f', 'F', 'FALSE', 'false', 'False'])

function toBoolean(input: Json): boolean {
  if (typeof input === 'boolean') return input
  if (typeof input === 'number') return input !== 0
  if (typeof input === 'object') throw unexpected('bool', input)
  if (TRUE.has(input)) return true
  if (FALSE.has(input)) return false
  throw new Unconvertible("'' cannot parse value as 'bool': strconv.ParseBool: invalid syntax")
}

/** Whole seconds, as the reference has them: records and clients know no others. */
function toSignedSeconds(input: Json): number {
  // The sum makes 0 of -0.
  return Math.trunc(toFractionalSeconds(input)) + 0
}

function toFractionalSeconds(input: Json): number {
  if (typeof input === 'boolean' || (typeof input === 'object' && !JSON.isRawJSON(input))) {
    throw new InvalidDuration()
  }
  return parseDurationSeconds(typeof input === 'object' ? toText(input) : (input ?? 0))
}

function toSeconds(input: Json): number {
  const seconds = toFractionalSeconds(input)
  if (seconds < 0) throw new Unconvertible(`cannot provide negative value '${seconds}'`)
  return Math.trunc(seconds) + 0
}

function toList(input: Json): string[] {
  if (Array.isArray(input)) return input.map(toText).map(trim).filter(isFilled)
  const text = toText(input).trim()
  if (text.startsWith('[')) {
    const parsed = tryParseArray(text)
    if (parsed !== undefined) return parsed.map(toText).map(trim).filter(isFilled)
  }
  return text.split(',').map(trim).filter(isFilled)
}

const trim = (text: string) => text.trim()
const isFilled = (text: string) => text !== ''

function tryParseArray(text: string): readonly Json[] | undefined {
  try {
    const parsed = parseJson(text)
    return Array.isArray(parsed) ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function toStringArray(input: Json): string[] {
  if (Array.isArray(input)) return input.map(toText)
  const text = toText(input)
  return text === '' ? [] : [text]
}

function toIntegers(input: Json): number[] {
  const items: readonly Json[] = Array.isArray(input)
    ? input
    : typeof input === 'string'
      ? input.split(',').map(trim).filter(isFilled)
      : [input]
  try {
    return items.map((item, index) => toInteger(item, `[${index}]`))
  } catch (error) {
    if (!(error instanceof Unconvertible)) throw error
    throw new Unconvertible(`decoding failed due to the following error(s):\n\n${error.message}`)
  }
}

function toKeyValues(input: Json): Record<string, string> {
  if (isJsonObject(input)) {
    return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, toText(value)]))
  }
  if (typeof input === 'string' && input.trim() === '') return {}
  const pairs = (Array.isArray(input) ? input.map(toText) : [toText(input)]).map((pair) => {
    const at = pair.indexOf('=')
    if (at < 0) throw new Unconvertible('invalid key pair; give an object, or key=value')
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
  })
  return Object.fromEntries(pairs)
}

function unexpected(wanted: string, input: Json, at = ''): Unconvertible {
  return new Unconvertible(
    `'${at}' expected type '${wanted}', got unconvertible type '${goType(input)}'`,
  )
}

/** The name that the reference's decoder has for the type, which clients know from its messages. */
export function goType(input: Json): string {
  if (input === null) return 'nil'
  if (Array.isArray(input)) return '[]interface {}'
  if (typeof input === 'boolean') return 'bool'
  if (typeof input === 'string') return 'string'
  return isJsonObject(input) ? 'map[string]interface {}' : 'json.Number'
}
