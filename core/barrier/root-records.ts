/**
 * What the root key seals: the keyring, and how often each term was used. Nothing else, so that its own limit is out of
 * reach: 2^32 encryptions of these are 2^48 of values.
 */
import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { assert } from '../errors.ts'
import type { Random } from '../random.ts'
import { Keyring } from './keyring.ts'
import { CORE_RECORDS, usageKey } from './record-keys.ts'
import { MAX_ENCRYPTIONS_PER_TERM } from './rotation.ts'
import { KEY_BYTES, NONCE_BYTES, openRecord, OUTSIDE_KEYRING, sealRecord } from './sealed-record.ts'

const StoredUsage = z.strictObject({
  version: z.literal(1),
  reserved: z.int().min(0).max(MAX_ENCRYPTIONS_PER_TERM),
})

export class RootRecords {
  readonly #rootKey: KeyObject
  readonly #random: Random

  /** @param rootKey 32 bytes, copied; the caller zeroes it */
  constructor(rootKey: Buffer, random: Random) {
    assert(rootKey.length === KEY_BYTES, 'a root key has 32 bytes')
    this.#rootKey = createSecretKey(rootKey)
    this.#random = random
  }

  /** Whether this is the key, in constant time. @param rootKey neither kept nor zeroed */
  isKey(rootKey: Buffer): boolean {
    return rootKey.length === KEY_BYTES && this.#rootKey.equals(createSecretKey(rootKey))
  }

  sealKeyring(keyring: Keyring): Buffer {
    const bytes = keyring.serialise()
    const sealed = this.#seal(CORE_RECORDS.keyring, bytes)
    bytes.fill(0)
    return sealed
  }

  /** @throws {CorruptRecord} altered, of a newer version, or sealed with another root key */
  openKeyring(sealed: Buffer): Keyring {
    const bytes = openRecord(this.#rootKey, CORE_RECORDS.keyring, sealed)
    try {
      return Keyring.parse(bytes)
    } finally {
      bytes.fill(0)
    }
  }

  sealUsage(term: number, reserved: number): Buffer {
    return this.#seal(usageKey(term), JSON.stringify({ version: 1, reserved }))
  }

  /**
   * The encryptions reserved so far. A count that is missing or does not open is taken as used up: the term then gets a
   * successor, whereas a guess could pass the limit.
   */
  openUsage(term: number, sealed: Buffer | undefined): number {
    if (sealed === undefined) return MAX_ENCRYPTIONS_PER_TERM
    try {
      const bytes = openRecord(this.#rootKey, usageKey(term), sealed)
      return StoredUsage.parse(JSON.parse(bytes.toString())).reserved
    } catch {
      return MAX_ENCRYPTIONS_PER_TERM
    }
  }

  #seal(key: string, plaintext: Buffer | string): Buffer {
    return sealRecord(
      this.#rootKey,
      OUTSIDE_KEYRING,
      this.#random.nonce(NONCE_BYTES),
      key,
      plaintext,
    )
  }
}
