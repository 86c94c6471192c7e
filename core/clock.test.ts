import { expect, test } from 'vitest'
import { rfc3339 } from './clock.ts'

test.each([
  [0, '1970-01-01T00:00:00Z'],
  [1, '1970-01-01T00:00:00.001Z'],
  [120, '1970-01-01T00:00:00.12Z'],
  [100, '1970-01-01T00:00:00.1Z'],
  [-1, '1969-12-31T23:59:59.999Z'],
  [-1000, '1969-12-31T23:59:59Z'],
  [1_767_225_600_010.9, '2026-01-01T00:00:00.01Z'],
])('%d ms are %s', (ms, text) => {
  expect(rfc3339(ms)).toBe(text)
})

test('seconds that share a place among the kept texts are not mixed up', () => {
  const texts = [0, 256, 512, 0, -256].map((second) => rfc3339(second * 1000))
  expect(texts).toEqual(
    [0, 256, 512, 0, -256].map((second) =>
      new Date(second * 1000).toISOString().replace('.000', ''),
    ),
  )
})
