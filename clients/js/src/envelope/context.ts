/** The encryption context: what a message is about, authenticated and not secret. */
import { Buffer } from 'node:buffer'
import { InvalidArgument } from '../errors.ts'
import { MalformedEnvelope } from './errors.ts'
import type { FieldReader } from './field-reader.ts'
import { decodeUtf8, lengthAndBytes, uint16 } from './fields.ts'

export type Context = Readonly<Record<string, string>>

const MAX_PAIRS = 32
const MAX_NAME_BYTES = 256
const MAX_VALUE_BYTES = 1_024

/**
 * @returns number of pairs (2) | for each, by the bytes of the names: length (2), name, length (2), value
 * @throws {InvalidArgument} too many, too long, an empty name, or text that UTF-8 cannot say
 */
export function encodeContext(context: Context): Uint8Array {
  const pairs = Object.entries(context).map(
    ([name, value]) => [Buffer.from(name), Buffer.from(value)] as const,
  )
  if (pairs.length > MAX_PAIRS)
    throw new InvalidArgument(`context: at most ${MAX_PAIRS} pairs are possible`)
  if (Object.entries(context).some((pair) => !pair.join('').isWellFormed()))
    throw new InvalidArgument('context: it holds half a surrogate pair')
  if (pairs.some(([name]) => name.length === 0 || name.length > MAX_NAME_BYTES))
    throw new InvalidArgument(`context: a name has 1 to ${MAX_NAME_BYTES} bytes`)
  if (pairs.some(([, value]) => value.length > MAX_VALUE_BYTES))
    throw new InvalidArgument(`context: a value has at most ${MAX_VALUE_BYTES} bytes`)
  pairs.sort(([one], [other]) => Buffer.compare(one, other))
  return Buffer.concat([uint16(pairs.length), ...pairs.flat().flatMap(lengthAndBytes)])
}

/** What `encodeContext` made, and nothing else. @throws {MalformedEnvelope} */
export function readContext(fields: FieldReader): Context {
  const count = fields.uint16()
  if (count > MAX_PAIRS) throw new MalformedEnvelope('the header has too many context pairs')
  const context = new Map<string, string>()
  let before: Uint8Array = new Uint8Array()
  for (let at = 0; at < count; at++) {
    const name = fields.bytes({ min: 1, max: MAX_NAME_BYTES })
    const value = fields.bytes({ min: 0, max: MAX_VALUE_BYTES })
    if (at > 0 && Buffer.compare(before, name) >= 0)
      throw new MalformedEnvelope('the context pairs of the header are not in order')
    context.set(decodeUtf8(name), decodeUtf8(value))
    before = name
  }
  return Object.fromEntries(context)
}
