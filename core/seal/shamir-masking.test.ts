import { expect, test, vi } from 'vitest'
import type * as library from 'shamir-secret-sharing'
import { copySecret } from '../barrier/secret-bytes.ts'
import { systemRandom } from '../random.ts'
import { combineShares, splitKey } from './shamir.ts'

const seen = vi.hoisted((): string[] => [])

vi.mock('shamir-secret-sharing', async (importOriginal) => {
  const { split, combine } = await importOriginal<typeof library>()
  return {
    split,
    combine: async (shares: Uint8Array[]) => {
      const result = await combine(shares)
      for (const bytes of [...shares, result])
        seen.push(Buffer.from(bytes.subarray(0, 32)).toString('hex'))
      return result
    },
  }
})

test('row 95 (CVE-2023-25000): the library, which looks tables up by what it is given, sees neither shares nor key, nor a mask twice', async () => {
  const key = copySecret(systemRandom.bytes(32))
  const shares = await splitKey(key, { shares: 3, threshold: 3 })
  for (let i = 0; i < 10; i += 1) await combineShares(shares, systemRandom)

  const secrets = [key, ...shares].map((bytes) =>
    Buffer.from(bytes.subarray(0, 32)).toString('hex'),
  )
  expect(seen).toHaveLength(10 * 2 * 4)
  expect(new Set(seen).size).toBe(seen.length)
  for (const secret of secrets) expect(seen).not.toContain(secret)
})
