import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { copySecret } from '../barrier/secret-bytes.ts'
import { systemRandom } from '../random.ts'
import { combineBitwise, splitBitwise } from './bitwise-shamir.fixture.ts'
import { CallOutSeal } from './call-out-seal.fixture.ts'
import { sealSuite } from './seal.suite.ts'
import { WrongShares } from './seal.ts'
import { combineShares, ShamirSeal, SHARE_BYTES, splitKey } from './shamir.ts'

sealSuite('Shamir', () => new ShamirSeal(systemRandom))
sealSuite('a seal that calls out', () => new CallOutSeal())

const newKey = () => copySecret(systemRandom.bytes(32))
const combine = (shares: readonly Buffer[]) => combineShares(shares, systemRandom)

/** Shares 2..8, threshold 2..shares, and an order in which the shares are drawn. */
const cases = fc.integer({ min: 2, max: 8 }).chain((shares) =>
  fc.record({
    shares: fc.constant(shares),
    threshold: fc.integer({ min: 2, max: shares }),
    order: fc.shuffledSubarray([...Array(shares).keys()], { minLength: shares }),
  }),
)

function pick(shares: readonly Buffer[], order: readonly number[], count: number): Buffer[] {
  return order.slice(0, count).flatMap((i) => shares[i] ?? [])
}

function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]]
  return items.flatMap((item, i) =>
    subsets(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]),
  )
}

describe('shares', () => {
  test('every threshold of 3 of 6 shares gives the key back', async () => {
    const key = newKey()
    const shares = await splitKey(key, { shares: 6, threshold: 3 })
    for (const some of subsets(shares, 3)) expect(await combine(some)).toEqual(Buffer.from(key))
  })

  test('any threshold in any order gives the key back, one less does not, more do', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ shares: count, threshold, order }) => {
        const key = newKey()
        const shares = await splitKey(key, { shares: count, threshold })
        expect(await combine(pick(shares, order, threshold))).toEqual(Buffer.from(key))
        expect(await combine(shares)).toEqual(Buffer.from(key))
        if (threshold > 2) {
          expect(await combine(pick(shares, order, threshold - 1))).not.toEqual(Buffer.from(key))
        }
      }),
    )
  })

  test('255 shares have 255 different coordinates, none of them 0', async () => {
    const shares = await splitKey(newKey(), { shares: 255, threshold: 200 })
    const coordinates = new Set(shares.map((share) => share[32]))
    expect(coordinates.size).toBe(255)
    expect(coordinates.has(0)).toBe(false)
    expect(shares.every((share) => share.length === SHARE_BYTES)).toBe(true)
  })

  test('one share below the threshold says nothing of the key: its values are uniform', async () => {
    const key = copySecret(Buffer.alloc(32))
    const counts = new Float64Array(256)
    const rounds = 800
    for (let i = 0; i < rounds; i += 1) {
      const [share] = await splitKey(key, { shares: 2, threshold: 2 })
      for (const byte of share?.subarray(0, 32) ?? []) counts[byte] = (counts[byte] ?? 0) + 1
    }
    const expected = (rounds * 32) / 256
    const chiSquare = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
    // 255 degrees of freedom: mean 255, standard deviation 22.6. Ten of those are not chance.
    expect(chiSquare).toBeLessThan(255 + 226)
  })

  test('one share of one is the key itself', async () => {
    const key = newKey()
    const shares = await splitKey(key, { shares: 1, threshold: 1 })
    expect(shares).toEqual([Buffer.from(key)])
    expect(await combine(shares)).toEqual(Buffer.from(key))
  })

  test('splitting and combining leave what they are given as it was', async () => {
    const key = newKey()
    const before = Buffer.from(key)
    const shares = await splitKey(key, { shares: 3, threshold: 2 })
    const copies = shares.map((share) => Buffer.from(share))
    await combine(shares)
    expect(Buffer.from(key)).toEqual(before)
    expect(shares).toEqual(copies)
  })

  test('shares with the same coordinate, with coordinate 0, of a wrong size or too few are wrong', async () => {
    const [a, b, c] = await splitKey(newKey(), { shares: 3, threshold: 3 })
    if (a === undefined || b === undefined || c === undefined) throw new Error('test: no shares')
    const sameX = Buffer.from(a)
    sameX[0] = (sameX[0] ?? 0) ^ 1
    const zeroX = Buffer.from(a)
    zeroX[32] = 0
    for (const wrong of [[a, b, a], [a, b, sameX], [zeroX, b, c], [a.subarray(1), b], [a], []]) {
      await expect(combine(wrong)).rejects.toThrow(WrongShares)
    }
  })
})

describe('shares are interchangeable with Vault and OpenBao', () => {
  const Vectors = z.object({
    vectors: z.array(
      z.object({ threshold: z.number(), secret: z.string(), shares: z.array(z.string()) }),
    ),
  })
  const file = new URL('../../test/vectors/shamir-shares.json', import.meta.url)
  const { vectors } = Vectors.parse(JSON.parse(readFileSync(file, 'utf8')))

  for (const { threshold, secret, shares } of vectors) {
    test(`${threshold} of ${shares.length} of their shares (${secret.slice(0, 8)}…) give the key`, async () => {
      const theirs = shares.map((share) => Buffer.from(share, 'hex'))
      for (const some of subsets(theirs, threshold)) {
        expect((await combine(some)).toString('hex')).toBe(secret)
        expect(combineBitwise(some).toString('hex')).toBe(secret)
      }
    })
  }

  test('what an independent implementation splits, ours combines, and the reverse', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ shares: count, threshold, order }) => {
        const key = newKey()
        const theirs = splitBitwise(key, count, threshold)
        expect(await combine(pick(theirs, order, threshold))).toEqual(Buffer.from(key))
        const ours = await splitKey(key, { shares: count, threshold })
        expect(combineBitwise(pick(ours, order, threshold))).toEqual(Buffer.from(key))
      }),
    )
  })
})
