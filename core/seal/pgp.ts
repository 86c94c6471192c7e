/**
 * Encrypting what is handed out, a key share or a root token, to the PGP key of who is to have it: then it is worth
 * nothing to whoever else sees it. The forms are Vault's: a share is encrypted as its hex text, the result is a binary
 * OpenPGP message.
 *
 * The package openpgp is large, and used some few times in a server's life: it is loaded when a key is brought.
 */
import type { Key } from 'openpgp'
import { BadRequest } from '../errors.ts'

export interface PgpKey {
  /** Of the primary key, hex, lower case. */
  readonly fingerprint: string
  readonly key: Key
}

/** A public key of 4096 bits with some signatures has 4 kB; one that many have signed, some more. */
const MAX_KEY_CHARACTERS = 256 * 1024
const NO_BASE64 = /[^A-Za-z0-9+/=]/

/**
 * Reads public keys, each in base64 without armour.
 *
 * @throws {BadRequest} one is no such key, or nothing can be encrypted to it: said before anything is made
 */
export async function readPgpKeys(texts: readonly string[]): Promise<readonly PgpKey[]> {
  const keys: PgpKey[] = []
  for (const text of texts) keys.push(await readPgpKey(text))
  return keys
}

export async function readPgpKey(text: string): Promise<PgpKey> {
  const { readKey } = await import('openpgp')
  const binaryKey = decode(text)
  try {
    const key = await readKey({ binaryKey })
    if (key.isPrivate()) throw new BadRequest('error parsing PGP key: it is a private key')
    const read = { key, fingerprint: key.getFingerprint() }
    await encryptTo(read, Buffer.from('x'))
    return read
  } catch (error) {
    if (error instanceof BadRequest) throw error
    throw new BadRequest(
      'error parsing PGP key: it is no public key that can be encrypted to; send the binary key in base64, with an encryption subkey that has not expired',
    )
  }
}

/** @param bytes neither kept nor zeroed */
export async function encryptTo({ key }: PgpKey, bytes: Uint8Array): Promise<Buffer> {
  const { createMessage, encrypt } = await import('openpgp')
  const message = await createMessage({ binary: bytes })
  return Buffer.from(await encrypt({ message, encryptionKeys: key, format: 'binary' }))
}

/**
 * Each share to the key of its holder.
 *
 * @param shares as many as keys; zeroed
 */
export async function encryptShares(
  shares: readonly Buffer[],
  keys: readonly PgpKey[],
): Promise<readonly Buffer[]> {
  const encrypted: Buffer[] = []
  for (const [i, key] of keys.entries()) {
    const hex = Buffer.from(shares[i]?.toString('hex') ?? '')
    encrypted.push(await encryptTo(key, hex))
    hex.fill(0)
  }
  for (const share of shares) share.fill(0)
  return encrypted
}

/** @throws {BadRequest} not one key for each share */
export function checkKeyCount(keys: readonly string[], shares: number, what: string): void {
  if (keys.length === 0 || keys.length === shares) return
  throw new BadRequest(
    `invalid ${what} configuration: count mismatch between number of provided PGP keys and number of shares`,
  )
}

function decode(text: string): Buffer {
  if (text.startsWith('keybase:')) {
    throw new BadRequest('keys are not fetched from keybase: send the public key itself, in base64')
  }
  if (text.length > MAX_KEY_CHARACTERS)
    throw new BadRequest('error parsing PGP key: it is too long')
  const wrongAt = text.search(NO_BASE64)
  if (wrongAt >= 0 || text.length % 4 !== 0) {
    const at = wrongAt >= 0 ? wrongAt : text.length - (text.length % 4)
    throw new BadRequest(
      `error parsing PGP key: error decoding given PGP key: illegal base64 data at input byte ${at}`,
    )
  }
  return Buffer.from(text, 'base64')
}
