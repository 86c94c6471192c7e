import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BatchReader, BatchWriter } from './sqlite-message.ts'
import type { Commit } from './contract.ts'

const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const value = fc.uint8Array({ maxLength: 40_000 }).map((bytes) => Buffer.from(bytes))
const commit = fc.record({
  expect: fc.array(fc.tuple(key, fc.nat(2 ** 31))).map((entries) => new Map(entries)),
  put: fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => new Map(entries)),
  delete: fc.array(key).map((keys) => new Set(keys)),
})

function readAll(bytes: Buffer): Commit[] {
  const commits: Commit[] = []
  const reader = new BatchReader(bytes)
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    const read = {
      expect: new Map<string, number>(),
      put: new Map<string, Buffer>(),
      delete: new Set<string>(),
    }
    for (let left = next.expected; left > 0; left -= 1) read.expect.set(next.key(), next.revision())
    for (let left = next.puts; left > 0; left -= 1) read.put.set(next.key(), next.value())
    for (let left = next.deletes; left > 0; left -= 1) read.delete.add(next.key())
    commits.push(read)
  }
  return commits
}

test('what one thread writes the other reads, batch after batch', () => {
  fc.assert(
    fc.property(fc.array(fc.array(commit, { maxLength: 5 }), { maxLength: 4 }), (batches) => {
      const writer = new BatchWriter()
      for (const commits of batches) {
        for (const change of commits) writer.add(change)
        expect(writer.count).toBe(commits.length)
        expect(readAll(writer.take())).toEqual(commits)
      }
    }),
  )
})

test('a commit that is not read to its end is skipped whole, and may be read again', () => {
  const writer = new BatchWriter()
  for (const name of ['a', 'b']) {
    writer.add({
      expect: new Map([[name, 5]]),
      put: new Map([[name, Buffer.from(name)]]),
      delete: new Set(),
    })
  }
  const reader = new BatchReader(writer.take())
  const first = reader.next()
  expect(first?.key()).toBe('a')
  expect(reader.next()?.key()).toBe('b')
  expect(reader.next()).toBeUndefined()
  first?.rewind()
  expect(first?.key()).toBe('a')
  expect(first?.revision()).toBe(5)
})
