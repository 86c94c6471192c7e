import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Generations } from './generations.ts'

const one = () => 1

test('what is in use stays, what is not goes', () => {
  const cache = new Generations<number>(20)
  cache.set('used', 1, 1)
  cache.set('unused', 1, 1)
  for (let i = 0; i < 100; i++) {
    cache.set(`other ${i}`, i, 1)
    expect(cache.get('used', one)).toBe(1)
  }
  expect(cache.get('unused', one)).toBeUndefined()
})

test('it gives what was set last, or nothing, and never more than there is room for', () => {
  const steps = fc.array(
    fc.record({ do: fc.constantFrom('set', 'get', 'delete'), key: fc.nat(15), cost: fc.nat(5) }),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const cache = new Generations<{ n: number; cost: number }>(20)
      const model = new Map<string, { n: number; cost: number }>()
      all.forEach(({ do: what, key: number, cost }, n) => {
        const key = String(number)
        if (what === 'set') {
          const value = { n, cost }
          model.set(key, value)
          cache.set(key, value, cost)
        } else if (what === 'delete') {
          model.delete(key)
          cache.delete(key)
        }
        const found = cache.get(key, (value) => value.cost)
        if (found !== undefined) expect(found).toBe(model.get(key))
        if (what === 'set') expect(found).toBe(model.get(key))
      })
      const keys = Array.from({ length: 16 }, (_, key) => String(key))
      const held = keys.flatMap((key) => cache.get(key, () => 0) ?? [])
      expect(held.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(20 + 2 * 5)
    }),
  )
})
