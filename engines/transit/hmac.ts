/** HMACs with the key that each version has for them (contract: engines-core.md, 2.6). */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { BadRequest } from '../../core/errors.ts'
import { decodeBase64, illegalBase64 } from '../../core/plugin/base64.ts'
import type { HashAlgorithm } from './hashes.ts'
import type { TransitKey } from './records.ts'
import { versionOfMade, versionToMake, type User } from './use.ts'
import { readVersioned, versionedText } from './versioned.ts'

/** hot. @param asked 0: the newest version @throws {BadRequest} not that version */
export async function makeHmac(
  user: User,
  key: TransitKey,
  input: Buffer,
  asked: number,
  hash: HashAlgorithm,
): Promise<string> {
  const version = demandVersion(key, asked)
  const { number, material } = await versionToMake(user, key, {
    version,
    asked,
    operation: 'mac',
  })
  const mac = createHmac(hash.openssl, material.hmacKey).update(input).digest('base64')
  return versionedText(number, mac)
}

function demandVersion(key: TransitKey, asked: number): number {
  if (asked < 0) throw new BadRequest('key version does not exist (cannot be negative)')
  if (asked > key.latestVersion) {
    throw new BadRequest(`key version does not exist; latest key version is ${key.latestVersion}`)
  }
  const version = asked || key.latestVersion
  if (version < Math.max(key.minEncryptionVersion, key.minDecryptionVersion)) {
    throw new BadRequest('cannot generate HMAC: version is too old (disallowed by policy)')
  }
  return version
}

/** hot. @throws {BadRequest} it is no HMAC of this key at all */
export async function isHmac(
  user: User,
  key: TransitKey,
  input: Buffer,
  text: string,
  hash: HashAlgorithm,
): Promise<boolean> {
  const { version, body } = readVersioned(text, key, 'invalid HMAC', HMAC_WORDS)
  const given = decodeBase64(body)
  if (typeof given === 'number') {
    throw new BadRequest(`unable to decode verification HMAC as base64: ${illegalBase64(given)}`)
  }
  const { material } = await versionOfMade(user, key, version, 'verify')
  const mac = createHmac(hash.openssl, material.hmacKey).update(input).digest()
  return given.length === mac.length && timingSafeEqual(given, mac)
}

const TOO_OLD_HMAC = 'cannot verify HMAC: version is too old (disallowed by policy)'
const HMAC_WORDS = {
  noPrefix: 'invalid HMAC to verify: no prefix',
  tooOld: TOO_OLD_HMAC,
  zeroIsOne: false,
}
