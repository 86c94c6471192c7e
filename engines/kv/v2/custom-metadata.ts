/** `custom_metadata`: a few short texts that the user keeps beside a key. */
import { BadRequest, listed } from '../../../core/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'

const MAX_ENTRIES = 64
const MAX_NAME_BYTES = 128
const MAX_VALUE_BYTES = 512
/** What Go calls printable: of all blanks, the ASCII space alone. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u
const FAILED = 'custom_metadata validation failed: '

export type CustomMetadata = Readonly<Record<string, string>>

/** What replaces all there was; none at all is `null`. @throws {BadRequest} */
export function parseCustomMetadata(sent: JsonObject): CustomMetadata | null {
  const entries = toTexts(Object.entries(sent))
  checkEntries(entries)
  return asMetadata(new Map(entries))
}

/** What a patch leaves; `null` removes an entry. @throws {BadRequest} */
export function patchCustomMetadata(
  before: CustomMetadata | null,
  patch: JsonObject,
): CustomMetadata | null {
  const changed = toTexts(Object.entries(patch).filter(([, value]) => value !== null))
  checkEntries(changed)
  const entries = new Map(Object.entries(before ?? {}))
  for (const name of Object.keys(patch)) entries.delete(name)
  for (const [name, text] of changed) entries.set(name, text)
  checkCount(entries.size)
  return asMetadata(entries)
}

function asMetadata(entries: ReadonlyMap<string, string>): CustomMetadata | null {
  return entries.size === 0 ? null : Object.fromEntries(entries)
}

function toTexts(entries: readonly (readonly [string, Json])[]): (readonly [string, string])[] {
  return entries.map(([name, value]) => [name, toText(value)] as const)
}

function toText(value: Json): string {
  if (value === null) return ''
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value !== 'object') return String(value)
  if (JSON.isRawJSON(value)) return value.rawJSON
  const type = isJsonObject(value) ? 'map[string]interface {}' : '[]interface {}'
  throw new BadRequest(`${FAILED}'' expected type 'string', got unconvertible type '${type}'\n\n`)
}

function checkEntries(entries: readonly (readonly [string, string])[]): void {
  checkCount(entries.length)
  const faults = entries.flatMap(([name, text]) => faultsOf(name, text)).sort()
  if (faults.length > 0) throw new BadRequest(listed(...faults.map((fault) => FAILED + fault)))
}

function checkCount(count: number): void {
  if (count <= MAX_ENTRIES) return
  const fault = `${FAILED}payload must contain at most ${MAX_ENTRIES} keys, provided ${count}`
  throw new BadRequest(listed(fault))
}

function faultsOf(name: string, text: string): string[] {
  const shown = quoted(name)
  const nameBytes = Buffer.byteLength(name)
  const textBytes = Buffer.byteLength(text)
  const faults: string[] = []
  if (nameBytes === 0 || nameBytes > MAX_NAME_BYTES) {
    faults.push(
      `length of key ${shown} is ${nameBytes} but must be 0 < len(key) <= ${MAX_NAME_BYTES}`,
    )
  }
  if (textBytes === 0 || textBytes > MAX_VALUE_BYTES) {
    faults.push(
      `length of value for key ${shown} is ${textBytes} but must be 0 < len(value) <= ${MAX_VALUE_BYTES}`,
    )
  }
  if (!PRINTABLE.test(name)) faults.push(`key ${shown} (${name}) contains unprintable characters`)
  if (!PRINTABLE.test(text)) {
    faults.push(`value for key ${shown} contains unprintable characters`)
  }
  return faults
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
}

/** In quotes, as Go prints a text with %q. */
function quoted(text: string): string {
  return `"${Array.from(text, (c) => SHORT_ESCAPES[c] ?? escaped(c)).join('')}"`
}

function escaped(character: string): string {
  if (PRINTABLE.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x80) return String.raw`\x${hex.padStart(2, '0')}`
  return code > 0xffff
    ? String.raw`\U${hex.padStart(8, '0')}`
    : String.raw`\u${hex.padStart(4, '0')}`
}
