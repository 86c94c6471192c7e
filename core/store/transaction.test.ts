import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { MAX_VALUE_BYTES } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { kind } from './kind.ts'
import { numbers, plainStore } from './plain.fixture.ts'
import type { Store } from './store.ts'
import { Transaction } from './transaction.ts'

/** Two nodes over one storage, holding these numbers. */
async function twoNodes(content: Readonly<Record<string, number>> = {}) {
  const storage = new MemoryStorage()
  const put = new Map(
    Object.entries(content).map(([key, value]) => [key, Buffer.from(numbers.encode(value))]),
  )
  if (put.size > 0) await storage.commit({ expect: new Map(), put, delete: new Set() })
  return { storage, here: plainStore(storage), there: plainStore(storage) }
}

/** As a request does it. */
function begin(store: Store): Transaction {
  store.cache.refresh()
  return new Transaction(store)
}

async function write(store: Store, values: Readonly<Record<string, number | undefined>>) {
  const transaction = begin(store)
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) transaction.delete(key)
    else transaction.put(numbers, key, value)
  }
  expect(await transaction.commit()).toBeUndefined()
}

async function value(store: Store, key: string): Promise<number | undefined> {
  return begin(store).get(numbers, key)
}

describe('a commit', () => {
  test('is refused where something that was read has changed since, on another node', async () => {
    const { here, there } = await twoNodes({ a: 1 })
    const late = begin(here)
    await late.get(numbers, 'a')
    await write(there, { a: 2 })
    late.put(numbers, 'b', 1)
    expect(await late.commit()).toEqual({ conflict: 'a' })
    expect(await value(here, 'b')).toBeUndefined()
    expect(await value(here, 'a')).toBe(2)
  })

  test('is refused where something that was absent has been made since', async () => {
    const { here, there } = await twoNodes()
    const late = begin(here)
    expect(await late.get(numbers, 'a')).toBeUndefined()
    await write(there, { a: 2 })
    late.put(numbers, 'a', 1)
    expect(await late.commit()).toEqual({ conflict: 'a' })
  })

  test('is refused where something that was deleted has been read', async () => {
    const { here, there } = await twoNodes({ a: 1 })
    const late = begin(here)
    await late.get(numbers, 'a')
    await write(there, { a: undefined })
    late.put(numbers, 'b', 1)
    expect(await late.commit()).toEqual({ conflict: 'a' })
  })

  test('does not mind changes of what it did not read', async () => {
    const { here, there } = await twoNodes({ a: 1 })
    const late = begin(here)
    late.put(numbers, 'b', 1)
    await write(there, { a: 2, b: 7 })
    expect(await late.commit()).toBeUndefined()
    expect(await value(there, 'b')).toBe(1)
  })

  test('is seen by the next transaction of either node', async () => {
    const { here, there } = await twoNodes({ a: 1 })
    expect([await value(here, 'a'), await value(there, 'a')]).toEqual([1, 1])
    await write(here, { a: 2 })
    expect([await value(here, 'a'), await value(there, 'a')]).toEqual([2, 2])
    await write(there, { a: undefined })
    expect([await value(here, 'a'), await value(there, 'a')]).toEqual([undefined, undefined])
  })

  test('holds to what was adopted, though it reads the same record anew', async () => {
    const { here, there } = await twoNodes({ policy: 1 })
    const first = begin(here)
    await first.get(numbers, 'policy')
    const late = begin(here)
    expect(late.adopt(first.reads())).toBe(true)
    await write(there, { policy: 2 })
    here.cache.refresh()
    expect(await late.get(numbers, 'policy')).toBe(2)
    late.put(numbers, 'b', 1)
    expect(await late.commit()).toEqual({ conflict: 'policy' })
  })

  test('nothing that changed can be adopted', async () => {
    const { here, there } = await twoNodes({ a: 1 })
    const first = begin(here)
    await first.get(numbers, 'a')
    await first.get(numbers, 'absent')
    expect(begin(here).adopt(first.reads())).toBe(true)
    await write(there, { absent: 1 })
    expect(begin(here).adopt(first.reads())).toBe(false)
  })
})

describe('a transaction that only reads', () => {
  test('is refused if it saw a half of somebody’s change', async () => {
    const { here, there } = await twoNodes({ a: 1, b: 1 })
    await value(here, 'b')
    const reader = begin(here)
    expect(await reader.get(numbers, 'a')).toBe(1)
    await write(there, { a: 2, b: 2 })
    here.cache.refresh()
    expect(await reader.get(numbers, 'b')).toBe(2)
    expect(await reader.commit()).toEqual({ conflict: '' })
  })

  test('is refused also where the change is of its own node, and the feed has not brought it yet', async () => {
    const { here } = await twoNodes({ a: 1, b: 1 })
    await value(here, 'a')
    await value(here, 'b')
    const reader = begin(here)
    expect(await reader.get(numbers, 'a')).toBe(1)
    const writer = new Transaction(here)
    writer.put(numbers, 'a', 2)
    writer.put(numbers, 'b', 2)
    await writer.commit()
    expect(await reader.get(numbers, 'b')).toBe(2)
    expect(await reader.commit()).toEqual({ conflict: '' })
  })

  test('of one record cannot be inconsistent', async () => {
    const { here, there } = await twoNodes({ a: 1 })
    const reader = begin(here)
    expect(await reader.get(numbers, 'a')).toBe(1)
    await write(there, { a: 2 })
    expect(await reader.commit()).toBeUndefined()
  })

  test('is refused rather than trusted when more has changed than is remembered', async () => {
    const { here, there } = await twoNodes({ a: 1, b: 1 })
    const reader = begin(here)
    await reader.get(numbers, 'a')
    await reader.get(numbers, 'b')
    for (let i = 0; i < 5000; i += 500) {
      const names = Array.from({ length: 500 }, (_, n) => [`x${i + n}`, n] as const)
      await write(there, Object.fromEntries(names))
    }
    expect(await reader.commit()).toEqual({ conflict: '' })
  })
})

describe('its own writes', () => {
  test('are what it reads', async () => {
    const { here } = await twoNodes({ a: 1 })
    const transaction = begin(here)
    transaction.put(numbers, 'a', 2)
    transaction.put(numbers, 'b', 3)
    expect(await transaction.get(numbers, 'a')).toBe(2)
    expect(await transaction.get(numbers, 'b')).toBe(3)
    transaction.delete('a')
    expect(await transaction.get(numbers, 'a')).toBeUndefined()
    expect(await value(here, 'a')).toBe(1)
  })

  test('that came after the mark are dropped by a rollback, and only those', async () => {
    const { here } = await twoNodes({ a: 1, b: 1 })
    const transaction = begin(here)
    transaction.put(numbers, 'a', 2)
    transaction.mark()
    transaction.put(numbers, 'a', 3)
    transaction.delete('b')
    transaction.put(numbers, 'c', 3)
    transaction.rollback()
    expect(await transaction.commit()).toBeUndefined()
    expect([await value(here, 'a'), await value(here, 'b'), await value(here, 'c')]).toEqual([
      2,
      1,
      undefined,
    ])
  })

  test('are all dropped by a rollback where nothing was marked', async () => {
    const { here } = await twoNodes({ a: 1 })
    const transaction = begin(here)
    transaction.put(numbers, 'a', 2)
    transaction.rollback()
    expect(transaction.writes).toBe(false)
  })

  test('are in its listings, in the order of the storage', async () => {
    const { here } = await twoNodes({ 'f/a': 1, 'f/b': 1, 'f/d/x': 1, 'f/e': 1 })
    const transaction = begin(here)
    transaction.delete('f/a')
    transaction.put(numbers, 'f/c', 1)
    transaction.put(numbers, 'f/new/deep/er', 1)
    transaction.put(numbers, 'f/\u{1f600}', 1)
    transaction.put(numbers, 'f/\uffee', 1)
    transaction.put(numbers, 'other/z', 1)
    const all = ['b', 'c', 'd/', 'e', 'new/', '\uffee', '\u{1f600}']
    expect(await transaction.list('f/')).toEqual(all)
    expect(await transaction.list('f/', { after: 'b', limit: 2 })).toEqual(['c', 'd/'])
    expect(await transaction.list('f/', { after: '\uffee' })).toEqual(['\u{1f600}'])
    expect(await transaction.commit()).toBeUndefined()
    expect(await begin(here).list('f/')).toEqual(all)
  })

  test('fill a page of a listing though names before were deleted', async () => {
    const { here } = await twoNodes({ 'f/a': 1, 'f/b': 1, 'f/c': 1, 'f/d': 1 })
    const transaction = begin(here)
    transaction.delete('f/a')
    transaction.delete('f/b')
    expect(await transaction.list('f/', { limit: 2 })).toEqual(['c', 'd'])
  })
})

test('what was put cannot be changed behind the transaction’s back', async () => {
  const { here } = await twoNodes()
  const objects = kind('object', z.object({ list: z.array(z.string()) }))
  const record = { list: ['a'] }
  const transaction = begin(here)
  transaction.put(objects, 'o', record)
  expect(() => record.list.push('b')).toThrow(TypeError)
  await transaction.commit()
  const read = await begin(here).get(objects, 'o')
  expect(() => read?.list.push('b')).toThrow(TypeError)
})

test('what was written is read from the cache next time, but for an index, which few ever read', async () => {
  const { here } = await twoNodes()
  const index = kind('index', z.number(), { keptWhenWritten: false })
  for (const written of [1, 2]) {
    const transaction = begin(here)
    transaction.put(numbers, 'a', written)
    transaction.put(index, 'i', written)
    await transaction.commit()

    expect(here.cache.get('a')).toMatchObject({ value: written })
    expect(here.cache.get('i')).toBeUndefined()
    expect(await begin(here).get(index, 'i')).toBe(written)
  }
})

test('a value that no storage could hold is refused with its limit, before the commit', async () => {
  const { here } = await twoNodes()
  const texts = kind('text', z.string())
  const transaction = begin(here)
  const refusal = expect.objectContaining({ status: 413 })
  expect(() => transaction.put(texts, 't', 'x'.repeat(MAX_VALUE_BYTES))).toThrow(refusal)
  expect(() => transaction.put(texts, 't', 'é'.repeat(MAX_VALUE_BYTES / 2))).toThrow(refusal)
  transaction.put(texts, 't', 'x'.repeat(MAX_VALUE_BYTES - 100))
  expect(await transaction.commit()).toBeUndefined()
})

test('a path longer than any storage’s keys is the client’s mistake', async () => {
  const { here } = await twoNodes()
  expect(() => begin(here).put(numbers, 'é'.repeat(600), 1)).toThrow(
    expect.objectContaining({ status: 400 }),
  )
})

test('a feed that lost changes empties the cache, and no transaction under way is trusted', async () => {
  const storage = new MemoryStorage({ commitsKept: 2 })
  const [here, there] = [plainStore(storage), plainStore(storage)]
  await write(here, { a: 1, b: 1 })
  const reader = begin(here)
  expect(await reader.get(numbers, 'a')).toBe(1)
  for (let i = 2; i < 20; i++) await write(there, { a: i, b: i })
  here.cache.refresh()
  expect(here.cache.get('a')).toBeUndefined()
  expect(await reader.get(numbers, 'b')).toBe(19)
  expect(await reader.commit()).toEqual({ conflict: '' })
})
