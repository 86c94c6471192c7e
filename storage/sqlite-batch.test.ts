import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StorageFull } from './contract.ts'
import { SqliteBatches } from './sqlite-batch.ts'
import { connect, openFile } from './sqlite-file.ts'
import { BatchWriter } from './sqlite-message.ts'
import { openSqlite } from './sqlite.ts'
import type Database from 'better-sqlite3'

const OPTIONS = { commitsKept: 100, lockWaitMs: 20 }

let directory: string
let unmount: string | undefined
let path: string
let reader: Database.Database
let writer: Database.Database
let batches: SqliteBatches

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyhold-batch-'))
  path = join(directory, 'keyhold.db')
  reader = openFile(path, OPTIONS.lockWaitMs)
  writer = connect(path, OPTIONS.lockWaitMs)
  batches = new SqliteBatches(writer, OPTIONS)
})
afterEach(() => {
  if (unmount !== undefined) spawnSync('umount', ['--lazy', unmount])
  unmount = undefined
  batches.close()
  reader.close()
  rmSync(directory, { recursive: true })
})

/** One batch; each commit puts one key, whose bytes are `fill`. SQLite does not write what has not changed. */
function batch(puts: Readonly<Record<string, number>>, fill = 1): Buffer {
  const written = new BatchWriter()
  for (const [key, bytes] of Object.entries(puts)) {
    const put = new Map([[key, Buffer.alloc(bytes, fill)]])
    written.add({ expect: new Map(), put, delete: new Set() })
  }
  return written.take()
}

function runMegabytes(rounds: number): void {
  for (let round = 0; round < rounds; round += 1) {
    batches.run([batch({ a: 1_000_000 }, round)])
    batches.tidy({ idle: false })
  }
}

function logBytes(): number {
  return statSync(`${path}-wal`).size
}

function keys(): unknown[] {
  return reader.prepare('SELECT key FROM records ORDER BY key').pluck().all()
}

test('commits of several batches are answered in order, each with a revision of its own', () => {
  expect(batches.run([batch({ a: 1, b: 1 }), batch({ c: 1 })])).toEqual([1, 2, 3])
  expect(keys()).toEqual(['a', 'b', 'c'])
})

test('on a full disk what does not fit fails, what fits is kept, and all goes on when there is room', () => {
  batches.run([batch({ a: 10 })])
  const pages = Number(writer.pragma('page_count', { simple: true }))
  writer.pragma(`max_page_count = ${pages + 2}`)

  const answers = batches.run([batch({ b: 10, large: 100_000, c: 10 })])
  expect(answers).toMatchObject([2, { full: true, outcomeUnknown: false }, 3])
  expect(keys()).toEqual(['a', 'b', 'c'])

  writer.pragma('max_page_count = 1000000')
  expect(batches.run([batch({ large: 100_000 })])).toEqual([4])
  expect(writer.pragma('integrity_check', { simple: true })).toBe('ok')
})

test('on a disk that really is full nothing is lost, and all goes on when there is room', async ({
  skip,
}) => {
  const small = join(directory, 'small')
  mkdirSync(small)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small])
  if (mounted.status !== 0) skip('only root may mount a small disk')
  unmount = small
  const storage = await openSqlite({ path: join(small, 'keyhold.db') })
  const put = (key: string, bytes: number) =>
    storage.commit({
      expect: new Map(),
      put: new Map([[key, Buffer.alloc(bytes, 1)]]),
      delete: new Set(),
    })

  let acknowledged = 0
  let failure: unknown
  while (failure === undefined) {
    try {
      await put(`k${acknowledged}`, 10_000)
      acknowledged += 1
    } catch (error) {
      failure = error
    }
  }
  expect(failure).toBeInstanceOf(StorageFull)
  expect(failure).toMatchObject({
    outcomeUnknown: false,
    message: expect.stringContaining('free space'),
  })
  expect(acknowledged).toBeGreaterThan(5)
  expect(await storage.list('', { limit: 999 })).toHaveLength(acknowledged)

  spawnSync('mount', ['-o', 'remount,size=8m', small])
  await put('later', 10_000)
  expect(await storage.list('', { limit: 999 })).toHaveLength(acknowledged + 1)
  await storage.close()
})

test('the log does not grow without bound while commits never pause', () => {
  runMegabytes(20)
  const grown = logBytes()
  expect(grown).toBeGreaterThan(4_000_000)
  runMegabytes(60)
  expect(logBytes()).toBe(grown)
})

test('a reader that stays long lets the log grow; once it is gone the log begins anew', () => {
  batches.run([batch({ a: 1 })])
  reader.exec('BEGIN')
  keys()
  runMegabytes(20)
  const grown = logBytes()
  expect(grown).toBeGreaterThan(19_000_000)

  reader.exec('COMMIT')
  runMegabytes(40)
  expect(logBytes()).toBeLessThan(grown + 2_000_000)
})

test('behind a reader that never goes, the log is made to begin anew only now and then', () => {
  const waits = vi.spyOn(writer, 'pragma')
  batches.run([batch({ a: 1 })])
  reader.exec('BEGIN')
  keys()
  runMegabytes(160)
  reader.exec('COMMIT')

  const restarts = waits.mock.calls.filter(([pragma]) => pragma === 'busy_timeout = 100')
  expect(restarts.length).toBeGreaterThan(0)
  expect(restarts.length).toBeLessThan(6)
})

test('when idle the log is copied into the file', () => {
  batches.run([batch({ a: 1 })])
  batches.tidy({ idle: true })
  const { log, checkpointed } = Object(writer.prepare('PRAGMA wal_checkpoint(NOOP)').get())
  expect(log).toBeGreaterThan(0)
  expect(checkpointed).toBe(log)
})

test('old changes are dropped, at most as many as are kept beyond what is kept', () => {
  for (let round = 0; round < 350; round += 1) {
    batches.run([batch({ a: 1 })])
    batches.tidy({ idle: false })
  }
  const count = Number(reader.prepare('SELECT count(*) FROM changes').pluck().get())
  expect(count).toBeGreaterThanOrEqual(OPTIONS.commitsKept)
  expect(count).toBeLessThan(OPTIONS.commitsKept * 2)
})
