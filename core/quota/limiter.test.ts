import { expect, test } from 'vitest'
import { RateLimiter } from './limiter.ts'
import type { RateLimit } from './record.ts'

const RULE: RateLimit = {
  name: 'q',
  namespaceId: 'root',
  mountUuid: '',
  suffix: '',
  role: '',
  rate: 3,
  intervalSeconds: 10,
  blockSeconds: 0,
  inheritable: true,
}

const allowed = (limiter: RateLimiter, rule: RateLimit, atMs: number, client = 'a') =>
  limiter.take(rule, client, atMs).allowed

test('a client has so many requests in each interval, counted from its first one', () => {
  const limiter = new RateLimiter()
  const at = (seconds: number) => allowed(limiter, RULE, seconds * 1000)
  expect([5, 6, 14, 14.9].map(at)).toEqual([true, true, true, false])
  expect([15, 15, 15, 24.9, 25].map(at)).toEqual([true, true, true, false, true])
})

test('what is left, and when there is more, is told', () => {
  const limiter = new RateLimiter()
  expect(limiter.take(RULE, 'a', 0)).toEqual({
    allowed: true,
    limit: 3,
    remaining: 2,
    resetSeconds: 10,
    retryAfterSeconds: 10,
  })
  limiter.take(RULE, 'a', 0)
  limiter.take(RULE, 'a', 0)
  expect(limiter.take(RULE, 'a', 3500)).toMatchObject({
    allowed: false,
    remaining: 0,
    resetSeconds: 7,
    retryAfterSeconds: 7,
  })
})

test('clients, and limits, count each for itself', () => {
  const limiter = new RateLimiter()
  const one = { ...RULE, rate: 1 }
  expect(allowed(limiter, one, 0, 'a')).toBe(true)
  expect(allowed(limiter, one, 0, 'b')).toBe(true)
  expect(allowed(limiter, { ...one, name: 'other' }, 0, 'a')).toBe(true)
  expect(allowed(limiter, one, 0, 'a')).toBe(false)
})

test('the same limit read again goes on; with another rate it begins anew', () => {
  const limiter = new RateLimiter()
  const one = { ...RULE, rate: 1 }
  allowed(limiter, one, 0)
  expect(allowed(limiter, { ...one }, 0)).toBe(false)
  expect(allowed(limiter, { ...one, rate: 2 }, 0)).toBe(true)
})

test('a blocked client is refused until its time is over, whatever the interval', () => {
  const limiter = new RateLimiter()
  const rule = { ...RULE, rate: 1, intervalSeconds: 1, blockSeconds: 60 }
  const at = (seconds: number) => limiter.take(rule, 'a', seconds * 1000)
  expect(at(0).allowed).toBe(true)
  expect(at(0.5)).toMatchObject({ allowed: false, retryAfterSeconds: 60 })
  expect(at(30)).toMatchObject({ allowed: false, retryAfterSeconds: 31 })
  expect(at(60.4).allowed).toBe(false)
  expect(at(60.5).allowed).toBe(true)
})

test.each([
  [0.1, 1],
  [0.9, 1],
  [1.4, 1],
  [1.5, 2],
  [1000.5, 1001],
])('a rate of %d is %d requests', (rate, limit) => {
  expect(new RateLimiter().take({ ...RULE, rate }, 'a', 0).limit).toBe(limit)
})

test('memory stays bounded under a flood of addresses', () => {
  const limiter = new RateLimiter()
  for (let i = 0; i < 300_000; i++) limiter.take(RULE, `10.0.${i >> 8}.${i & 255}`, i)
  expect(limiter.size).toBeLessThanOrEqual(65_536)
  expect(limiter.size).toBeGreaterThan(10_000)
})
