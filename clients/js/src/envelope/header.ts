/** The header of an envelope, byte for byte as `docs/envelope-format.md` has it. */
import { Buffer } from 'node:buffer'
import { InvalidArgument, UnexpectedAnswer } from '../errors.ts'
import { encodeContext, readContext, type Context } from './context.ts'
import { MalformedEnvelope } from './errors.ts'
import { FieldReader } from './field-reader.ts'
import { lengthAndBytes, uint32 } from './fields.ts'

/** `KEYHOLD`, and the version of the format. */
const MAGIC = Uint8Array.of(0x4b, 0x45, 0x59, 0x48, 0x4f, 0x4c, 0x44, 1)
/** Magic and length: what has to be read to know how much there is. */
export const PREFIX_BYTES = MAGIC.length + 4
export const SALT_BYTES = 32
export const COMMITMENT_BYTES = 32
/** More than its fields can have together. */
const MAX_HEADER_BYTES = 65_536
const MAX_NAME_BYTES = 256
const MAX_WRAPPED_BYTES = 8_192
/** As transit names its keys; anything else might become another path. */
const KEY_NAME = /^\w(?:[\w.-]*\w)?$/
const WRAPPED_KEY = /^[\x21-\x7e]+$/

export interface HeaderFields {
  readonly salt: Uint8Array
  /** The name of the transit key. */
  readonly key: string
  /** The data key, encrypted by it: `vault:vN:…`. */
  readonly wrappedKey: string
  readonly context: Context
  readonly commitment: Uint8Array
}

/** @throws {InvalidArgument} it names no transit key: a header cannot hold it */
export function demandKeyName(key: string): void {
  if (!isKeyName(key))
    throw new InvalidArgument('key: it must be the name of a transit key: letters, digits, _ . -')
}

/** Of a key's name and a context that were checked. @throws {UnexpectedAnswer} the wrapped key is none */
export function encodeHeader(fields: HeaderFields): Uint8Array {
  const key = Buffer.from(fields.key)
  const wrapped = Buffer.from(fields.wrappedKey)
  if (wrapped.length > MAX_WRAPPED_BYTES || !WRAPPED_KEY.test(fields.wrappedKey))
    throw new UnexpectedAnswer('the wrapped data key cannot stand in a header')
  const body = Buffer.concat([
    fields.salt,
    ...lengthAndBytes(key),
    ...lengthAndBytes(wrapped),
    encodeContext(fields.context),
    fields.commitment,
  ])
  return Buffer.concat([MAGIC, uint32(PREFIX_BYTES + body.length), body])
}

/**
 * @param prefix the first `PREFIX_BYTES`
 * @returns how many bytes the whole header has
 * @throws {MalformedEnvelope}
 */
export function headerLength(prefix: Uint8Array): number {
  const fields = new FieldReader(prefix)
  if (Buffer.compare(fields.take(MAGIC.length), MAGIC) !== 0)
    throw new MalformedEnvelope('it does not begin as an envelope of version 1 does')
  const length = fields.uint32()
  if (length < PREFIX_BYTES || length > MAX_HEADER_BYTES)
    throw new MalformedEnvelope(`its header cannot have ${length} bytes`)
  return length
}

/** @param header all of it. @throws {MalformedEnvelope} */
export function parseHeader(header: Uint8Array): HeaderFields {
  const fields = new FieldReader(header)
  fields.take(PREFIX_BYTES)
  const salt = fields.take(SALT_BYTES)
  const key = latin(fields.bytes({ min: 1, max: MAX_NAME_BYTES }))
  if (!isKeyName(key)) throw new MalformedEnvelope('the header names no transit key')
  const wrappedKey = latin(fields.bytes({ min: 1, max: MAX_WRAPPED_BYTES }))
  if (!WRAPPED_KEY.test(wrappedKey)) throw new MalformedEnvelope('the header has no wrapped key')
  const context = readContext(fields)
  const commitment = fields.take(COMMITMENT_BYTES)
  if (fields.position !== header.length)
    throw new MalformedEnvelope('the header is longer than its fields')
  return { salt, key, wrappedKey, context, commitment }
}

function isKeyName(text: string): boolean {
  return text.length <= MAX_NAME_BYTES && KEY_NAME.test(text)
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
