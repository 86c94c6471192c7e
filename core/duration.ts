/**
 * Durations as clients and files write them, and as Go programs print them (contract: http.md, 13).
 */
import { BadRequest } from './errors.ts'

/** The text is no duration, or one beyond 292 years. Never names the value. */
export class InvalidDuration extends BadRequest {
  override readonly name = 'InvalidDuration'
  constructor() {
    super('time: invalid duration; give seconds or a number with a unit, such as "90s" or "1h30m"')
  }
}

/** Longer texts are refused unread; the longest sensible one has some 40 characters. */
const MAX_TEXT_CHARACTERS = 100
/** Go keeps nanoseconds in 63 bits. */
const MAX_NANOSECONDS = 2n ** 63n - 1n
const SECOND = 1_000_000_000n
const DAY_SECONDS = 86_400n

const UNIT_NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, the micro sign
  μs: 1_000n, // U+03BC, the Greek letter
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3_600n * SECOND,
}

const SECONDS = /^[+-]?\d+$/
const DAYS = /^([+-]?\d+)d$/
const WITH_UNITS = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const PART = /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g

/**
 * Seconds, with a fraction where the input has one (`"500ms"` is 0.5).
 *
 * @param input seconds as a number or as digits; `"1h30m"`, `"1.5h"`, `"500ms"` as Go writes it; `"2d"`; `""` is 0.
 *   May be negative (`-1` disables some settings): who cannot take that, checks it.
 * @throws {InvalidDuration} none of these
 */
export function parseDurationSeconds(input: string | number): number {
  if (typeof input === 'number') {
    if (!Number.isFinite(input) || Math.abs(input) > Number(MAX_NANOSECONDS / SECOND))
      throw new InvalidDuration()
    return input
  }
  const nanoseconds = parseNanoseconds(input)
  if (nanoseconds > MAX_NANOSECONDS || nanoseconds < -MAX_NANOSECONDS) throw new InvalidDuration()
  return Number(nanoseconds / SECOND) + Number(nanoseconds % SECOND) / Number(SECOND)
}

/** The same, of a field that a client sent. @throws {BadRequest} the text is no duration; it names the field */
export function fieldSeconds(name: string, text: string): number {
  try {
    return parseDurationSeconds(text)
  } catch (error) {
    if (!(error instanceof InvalidDuration)) throw error
    throw new BadRequest(`error converting input for field "${name}": ${error.message}`)
  }
}

function parseNanoseconds(text: string): bigint {
  if (text === '') return 0n
  if (text.length > MAX_TEXT_CHARACTERS) throw new InvalidDuration()
  if (SECONDS.test(text)) return integer(text) * SECOND
  const days = DAYS.exec(text)?.[1]
  if (days !== undefined) return integer(days) * DAY_SECONDS * SECOND
  if (!WITH_UNITS.test(text)) throw new InvalidDuration()
  let sum = 0n
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(PART)) {
    const one = UNIT_NANOSECONDS[unit] ?? 0n
    sum += BigInt(whole) * one + (BigInt(fraction) * one) / 10n ** BigInt(fraction.length)
  }
  return text.startsWith('-') ? -sum : sum
}

/** BigInt knows no plus sign. */
function integer(text: string): bigint {
  return BigInt(text.startsWith('+') ? text.slice(1) : text)
}

/** As Go prints a duration: `0s`, `1.5s`, `250ms`, `1h0m0s`, `-1s`. */
export function goDuration(seconds: number): string {
  const sign = seconds < 0 ? '-' : ''
  const nanoseconds = Math.round(Math.abs(seconds) * 1e9)
  if (nanoseconds === 0) return '0s'
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${sign}${nanoseconds / 1e3}µs`
  if (nanoseconds < 1e9) return `${sign}${nanoseconds / 1e6}ms`
  const wholeSeconds = Math.floor(nanoseconds / 1e9)
  const hours = Math.floor(wholeSeconds / 3_600)
  const minutes = Math.floor(wholeSeconds / 60) % 60
  const rest = (nanoseconds - Math.floor(wholeSeconds / 60) * 60e9) / 1e9
  if (hours > 0) return `${sign}${hours}h${minutes}m${rest}s`
  return minutes > 0 ? `${sign}${minutes}m${rest}s` : `${sign}${rest}s`
}

/** The form of the warnings about capped TTLs: as Go prints it, without zeros at the end (`768h`, `1h30m`). */
export function humanDuration(seconds: number): string {
  return goDuration(seconds).replace(/m0s$/, 'm').replace(/h0m$/, 'h')
}
