import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { StorageUnavailable } from './contract.ts'
import { CommitThread, startCommitter } from './sqlite-commits.ts'
import { openFile } from './sqlite-file.ts'
import type { Worker } from 'node:worker_threads'

const LOCK_WAIT_MS = 60_000

function startThread() {
  const directory = mkdtempSync(join(tmpdir(), 'keyhold-commits-'))
  const path = join(directory, 'keyhold.db')
  const reader = openFile(path, LOCK_WAIT_MS)
  const workers: Worker[] = []
  const commits = new CommitThread(() => {
    const worker = startCommitter({ path, commitsKept: 100, lockWaitMs: LOCK_WAIT_MS })
    workers.push(worker)
    return worker
  })
  onTestFinished(async () => {
    await commits.close()
    reader.close()
    rmSync(directory, { recursive: true })
  })
  const put = (key: string) =>
    commits.commit({
      expect: new Map(),
      put: new Map([[key, Buffer.from('1')]]),
      delete: new Set(),
    })
  return { path, commits, workers, reader, put }
}

test('when the thread dies, what it had has an unknown outcome, and the next commit starts another', async () => {
  const { path, workers, put, reader } = startThread()
  await put('before')
  const blocker = new Database(path)
  blocker.exec('BEGIN IMMEDIATE')
  const waiting = [put('a'), put('b')].map((commit) => commit.catch((error: unknown) => error))
  await new Promise(setImmediate)

  await workers[0]?.terminate()
  for (const failed of await Promise.all(waiting)) {
    expect(failed).toBeInstanceOf(StorageUnavailable)
    expect(failed).toMatchObject({ outcomeUnknown: true })
  }
  blocker.close()

  expect(await put('after')).toEqual({ revision: 2 })
  expect(workers).toHaveLength(2)
  expect(reader.prepare('SELECT key FROM records ORDER BY key').pluck().all()).toEqual([
    'after',
    'before',
  ])
})

test('commits of one turn reach the thread as one message', async () => {
  const { workers, put } = startThread()
  await put('before')
  let answers = 0
  workers[0]?.on('message', () => (answers += 1))
  await Promise.all(Array.from({ length: 100 }, (_, index) => put(`k${index}`)))
  expect(answers).toBe(1)
})

test('close answers what was committed in the same turn, and joins the thread', async () => {
  const { commits, workers, put } = startThread()
  const exited = once(workers[0] ?? process, 'exit')
  const committed = put('a')
  await commits.close()
  expect(await committed).toEqual({ revision: 1 })
  expect(await exited).toEqual([0])
})

test('young objects of the thread take at most 6 MB, not the 128 of the main one', () => {
  const { workers } = startThread()
  expect(workers[0]?.resourceLimits).toMatchObject({ maxYoungGenerationSizeMb: 6 })
})
