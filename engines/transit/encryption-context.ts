/**
 * Encryption contexts, as AWS KMS has them: names and values that are authenticated with a message, shown in the clear by the
 * audit log, and judged by policies. What was encrypted with one is decrypted with the same one only.
 *
 * As associated data: a fixed beginning, then of each pair in the order of the names' bytes: length of the name (4 bytes, big
 * endian) | name | length of the value (4) | value, in UTF-8. So no two contexts are the same bytes; and as associated data
 * of a request may not begin so, none of them is a context.
 */
import { BadRequest } from '../../core/errors.ts'
import { isJsonObject, type Json } from '../../core/json.ts'

const BEGINNING = Buffer.from('keyhold encryption context 1\0')
/** As AWS KMS has it, there of the context as JSON. */
const MOST_BYTES = 8192
const LENGTH_BYTES = 4

/** @param given what the request has @throws {BadRequest} it is no context; the text repeats nothing of it */
export function contextBytes(given: Json, required: readonly string[]): Buffer {
  const pairs = readPairs(given)
  const missing = required.filter((name) => !pairs.some((pair) => pair.name === name))
  if (missing.length > 0) throw contextRequired(missing)
  const parts: Buffer[] = [BEGINNING]
  for (const { bytes, value } of pairs.toSorted((a, b) => Buffer.compare(a.bytes, b.bytes))) {
    parts.push(lengthOf(bytes), bytes, lengthOf(value), value)
  }
  const encoded = Buffer.concat(parts)
  if (encoded.length <= MOST_BYTES) return encoded
  throw new BadRequest(`encryption_context is too large: at most ${MOST_BYTES} bytes`)
}

export function contextRequired(names: readonly string[]): BadRequest {
  return new BadRequest(`the key demands an encryption_context with ${names.join(', ')}`)
}

/** Whether associated data could be taken for a context. */
export function isLikeContext(associatedData: Buffer): boolean {
  return associatedData.subarray(0, BEGINNING.length).equals(BEGINNING)
}

interface Pair {
  readonly name: string
  readonly bytes: Buffer
  readonly value: Buffer
}

function readPairs(given: Json): Pair[] {
  const entries = isJsonObject(given) ? Object.entries(given) : []
  if (entries.length === 0) throw unreadable()
  return entries.map(([name, value]) => {
    if (name === '' || typeof value !== 'string') throw unreadable()
    // What is no Unicode would be encoded as something else.
    if (!name.isWellFormed() || !value.isWellFormed()) throw unreadable()
    return { name, bytes: Buffer.from(name), value: Buffer.from(value) }
  })
}

function unreadable(): BadRequest {
  return new BadRequest(
    'encryption_context must be an object of texts with at least one member, such as {"tenant": "a"}',
  )
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(bytes.length)
  return length
}
