import { expect, test, vi } from 'vitest'
import type * as secretBytesModule from '../barrier/secret-bytes.ts'
import { systemRandom } from '../random.ts'
import { ShamirSeal } from './shamir.ts'

/** Every buffer for secrets that was handed out. */
const secrets = vi.hoisted((): Buffer[] => [])

vi.mock('../barrier/secret-bytes.ts', async (importOriginal) => {
  const { secretBytes, copySecret } = await importOriginal<typeof secretBytesModule>()
  const keep = (bytes: Buffer<ArrayBuffer>) => {
    secrets.push(bytes)
    return bytes
  }
  return {
    secretBytes: (length: number) => keep(secretBytes(length)),
    copySecret: (bytes: Uint8Array) => keep(copySecret(bytes)),
  }
})

test('of all that the seal has in its hands, only the shares and the root key that it returns are not zeroed', async () => {
  const drawn: Buffer[] = []
  const bytes = (count: number) => {
    const random = systemRandom.bytes(count)
    if (count === 32) drawn.push(random)
    return random
  }
  const seal = new ShamirSeal({ ...systemRandom, bytes })
  const { records, shares } = await seal.protect(systemRandom.bytes(32), {
    shares: 3,
    threshold: 2,
  })
  await seal.recover(async (key) => records.get(key), shares.slice(1))
  await seal.verifyShares(async (key) => records.get(key), shares.slice(1))

  const handedOut = new Set(shares)
  const kept = [...secrets, ...drawn].filter((secret) => !handedOut.has(secret))
  expect(drawn).toHaveLength(1)
  // The unseal key once when it was split, and each time that it was combined.
  expect(kept).toHaveLength(4)
  for (const secret of kept) expect(secret.every((byte) => byte === 0)).toBe(true)
})
