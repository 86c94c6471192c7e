/** What every seal keeps, whatever its kind. An implementation's test calls this. */
import { describe, expect, test } from 'vitest'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { CorruptRecord } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { WrongShares } from './seal.ts'
import type { Protected, ReadRecord, Seal, Sharing } from './seal.ts'

const SHARING: Sharing = { shares: 5, threshold: 3 }

export function sealSuite(name: string, makeSeal: () => Seal): void {
  const reader =
    (wrapped: Protected): ReadRecord =>
    async (key) =>
      wrapped.records.get(key)

  /** What `recover` wants: shares only where they open. */
  const bring = (seal: Seal, shares: readonly Buffer[]) =>
    seal.shareUse === 'unseal' ? shares.slice(0, SHARING.threshold) : []

  describe(`the contract of seals, kept by ${name}`, () => {
    test('the root key comes back, and is left alone meanwhile', async () => {
      const seal = makeSeal()
      const rootKey = systemRandom.bytes(32)
      const before = Buffer.from(rootKey)
      const wrapped = await seal.protect(rootKey, SHARING)

      expect(await seal.recover(reader(wrapped), bring(seal, wrapped.shares))).toEqual(before)
      expect(rootKey).toEqual(before)
    })

    test('shares are made for each holder, and it takes those given without changing them', async () => {
      const seal = makeSeal()
      const wrapped = await seal.protect(systemRandom.bytes(32), SHARING)
      const copies = wrapped.shares.map((share) => Buffer.from(share))
      for (const share of wrapped.shares) seal.checkShare(share, SHARING)
      await seal.verifyShares(reader(wrapped), wrapped.shares.slice(2))

      expect(wrapped.shares).toHaveLength(SHARING.shares)
      expect(wrapped.shares).toEqual(copies)
    })

    test('shares of another server are wrong', async () => {
      const seal = makeSeal()
      const wrapped = await seal.protect(systemRandom.bytes(32), SHARING)
      const other = await seal.protect(systemRandom.bytes(32), SHARING)
      const foreign = other.shares.slice(0, 3)
      await expect(seal.verifyShares(reader(wrapped), foreign)).rejects.toThrow(WrongShares)
      const mixed = [...wrapped.shares.slice(0, 2), ...other.shares.slice(2, 3)]
      await expect(seal.verifyShares(reader(wrapped), mixed)).rejects.toThrow(WrongShares)
    })

    test('its records lie at the root key and below, and hold no plain root key', async () => {
      const rootKey = systemRandom.bytes(32)
      const { records } = await makeSeal().protect(rootKey, SHARING)
      for (const [key, value] of records) {
        expect(`${key}/`.startsWith(`${CORE_RECORDS.rootKey}/`)).toBe(true)
        expect(value.includes(rootKey.subarray(0, 16))).toBe(false)
      }
    })

    test('an altered record gives the same error wherever it was altered', async () => {
      const seal = makeSeal()
      const wrapped = await seal.protect(systemRandom.bytes(32), SHARING)
      const whole = wrapped.records.get(CORE_RECORDS.rootKey) ?? Buffer.alloc(0)
      for (let bit = 0; bit < whole.length * 8; bit += 1) {
        const altered = Buffer.from(whole)
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const read: ReadRecord = async (key) =>
          key === CORE_RECORDS.rootKey ? altered : wrapped.records.get(key)
        await expect(seal.recover(read, bring(seal, wrapped.shares))).rejects.toThrow(WrongShares)
      }
    })

    test('a root key that is missing is damage', async () => {
      const seal = makeSeal()
      const { shares } = await seal.protect(systemRandom.bytes(32), SHARING)
      const nothing: ReadRecord = async () => undefined
      await expect(seal.recover(nothing, bring(seal, shares))).rejects.toThrow(CorruptRecord)
    })
  })
}
