/**
 * What is stored under a key: its type, its version, and the one place where it is parsed. A record is the JSON text
 * `[version, value]`; numbers in it keep their text.
 */
import { z, type ZodType } from 'zod'
import { CorruptRecord } from '../errors.ts'
import { isJsonObject, parseJson } from '../json.ts'

export interface Kind<T> {
  readonly name: string
  /** Whether a record stays in the cache when it was written, because it will soon be read. */
  readonly keptWhenWritten: boolean
  /** What is sealed; bytes are zeroed once they are. */
  encode(value: T): string | Buffer
  /** @throws {CorruptRecord} it is not such a record, or of a newer version than this server knows */
  decode(key: string, content: Buffer): T
}

/** A kind whose records are text. */
export interface TextKind<T> extends Kind<T> {
  encode(value: T): string
  decode(key: string, content: Buffer | string): T
}

/**
 * Declares a kind of record.
 *
 * @param version rises when the shape changes; `schema` must go on to read the older ones
 * @param keptWhenWritten false for an index: of many records that are written few are ever read
 */
export function kind<T>(
  name: string,
  schema: ZodType<T>,
  { version = 1, keptWhenWritten = true } = {},
): TextKind<T> {
  return {
    name,
    keptWhenWritten,
    encode: (value) => `[${version},${JSON.stringify(value)}]`,
    decode(key, content) {
      const text = typeof content === 'string' ? content : content.toString('utf8')
      const parsed = schema.safeParse(unwrap(key, text, version))
      if (!parsed.success) throw new CorruptRecord(key, { cause: where(parsed.error.issues) })
      return deepFreeze(parsed.data)
    },
  }
}

/**
 * Declares a kind of record that is key material. It is bytes from end to end, and they are zeroed: none of it ever is a
 * string, and what stays in memory is what `decode` makes of it, such as a KeyObject.
 *
 * @param decode throws where the bytes are no such material
 */
export function secretKind<T>(
  name: string,
  { encode, decode }: { encode(value: T): Buffer; decode(bytes: Buffer): T },
): Kind<T> {
  return {
    name,
    keptWhenWritten: true,
    encode,
    decode(key, content) {
      try {
        return decode(content)
      } catch (cause) {
        throw new CorruptRecord(key, { cause })
      } finally {
        content.fill(0)
      }
    },
  }
}

function unwrap(key: string, text: string, version: number): unknown {
  const outer = tryParse(key, text)
  if (!Array.isArray(outer) || outer.length !== 2 || typeof outer[0] !== 'number') {
    throw new CorruptRecord(key)
  }
  if (outer[0] > version) {
    const cause = new Error(`version ${outer[0]}; this server reads up to ${version}`)
    throw new CorruptRecord(key, { cause })
  }
  return outer[1]
}

function tryParse(key: string, text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw new CorruptRecord(key)
    throw error
  }
}

/** Texts by names that a user gives. Not zod's record, which leaves out the name `__proto__`. */
export const texts = z.custom<Readonly<Record<string, string>>>(
  (value) => isJsonObject(value) && Object.values(value).every((text) => typeof text === 'string'),
)

/** The places that did not fit, without the values. */
function where(issues: readonly { readonly path: readonly PropertyKey[] }[]): Error {
  return new Error(`does not fit at ${issues.map((issue) => issue.path.join('.')).join(', ')}`)
}

/** Makes a record immutable, so that a cached one is safe to hand out. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) deepFreeze(inner)
  return value
}
