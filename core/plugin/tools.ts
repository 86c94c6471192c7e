/** Random bytes and hashes, as `sys/tools` and transit offer them (contract: sys-auth.md, Tools; engines-core.md, 2.6). */
import { createHash } from 'node:crypto'
import { BadRequest } from '../errors.ts'
import { decodeBase64, illegalBase64 } from './base64.ts'
import { integer, string } from './fields.ts'
import { path, type Path } from './path.ts'
import type { Request } from './request.ts'
import type { Response } from './response.ts'

/** As in Vault. */
const MAX_RANDOM_BYTES = 128 * 1024
const DEFAULT_RANDOM_BYTES = 32
const SOURCES = new Set(['platform', 'seal', 'all'])
/** Name on the wire -> name in OpenSSL. */
const HASHES = new Map([
  ['sha2-224', 'sha224'],
  ['sha2-256', 'sha256'],
  ['sha2-384', 'sha384'],
  ['sha2-512', 'sha512'],
  ['sha3-224', 'sha3-224'],
  ['sha3-256', 'sha3-256'],
  ['sha3-384', 'sha3-384'],
  ['sha3-512', 'sha3-512'],
])

const randomFields = {
  urlbytes: string('How many bytes, or the source, in the path.'),
  bytes: integer('How many bytes.').default(DEFAULT_RANDOM_BYTES),
  format: string('`base64` or `hex`.').default('base64'),
  source: string('`platform`, `seal` or `all`; all come from the operating system.').default(
    'platform',
  ),
}
const hashFields = {
  urlalgorithm: string('Algorithm in the path.'),
  algorithm: string('Algorithm.').default('sha2-256'),
  input: string('What is hashed, in base64.'),
  format: string('`hex` or `base64`.').default('hex'),
}

/** @param at where they lie: empty, or ending in '/'; at the former a hash has to have an input */
export function toolPaths(at: '' | 'tools/'): readonly Path[] {
  return [
    path([`${at}random`, `${at}random/:urlbytes`, `${at}random/:source/:urlbytes`], {
      summary: 'Random bytes',
      fields: randomFields,
      operations: { update: answerRandom },
    }),
    path([`${at}hash`, `${at}hash/:urlalgorithm`], {
      summary: 'A hash',
      fields: hashFields,
      operations: {
        update(request) {
          if (at === '' && request.data.input === undefined) throw new BadRequest('input missing')
          return answerHash(request)
        },
      },
    }),
  ]
}

function answerRandom({ data, random }: Request<typeof randomFields>): Response {
  const { urlbytes } = data
  if (!SOURCES.has(data.source)) {
    throw new BadRequest('unsupported entropy source; must be "platform" or "seal", or "all"')
  }
  const named = urlbytes !== undefined && SOURCES.has(urlbytes)
  const count = urlbytes === undefined || named ? data.bytes : countOf(urlbytes)
  if (count < 1) throw new BadRequest("'bytes' cannot be less than 1")
  if (count > MAX_RANDOM_BYTES)
    throw new BadRequest(`'bytes' should be less than ${MAX_RANDOM_BYTES}`)
  return { data: { random_bytes: random.bytes(count).toString(encoding(data.format)) } }
}

function countOf(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text)
  throw new BadRequest('error parsing url-set byte count: it is a whole number')
}

function encoding(format: string): 'base64' | 'hex' {
  if (format === 'base64' || format === 'hex') return format
  throw new BadRequest('unsupported encoding format; must be "hex" or "base64"')
}

function answerHash({ data }: Request<typeof hashFields>): Response {
  const to = encoding(data.format)
  const hash = HASHES.get(data.urlalgorithm ?? data.algorithm)
  if (hash === undefined) {
    throw new BadRequest(`unsupported algorithm; it is one of ${[...HASHES.keys()].join(', ')}`)
  }
  return { data: { sum: createHash(hash).update(decode(data.input)).digest(to) } }
}

/** Programs like base64 break it into lines. */
function decode(input = ''): Buffer {
  const bytes = decodeBase64(input)
  if (typeof bytes === 'number') {
    throw new BadRequest(`unable to decode input as base64: ${illegalBase64(bytes)}`)
  }
  return bytes
}
