/**
 * What a JSON body may cost, found before it is parsed by one pass over its bytes that allocates nothing. A small body
 * can otherwise become memory many times its size, and keep the audit log hashing for seconds.
 */
import { BadRequest } from '../errors.ts'

export interface BodyLimits {
  /** Objects and lists in one another. */
  readonly maxDepth: number
  /** Names count as well (`max_request_json_strings`). */
  readonly maxStrings: number
  /** Of what parsing makes of the body, estimated (`max_request_json_memory`). */
  readonly maxMemoryBytes: number
}

/**
 * OpenBao allows 1,000 strings, Vault lists of 10,000 items: batches of transit and other bulk writers need what Vault
 * allows (five strings an item). Depth is Vault's, memory OpenBao's.
 */
export const DEFAULT_BODY_LIMITS: BodyLimits = {
  maxDepth: 300,
  maxStrings: 50_000,
  maxMemoryBytes: (32 << 20) + (512 << 10),
}

/** The body passes a limit. Begins as the texts of the reference do, and ends with the name of the setting. */
export class TooComplex extends BadRequest {
  override readonly name = 'TooComplex'
  constructor(limit: string, setting: string) {
    super(`refused JSON input due to high complexity: exceeded maximum ${limit} (${setting})`)
  }
}

/** Shorter bodies cannot pass any sensible limit. */
const ALWAYS_FINE_BYTES = 128
// Estimates of what a value costs until its request is answered: parsed, as fields, hashed.
const CONTAINER_BYTES = 512
const STRING_BYTES = 48
const NUMBER_BYTES = 16
/** A number that is kept by its text becomes an object. */
const EXACT_NUMBER_BYTES = 256
/** The longest number that anybody needs: RSA-16384 in decimal. Longer ones cost quadratic time later. */
const MAX_NUMBER_CHARACTERS = 5_000
/** As `MAY_CHANGE` of core/json.ts: from here on a number's text may be kept. */
const EXACT_DIGITS = 16

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * hot: every body. The bytes need not be JSON: the parser looks at that.
 *
 * @throws {TooComplex}
 */
export function checkComplexity(body: Uint8Array, limits: BodyLimits): void {
  const end = body.length
  if (end <= ALWAYS_FINE_BYTES) return
  let depth = 0
  let strings = 0
  let memory = 0
  for (let i = 0; i < end; i++) {
    const byte = body[i] ?? 0
    if (byte === QUOTE) {
      const start = i
      i = endOfString(body, i + 1)
      memory += STRING_BYTES + i - start
      if (++strings > limits.maxStrings) throw tooManyStrings()
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      memory += CONTAINER_BYTES
      if (++depth > limits.maxDepth)
        throw new TooComplex('depth', `max_json_depth, ${limits.maxDepth}`)
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth--
    } else if (isNumberPart(byte)) {
      const start = i
      let isExact = byte === 0x2e
      while (isNumberPart(body[i + 1] ?? 0)) {
        const next = body[++i]
        isExact ||= next === 0x2e || next === 0x65 || next === 0x45
      }
      memory += isExact || i - start >= EXACT_DIGITS - 1 ? EXACT_NUMBER_BYTES : NUMBER_BYTES
      if (i - start >= MAX_NUMBER_CHARACTERS) {
        throw new TooComplex('length of a number', `${MAX_NUMBER_CHARACTERS} characters`)
      }
    }
    if (memory > limits.maxMemoryBytes) {
      throw new TooComplex('estimated memory limits', 'max_request_json_memory')
    }
  }
}

/** Digits, sign, point, exponent. Letters elsewhere (`true`, `false`, `null`) hold an `e` too; it costs them nothing. */
function isNumberPart(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2e ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x65 ||
    byte === 0x45
  )
}

/** The index of the closing quote, or the end. */
function endOfString(body: Uint8Array, from: number): number {
  let i = from
  for (; i < body.length; i++) {
    const byte = body[i]
    if (byte === QUOTE) return i
    if (byte === BACKSLASH) i++
  }
  return i
}

function tooManyStrings(): TooComplex {
  return new TooComplex('number of strings', 'max_request_json_strings')
}
