/** AES-CMAC (NIST SP 800-38B; contract: engines-core.md, 2.6), by @noble/ciphers: node:crypto has none. */
import { timingSafeEqual } from 'node:crypto'
import { decodeBase64, illegalBase64 } from '../../core/plugin/base64.ts'
import { BadRequest } from '../../core/errors.ts'
import { typeOf, versionToUse, type Loaded } from './keys.ts'
import type { TransitKey } from './records.ts'
import { versionOfMade, versionToMake, type User } from './use.ts'
import { readVersioned, versionedText } from './versioned.ts'

const FULL_BYTES = 16
/** Shorter ones can be guessed (SP 800-38B, A.2). */
const LEAST_BYTES = 8

/** @param asked 0: the newest version @param length in bytes; 0: all @throws {BadRequest} not so */
export async function makeCmac(
  user: User,
  key: TransitKey,
  input: Buffer,
  { asked, length }: { readonly asked: number; readonly length: number },
): Promise<string> {
  demandCmac(key)
  const version = versionToUse(key, asked, 'CMAC')
  const loaded = await versionToMake(user, key, { version, asked, operation: 'mac' })
  const mac = await macOf(loaded, input)
  return versionedText(loaded.number, mac.subarray(0, lengthOf(length)).toString('base64'))
}

/** @throws {BadRequest} it is no CMAC of this key at all */
export async function isCmac(
  user: User,
  key: TransitKey,
  input: Buffer,
  { text, length }: { readonly text: string; readonly length: number },
): Promise<boolean> {
  demandCmac(key)
  const { version, body } = readVersioned(text, key, 'invalid CMAC')
  const given = decodeBase64(body)
  if (typeof given === 'number') {
    throw new BadRequest(`unable to decode verification CMAC as base64: ${illegalBase64(given)}`)
  }
  const loaded = await versionOfMade(user, key, version, 'verify')
  const mac = (await macOf(loaded, input)).subarray(0, lengthOf(length))
  return given.length === mac.length && timingSafeEqual(given, mac)
}

async function macOf({ material }: Loaded, input: Buffer): Promise<Buffer> {
  // Loaded with the first CMAC: its tables take 10 MB.
  const { cmac } = await import('@noble/ciphers/aes.js')
  const bytes = material.key.export()
  try {
    return Buffer.from(cmac(input, bytes))
  } finally {
    bytes.fill(0)
  }
}

function lengthOf(length: number): number {
  if (length === 0) return FULL_BYTES
  if (length >= LEAST_BYTES && length <= FULL_BYTES) return length
  throw new BadRequest(`mac_length must be ${LEAST_BYTES} to ${FULL_BYTES} bytes`)
}

function demandCmac(key: TransitKey): void {
  const type = typeOf(key)
  if (type.family !== 'cmac') throw new BadRequest(`key type ${type.name} does not support CMAC`)
}
