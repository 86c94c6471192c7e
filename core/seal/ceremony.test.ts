import { describe, expect, test } from 'vitest'
import { copySecret } from '../barrier/secret-bytes.ts'
import { systemRandom } from '../random.ts'
import { UnsealCeremony } from './ceremony.ts'
import { WrongShares } from './seal.ts'
import { combineShares, ShamirSeal, splitKey } from './shamir.ts'

const SHARING = { shares: 5, threshold: 3 }
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/

/** A ceremony whose attempt succeeds with the shares of one key only. */
async function startCeremony(sharing = SHARING) {
  const key = copySecret(systemRandom.bytes(32))
  const given: (readonly Buffer[])[] = []
  const attempt = async (shares: readonly Buffer[]) => {
    given.push(shares)
    const combined = await combineShares(shares, systemRandom)
    if (!combined.equals(key)) throw new WrongShares()
    return 'open'
  }
  const seal = new ShamirSeal(systemRandom)
  const ceremony = new UnsealCeremony({ seal, random: systemRandom, attempt })
  const shares = (await splitKey(key, sharing)).map((share) => share.toString('base64'))
  const provide = (share: string | undefined) => ceremony.provide(share ?? '', sharing)
  return { ceremony, shares, provide, given }
}

const foreign = Buffer.from(Array.from({ length: 33 }, (_, i) => i)).toString('base64')

test('the threshold of shares opens, and progress begins anew', async () => {
  const { ceremony, shares, provide } = await startCeremony()
  expect(ceremony.progress).toEqual({ progress: 0, nonce: '' })

  expect(await provide(shares[4])).toBeUndefined()
  const { nonce } = ceremony.progress
  expect(nonce).toMatch(UUID)
  expect(await provide(Buffer.from(shares[0] ?? '', 'base64').toString('hex'))).toBeUndefined()
  expect(ceremony.progress).toEqual({ progress: 2, nonce })

  expect(await provide(shares[2])).toBe('open')
  expect(ceremony.progress).toEqual({ progress: 0, nonce: '' })
})

test('a share given twice changes nothing and is no error, in whatever coding it comes', async () => {
  const { ceremony, shares, provide } = await startCeremony()
  await provide(shares[0])
  const before = ceremony.progress
  await provide(shares[0])
  await provide(Buffer.from(shares[0] ?? '', 'base64').toString('hex'))
  expect(ceremony.progress).toEqual(before)
})

test('a share of another server shows at the end only, and then all is to be done again', async () => {
  const { ceremony, shares, provide } = await startCeremony()
  await provide(shares[0])
  await provide(foreign)
  expect(ceremony.progress.progress).toBe(2)
  await expect(provide(shares[1])).rejects.toMatchObject({
    status: 400,
    errors: [
      'unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed',
    ],
  })
  expect(ceremony.progress).toEqual({ progress: 0, nonce: '' })

  for (const share of shares.slice(0, 2)) await provide(share)
  expect(await provide(shares[2])).toBe('open')
})

test('reset forgets the shares, and the next attempt has another nonce', async () => {
  const { ceremony, shares, provide } = await startCeremony()
  await provide(shares[0])
  const { nonce } = ceremony.progress
  ceremony.reset()
  expect(ceremony.progress).toEqual({ progress: 0, nonce: '' })
  await provide(shares[0])
  expect(ceremony.progress.nonce).not.toBe(nonce)
})

test('with a threshold of one the share is the key itself', async () => {
  const { shares, provide } = await startCeremony({ shares: 1, threshold: 1 })
  expect(await provide(shares[0])).toBe('open')
})

describe('refused at once, with the progress kept', () => {
  test.each([
    [
      'a key of 32 bytes where shares have 33',
      Buffer.alloc(32, 1),
      'a key share of this server has 33 bytes',
    ],
    ['a key of 16 bytes', Buffer.alloc(16, 1), 'a key share of this server has 33 bytes'],
    ['a share with coordinate 0', Buffer.alloc(33, 0xfe).fill(0, 32), 'it is not a key share'],
    ['three bytes', Buffer.alloc(3), 'key is shorter than minimum 16 bytes'],
  ])('%s', async (_, bytes, reason) => {
    const { ceremony, shares, provide } = await startCeremony()
    await provide(shares[0])
    const before = ceremony.progress
    await expect(provide(bytes.toString('hex'))).rejects.toMatchObject({ status: 400 })
    await expect(provide(bytes.toString('base64'))).rejects.toThrow(reason)
    expect(ceremony.progress).toEqual(before)
  })
})

test('the shares are zeroed after the attempt, whether it opened or not', async () => {
  const { shares, provide, given } = await startCeremony()
  for (const share of shares.slice(0, 3)) await provide(share)
  await provide(foreign)
  await provide(shares[0])
  await expect(provide(shares[1])).rejects.toThrow(WrongShares)

  expect(given.map((some) => some.length)).toEqual([3, 3])
  for (const share of given.flat()) expect(share.every((byte) => byte === 0)).toBe(true)
})

test('shares that come while an attempt runs neither join it nor outlive its success', async () => {
  const { ceremony, shares, provide, given } = await startCeremony()
  for (const share of shares.slice(0, 2)) await provide(share)
  const opening = provide(shares[2])
  await provide(shares[3])
  expect(ceremony.progress.progress).toBe(1)

  expect(await opening).toBe('open')
  expect(given[0]).toHaveLength(3)
  expect(ceremony.progress).toEqual({ progress: 0, nonce: '' })
})

test('however many shares are sent, fewer than the threshold are kept', async () => {
  const { ceremony, provide } = await startCeremony()
  for (let i = 0; i < 500; i += 1) {
    const share = systemRandom.bytes(33)
    share[32] = 1 + (i % 255)
    await provide(share.toString('base64')).catch(() => undefined)
    expect(ceremony.progress.progress).toBeLessThan(SHARING.threshold)
  }
})
