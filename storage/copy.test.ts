import { expect, test } from 'vitest'
import { StorageRefused } from './contract.ts'
import { copyStorage, demandWhole } from './copy.ts'
import { MemoryStorage } from './memory.ts'

async function filled(count: number): Promise<MemoryStorage> {
  const storage = new MemoryStorage()
  for (const key of keysOf(count)) {
    const put = new Map([[key, Buffer.from(`value of ${key}`)]])
    await storage.commit({ expect: new Map(), put, delete: new Set() })
  }
  return storage
}

/** Folders in folders, and names that sort between a folder and what is in it. */
function keysOf(count: number): string[] {
  const shapes = [
    (i: number) => `a/b/${i}`,
    (i: number) => `a/b-${i}`,
    (i: number) => `a/b/c/${i}/x`,
    (i: number) => `top-${i}`,
    (i: number) => `ä/${i}/y/z`,
  ]
  return Array.from({ length: count }, (_, i) => shapes[i % shapes.length]?.(i) ?? '')
}

async function expectCopied(to: MemoryStorage, count: number): Promise<void> {
  for (const key of keysOf(count))
    expect((await to.get(key))?.value.toString()).toBe(`value of ${key}`)
  expect(await to.get('copy-under-way')).toBeUndefined()
  await demandWhole(to)
}

test('every record is copied, as it is', async () => {
  const [from, to] = [await filled(2_345), new MemoryStorage()]
  expect(await copyStorage(from, to)).toEqual({ records: 2_345, wentOn: false })
  await expectCopied(to, 2_345)
})

test('a run that was interrupted anywhere is gone on with, and no server starts before', async () => {
  const from = await filled(2_345)
  for (const commits of [1, 2, 4]) {
    const to = new MemoryStorage()
    const abort = new AbortController()
    let left = commits
    const onProgress = () => {
      if (--left === 0) abort.abort()
    }
    await expect(copyStorage(from, to, { onProgress, signal: abort.signal })).rejects.toThrow()
    await expect(demandWhole(to)).rejects.toThrow('is a copy that is not whole')
    const { records, wentOn } = await copyStorage(from, to)
    expect([records, wentOn]).toEqual([2_345 - commits * 500, true])
    await expectCopied(to, 2_345)
  }
})

test('with a start, what lies before it is left out', async () => {
  const [from, to] = [await filled(100), new MemoryStorage()]
  const { records } = await copyStorage(from, to, { start: 'top-' })
  expect(records).toBe(40)
})

test('a destination that holds records, half a copy as source, and a source that changes are refused', async () => {
  const [from, other] = [await filled(600), await filled(1)]
  await expect(copyStorage(from, other)).rejects.toThrow('holds the records of a server already')
  const onProgress = () => {
    const put = new Map([['a/new', Buffer.from('x')]])
    void from.commit({ expect: new Map(), put, delete: new Set() })
  }
  const to = new MemoryStorage()
  await expect(copyStorage(from, to, { onProgress })).rejects.toThrow('was written to while')
  await expect(copyStorage(to, new MemoryStorage())).rejects.toThrow(StorageRefused)
})

test('of nothing comes nothing', async () => {
  expect(await copyStorage(new MemoryStorage(), new MemoryStorage())).toEqual({
    records: 0,
    wentOn: false,
  })
})
