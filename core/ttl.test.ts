import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { grantedTtl, type TtlLimits } from './ttl.ts'

const HOUR = 3600
const LIMITS: TtlLimits = {
  ttlSeconds: 0,
  maxTtlSeconds: 0,
  explicitMaxTtlSeconds: 0,
  periodSeconds: 0,
  mountDefaultTtlSeconds: 10 * HOUR,
  mountMaxTtlSeconds: 100 * HOUR,
}

/** @param hours all spans in hours; `age`: since it was issued */
function ttl(hours: {
  ttl?: number
  max?: number
  explicit?: number
  period?: number
  asked?: number
  age?: number
}) {
  const limits = {
    ...LIMITS,
    ttlSeconds: (hours.ttl ?? 0) * HOUR,
    maxTtlSeconds: (hours.max ?? 0) * HOUR,
    explicitMaxTtlSeconds: (hours.explicit ?? 0) * HOUR,
    periodSeconds: (hours.period ?? 0) * HOUR,
  }
  const nowMs = (hours.age ?? 0) * HOUR * 1000
  const { ttlSeconds, warnings } = grantedTtl(limits, {
    incrementSeconds: (hours.asked ?? 0) * HOUR,
    issuedAtMs: 0,
    nowMs,
  })
  return { hours: ttlSeconds / HOUR, warned: warnings.length > 0 }
}

test.each([
  ['nothing said: the mount’s default', {}, 10, false],
  ['the role’s comes before the mount’s', { ttl: 5 }, 5, false],
  ['what is asked for comes before the role’s', { ttl: 5, asked: 7 }, 7, false],
  ['what is asked for ends at the mount’s maximum', { asked: 200 }, 100, true],
  ['at the role’s maximum', { asked: 20, max: 15 }, 15, true],
  ['a role’s maximum above the mount’s does not count', { asked: 200, max: 150 }, 100, true],
  ['at the explicit maximum', { asked: 20, explicit: 12, max: 15 }, 12, true],
  ['the default ends at a maximum without a warning', { max: 3 }, 3, false],
  ['a renewal counts from the issue', { asked: 20, max: 15, age: 10 }, 5, true],
  ['a period has no end', { period: 4, age: 5000 }, 4, false],
  ['a period comes before what is asked for', { period: 4, asked: 50 }, 4, false],
  ['a period ends at the mount’s maximum span', { period: 200 }, 100, true],
  ['a period ends at the explicit maximum', { period: 4, explicit: 10, age: 8 }, 2, false],
] as const)('%s', (_what, input, hours, warned) => {
  expect(ttl(input)).toEqual({ hours, warned })
})

describe('within the last second and past the maximum nothing is granted, and never 0', () => {
  test.each([1500, 1001, 1000, 999, 500, 1, 0, -1, -5000])('%d ms before it', (leftMs) => {
    const asked = { incrementSeconds: 60, issuedAtMs: 0, nowMs: 100 * HOUR * 1000 - leftMs }
    if (leftMs >= 1000) expect(grantedTtl(LIMITS, asked).ttlSeconds).toBe(1)
    else expect(() => grantedTtl(LIMITS, asked)).toThrow('past the max TTL')
  })
})

test('it is always a whole second at the least, and never passes a maximum', () => {
  const seconds = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000_000 }))
  const input = fc.record({
    ttlSeconds: seconds,
    maxTtlSeconds: seconds,
    explicitMaxTtlSeconds: seconds,
    periodSeconds: seconds,
    mountDefaultTtlSeconds: fc.integer({ min: 1, max: 1_000_000 }),
    mountMaxTtlSeconds: fc.integer({ min: 1, max: 1_000_000 }),
    incrementSeconds: seconds,
    ageMs: fc.integer({ min: -1_000_000, max: 2_000_000_000 }),
  })
  fc.assert(
    fc.property(input, ({ incrementSeconds, ageMs, ...limits }) => {
      const issuedAtMs = 1_700_000_000_000
      const nowMs = issuedAtMs + ageMs
      let granted: number
      try {
        granted = grantedTtl(limits, { incrementSeconds, issuedAtMs, nowMs }).ttlSeconds
      } catch {
        return
      }
      const endMs = nowMs + granted * 1000
      const {
        explicitMaxTtlSeconds: explicit,
        maxTtlSeconds: max,
        mountMaxTtlSeconds: mountMax,
      } = limits
      expect(Number.isInteger(granted) && granted >= 1).toBe(true)
      if (explicit > 0) expect(endMs).toBeLessThanOrEqual(issuedAtMs + explicit * 1000)
      if (limits.periodSeconds > 0) {
        expect(granted).toBeLessThanOrEqual(mountMax)
      } else {
        expect(endMs).toBeLessThanOrEqual(issuedAtMs + mountMax * 1000)
        if (max > 0) expect(endMs).toBeLessThanOrEqual(issuedAtMs + max * 1000)
      }
    }),
    { numRuns: 5000 },
  )
})
