/**
 * Compares a JSON value with what was recorded; the result says each place where they differ.
 */
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { matchText, standsForAnyType, standsForNumber, type Variables } from './placeholders.ts'

export interface MatchOptions {
  /** Lists come in no fixed order. */
  readonly unordered?: boolean
  /** Keys of objects must come in the recorded order, at every depth. */
  readonly ordered?: boolean
}

/** The envelope of every answer of an engine, in its order. */
const ENVELOPE = [
  'request_id',
  'lease_id',
  'renewable',
  'lease_duration',
  'data',
  'wrap_info',
  'warnings',
  'auth',
]
/** A difference shows this much of a value. */
const SHOWN_CHARACTERS = 160

/** @throws {MissingVariable} the expected value names a variable that has no value */
export function differences(
  expected: Json,
  actual: Json | undefined,
  variables: Variables,
  options: MatchOptions = {},
  at = '',
): string[] {
  if (typeof expected === 'string') return textDifference(expected, actual, variables, at)
  if (Array.isArray(expected)) return listDifferences(expected, actual, variables, options, at)
  if (isJsonObject(expected)) return objectDifferences(expected, actual, variables, options, at)
  return text(expected) === text(actual) ? [] : [unequal(at, expected, actual)]
}

function textDifference(
  expected: string,
  actual: Json | undefined,
  variables: Variables,
  at: string,
): string[] {
  if (actual !== undefined && standsForAnyType(expected)) return []
  const found = standsForNumber(expected) && isNumber(actual) ? text(actual) : actual
  const fits =
    typeof found === 'string' &&
    matchText(sortErrors(expected), sortErrors(firstLineOfHelp(found, at)), variables) !== undefined
  return fits ? [] : [unequal(at, expected, actual)]
}

/** Of help texts the first line was recorded. */
function firstLineOfHelp(found: string, at: string): string {
  return at === 'help' ? (found.split('\n')[0] ?? '') : found
}

/** Several errors in one text come in no fixed order. */
function sortErrors(found: string): string {
  return /^\d+ errors occurred:/.test(found) ? found.split('\n').toSorted().join('\n') : found
}

function isNumber(value: Json | undefined): boolean {
  return typeof value === 'number' || JSON.isRawJSON(value)
}

function listDifferences(
  expected: readonly Json[],
  actual: Json | undefined,
  variables: Variables,
  options: MatchOptions,
  at: string,
): string[] {
  if (!Array.isArray(actual)) return [unequal(at, expected, actual)]
  const items: readonly Json[] = options.unordered === true ? actual.toSorted(byText) : actual
  if (items.length !== expected.length) return [unequal(at, expected, actual)]
  return expected.flatMap((item, i) =>
    differences(item, items[i], variables, options, `${at}[${i}]`),
  )
}

function byText(a: Json, b: Json): number {
  return text(a) < text(b) ? -1 : 1
}

/** What Keyhold adds to answers on purpose, beside all that was recorded. */
const OUR_OWN: ReadonlySet<string> = new Set(['keyhold_version'])

function objectDifferences(
  expected: JsonObject,
  actual: Json | undefined,
  variables: Variables,
  options: MatchOptions,
  at: string,
): string[] {
  if (!isJsonObject(actual)) return [unequal(at, expected, actual)]
  const path = (key: string) => (at === '' ? key : `${at}.${key}`)
  const names = new Map(Object.keys(expected).map((key) => [resolveKey(key, variables), key]))
  const missing = [...names.keys()].filter((name) => !Object.hasOwn(actual, name))
  const extra = Object.keys(actual).filter((name) => !names.has(name) && !OUR_OWN.has(name))
  const found = [
    ...missing.map(
      (name) => `${path(name)}: missing, recorded ${show(expected[names.get(name) ?? name])}`,
    ),
    ...extra.map((name) => `${path(name)}: not recorded, got ${show(actual[name])}`),
    ...[...names]
      .filter(([name]) => Object.hasOwn(actual, name))
      .flatMap(([name, key]) =>
        differences(expected[key] ?? null, actual[name], variables, options, path(name)),
      ),
  ]
  if (found.length > 0 || options.ordered !== true) return found
  const theirs = Object.keys(actual).filter((name) => !OUR_OWN.has(name))
  return orderDifference([...names.keys()], theirs, at)
}

function resolveKey(key: string, variables: Variables): string {
  return key.replace(/\$\{(\w+)\}/g, (whole, name: string) => variables.get(name) ?? whole)
}

/** The order of an answer's own keys: of the envelope's eight, or of all if it is no envelope. */
export function topOrderDifference(expected: Json, actual: Json | undefined): string[] {
  if (!isJsonObject(expected) || !isJsonObject(actual)) return []
  const isEnvelope = ENVELOPE.every((key) => Object.hasOwn(expected, key))
  const relevant = (object: JsonObject) =>
    Object.keys(object).filter((key) => (isEnvelope ? ENVELOPE.includes(key) : !OUR_OWN.has(key)))
  return orderDifference(relevant(expected), relevant(actual), '')
}

function orderDifference(
  expected: readonly string[],
  actual: readonly string[],
  at: string,
): string[] {
  return expected.join() === actual.join()
    ? []
    : [`${at}: the order of keys was ${expected.join(' ')}, is ${actual.join(' ')}`]
}

function unequal(at: string, expected: Json, actual: Json | undefined): string {
  return `${at}: recorded ${show(expected)}, got ${show(actual)}`
}

function text(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

function show(value: Json | undefined): string {
  const whole = text(value)
  return whole.length > SHOWN_CHARACTERS ? `${whole.slice(0, SHOWN_CHARACTERS)}…` : whole
}
