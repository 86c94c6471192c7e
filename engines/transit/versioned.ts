/** `vault:vN:BASE64`, the form of ciphertexts, signatures and HMACs. */
import { BadRequest } from '../../core/errors.ts'
import type { TransitKey } from './records.ts'

const PREFIX = 'vault:v'
const NUMBER = /^[+-]?\d{1,10}$/

export interface Versioned {
  readonly version: number
  /** Still encoded. */
  readonly body: string
}

export function versionedText(version: number, body: string): string {
  return `${PREFIX}${version}:${body}`
}

/** What its errors begin with. */
export type VersionedWords =
  | 'invalid ciphertext'
  | 'invalid signature'
  | 'invalid HMAC'
  | 'invalid CMAC'
const TOO_OLD = 'ciphertext or signature version is disallowed by policy (too old)'

/** @throws {BadRequest} it has another form, or its version may not be used */
export function readVersioned(
  text: string,
  key: Pick<TransitKey, 'latestVersion' | 'minDecryptionVersion'>,
  words: VersionedWords,
  { noPrefix = `${words}: no prefix`, tooOld = TOO_OLD, zeroIsOne = true } = {},
): Versioned {
  if (!text.startsWith(PREFIX)) throw new BadRequest(noPrefix)
  const colon = text.indexOf(':', PREFIX.length)
  if (colon < 0) throw new BadRequest(`${words}: wrong number of fields`)
  const number = text.slice(PREFIX.length, colon)
  if (!NUMBER.test(number)) {
    throw new BadRequest(`${words}: version number could not be decoded`)
  }
  // Ciphertexts and signatures of the first version of all had no number.
  const version = zeroIsOne ? Number(number) || 1 : Number(number)
  if (version > key.latestVersion) throw new BadRequest(`${words}: version is too new`)
  if (version < key.minDecryptionVersion) throw new BadRequest(tooOld)
  return { version, body: text.slice(colon + 1) }
}
