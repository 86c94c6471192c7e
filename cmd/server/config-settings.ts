/**
 * A block of the configuration as a table of its settings: each knows how its value is read. What the table does not
 * hold is an error with the nearest name that it does.
 */
import { isAbsolute } from 'node:path'
import { InvalidDuration, parseDurationSeconds } from '../../core/duration.ts'
import type { HclItem, HclObject, HclValue } from '../../core/hcl/ast.ts'
import type { ConfigError, Place } from './config-error.ts'
import { nearest } from './config-nearest.ts'

/** Where a value stands, and its full name, for errors. */
export interface Where {
  readonly place: Place
  readonly name: string
}

/** @throws {ConfigError} the value is not what it should be */
export type Setting<T> = (value: HclValue, where: Where) => T
export type Settings = Readonly<Record<string, Setting<unknown>>>
/** What was set; a setting that was not is absent. */
export type Values<S extends Settings> = {
  readonly [K in keyof S]?: S[K] extends Setting<infer T> ? T : never
}

export interface Section {
  readonly body: HclObject
  readonly place: Place
  /** Such as `listener "tcp"`; empty at the top of a file. */
  readonly name: string
}

/** @throws {ConfigError} an unknown setting, or a value that cannot be read */
export function readSection<S extends Settings>(section: Section, settings: S): Values<S> {
  const values: [string, unknown][] = []
  for (const item of section.body.items) {
    const setting = Object.hasOwn(settings, item.key) ? settings[item.key] : undefined
    const place = section.place.moved(item.at)
    if (setting === undefined) throw unknownSetting(item, place, section, Object.keys(settings))
    const value = setting(item.value, { place, name: item.key })
    if (value === undefined) continue
    if (item.labels.length > 0) throw place.error(`${item.key} takes no label`)
    values.push([item.key, value])
  }
  // Each value came from the setting of its name.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript has no way to make a mapped type member by member
  return Object.fromEntries(values) as Values<S>
}

function unknownSetting(
  item: HclItem,
  place: Place,
  section: Section,
  known: string[],
): ConfigError {
  const near = nearest(item.key, known)
  const within = section.name === '' ? '' : ` in ${section.name}`
  const hint =
    near === undefined
      ? 'remove it, or see the documentation of the configuration'
      : `did you mean "${near}"?`
  return place.error(`unknown setting "${item.key}"${within}; ${hint}`)
}

function wrong({ place, name }: Where, expected: string): ConfigError {
  return place.error(`${name} must be ${expected}`)
}

export const text: Setting<string> = (value, where) => {
  if (value.kind !== 'string') throw wrong(where, 'a text in double quotes')
  return value.value
}

/** A path that does not depend on where the server was started. */
export function absolutePath(example: string): Setting<string> {
  return (value, where) => {
    if (value.kind === 'string' && isAbsolute(value.value)) return value.value
    throw wrong(where, `an absolute path such as ${example}`)
  }
}

/** As Go reads booleans, in quotes or not. */
export const flag: Setting<boolean> = (value, where) => {
  const word = value.kind === 'boolean' ? String(value.value) : wordOf(value)?.toLowerCase()
  if (word === 'true' || word === '1' || word === 't') return true
  if (word === 'false' || word === '0' || word === 'f') return false
  throw wrong(where, 'true or false')
}

function wordOf(value: HclValue): string | undefined {
  return value.kind === 'string' ? value.value : value.kind === 'number' ? value.text : undefined
}

export function count({
  min,
  max = Number.MAX_SAFE_INTEGER,
}: {
  min: number
  max?: number
}): Setting<number> {
  return (value, where) => {
    const word = wordOf(value) ?? ''
    const number = /^-?\d{1,16}$/.test(word) ? Number(word) : Number.NaN
    if (number >= min && number <= max) return number
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    throw wrong(where, `a whole number ${range}`)
  }
}

export function seconds({ min }: { min: number }): Setting<number> {
  return (value, where) => {
    const number = durationOf(value)
    if (number !== undefined && number >= min) return number
    throw wrong(where, `a duration such as "90s" or "1h30m"${min > 0 ? ' above zero' : ''}`)
  }
}

function durationOf(value: HclValue): number | undefined {
  const word = wordOf(value)
  if (word === undefined || word === '') return undefined
  try {
    return parseDurationSeconds(word)
  } catch (error) {
    if (error instanceof InvalidDuration) return undefined
    throw error
  }
}

/** A list, or one text in which commas separate. */
export const texts: Setting<readonly string[]> = (value, where) => {
  if (value.kind === 'string') return splitCommas(value.value)
  if (value.kind !== 'list') throw wrong(where, 'a list of texts')
  return value.items.flatMap((item) => splitCommas(text(item, where)))
}

function splitCommas(joined: string): string[] {
  return joined
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

export function oneOf<const T extends string>(names: readonly T[]): Setting<T> {
  return (value, where) => {
    const word = value.kind === 'string' ? value.value.toLowerCase() : undefined
    const found = names.find((name) => name === word)
    if (found === undefined)
      throw wrong(where, `one of ${names.map((name) => `"${name}"`).join(', ')}`)
    return found
  }
}

/** Permission bits, as `"0660"` or `660`. */
export const fileMode: Setting<number> = (value, where) => {
  const word = wordOf(value) ?? ''
  if (!/^0?[0-7]{3}$/.test(word)) throw wrong(where, 'permission bits such as "0660"')
  return Number.parseInt(word, 8)
}

export function block<S extends Settings>(settings: S): Setting<Values<S>> {
  return (value, { place, name }) => {
    const body = value.kind === 'list' && value.items.length === 1 ? value.items[0] : value
    if (body?.kind !== 'object') throw wrong({ place, name }, 'a block { ... }')
    return readSection({ body, place, name }, settings)
  }
}

/** Taken, and without effect here: what it turns on or off does not exist. */
export const ignored: Setting<undefined> = () => undefined

/** Blocks with labels, which are read apart (`blocksOf`). */
export const labelled: Setting<undefined> = () => undefined

/** Known from Vault or OpenBao, but leaving it out silently would be a surprise. */
export function unsupported(instead: string): Setting<undefined> {
  return (_value, { place, name }) => {
    throw place.error(`${name} is not supported; ${instead}`)
  }
}
