import { expect, test } from 'vitest'
import { listNames } from './names.ts'
import { SortedKeys } from './sorted-keys.ts'

/** Counts what a listing reads. */
function counted(keys: Iterable<string>) {
  const sorted = new SortedKeys()
  for (const key of keys) sorted.add(key)
  const read = { scans: 0, keys: 0 }
  const scan = (from: string, end: string | undefined, limit: number) => {
    const found = sorted.scan(from, end, limit)
    read.scans += 1
    read.keys += found.length
    return found
  }
  return { scan, read }
}

function* numbered(count: number, name: (index: number) => string) {
  for (let index = 0; index < count; index += 1) yield name(index)
}

test('a page of a flat folder reads no more keys than it returns', () => {
  const { scan, read } = counted(numbered(50_000, (index) => `f/${index}`))
  expect(listNames(scan, 'f/', { after: '3', limit: 1000 })).toHaveLength(1000)
  expect(read.keys).toBe(1000)
  expect(read.scans).toBeLessThan(6)
})

test('a folder costs a short scan, however much lies in it', () => {
  const { scan, read } = counted(numbered(50_000, (index) => `f/${index % 5}/${index}`))
  expect(listNames(scan, 'f/', { limit: 99 })).toEqual(['0/', '1/', '2/', '3/', '4/'])
  expect(read.keys).toBeLessThan(99)
})

test('many folders with one key each are not sought one by one', () => {
  const { scan, read } = counted(numbered(10_000, (index) => `f/${index}/x`))
  expect(listNames(scan, 'f/', { limit: 20_000 })).toHaveLength(10_000)
  expect(read.keys).toBe(10_000)
  expect(read.scans).toBeLessThan(20)
})
