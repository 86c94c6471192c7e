/**
 * For tests: a seal of the other family. It opens by asking a key service (here a function), without people; its
 * shares only authorise. It shows that such seals need nothing of the contract that is not there.
 */
import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { openRecord, OUTSIDE_KEYRING, sealRecord } from '../barrier/sealed-record.ts'
import { copySecret } from '../barrier/secret-bytes.ts'
import { BadRequest, CorruptRecord } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { WrongShares } from './seal.ts'
import type { Protected, ReadRecord, Seal, Sharing } from './seal.ts'
import { combineShares, splitKey } from './shamir.ts'

const RECOVERY_KEY = `${CORE_RECORDS.rootKey}/recovery`

export class CallOutSeal implements Seal {
  readonly type = 'test-kms'
  readonly shareUse = 'recovery'
  readonly #serviceKey: KeyObject = createSecretKey(systemRandom.bytes(32))

  checkShare(share: Buffer): void {
    if (share.length !== 33) throw new BadRequest('invalid key: a recovery share has 33 bytes')
  }

  async protect(rootKey: Buffer, sharing: Sharing): Promise<Protected> {
    const recoveryKey = copySecret(systemRandom.bytes(32))
    const records = new Map([
      [CORE_RECORDS.rootKey as string, await this.#encrypt(CORE_RECORDS.rootKey, rootKey)],
      [RECOVERY_KEY, await this.#encrypt(RECOVERY_KEY, recoveryKey)],
    ])
    return { records, shares: sharing.shares === 0 ? [] : await splitKey(recoveryKey, sharing) }
  }

  recover(read: ReadRecord): Promise<Buffer> {
    return this.#decrypt(read, CORE_RECORDS.rootKey)
  }

  async verifyShares(read: ReadRecord, shares: readonly Buffer[]): Promise<void> {
    const expected = await this.#decrypt(read, RECOVERY_KEY)
    if (!expected.equals(await combineShares(shares, systemRandom))) throw new WrongShares()
  }

  async #encrypt(key: string, plaintext: Buffer): Promise<Buffer> {
    return sealRecord(this.#serviceKey, OUTSIDE_KEYRING, systemRandom.bytes(12), key, plaintext)
  }

  async #decrypt(read: ReadRecord, key: string): Promise<Buffer> {
    const wrapped = await read(key)
    if (wrapped === undefined) throw new CorruptRecord(key)
    try {
      return openRecord(this.#serviceKey, key, wrapped)
    } catch {
      throw new WrongShares()
    }
  }
}
