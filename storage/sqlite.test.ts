import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { StorageUnavailable } from './contract.ts'
import { storageSuite, write } from './contract.suite.ts'
import { openSqlite } from './sqlite.ts'

const LOCK_WAIT_MS = 50

storageSuite('sqlite', {
  async open(options) {
    const directory = mkdtempSync(join(tmpdir(), 'keyhold-storage-'))
    return {
      connect: () => openSqlite({ path: join(directory, 'keyhold.db'), ...options }),
      remove: async () => rmSync(directory, { recursive: true }),
    }
  },
})

describe('one file', () => {
  let directory: string
  let path: string
  const closers: (() => unknown)[] = []

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keyhold-storage-'))
    path = join(directory, 'data', 'keyhold.db')
  })
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
    rmSync(directory, { recursive: true })
  })

  async function open(options: { lockWaitMs?: number } = {}) {
    const storage = await openSqlite({ path, ...options })
    closers.push(() => storage.close())
    return storage
  }

  function openRaw() {
    const raw = new Database(path)
    closers.push(() => raw.close())
    return raw
  }

  test('its files are for our eyes only, and so is a directory that we make, whatever the umask', async () => {
    const umask = process.umask(0)
    closers.push(() => process.umask(umask))
    await write(await open(), { a: '1' })

    expect(readdirSync(join(directory, 'data')).toSorted()).toEqual([
      'keyhold.db',
      'keyhold.db-shm',
      'keyhold.db-wal',
    ])
    for (const file of [path, `${path}-wal`, `${path}-shm`])
      expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, 'data')).mode & 0o777).toBe(0o700)
  })

  test('after close nothing lies in the log, and the next to open finds all', async () => {
    const storage = await open()
    const revision = await write(storage, { a: '1' })
    await storage.close()
    expect(existsSync(`${path}-wal`)).toBe(false)

    const again = await open()
    expect(await again.get('a')).toEqual({ value: Buffer.from('1'), revision })
    expect(await write(again, { a: '2' })).toBe(revision + 1)
    expect(again.watch(revision).take()).toEqual([{ key: 'a', revision: revision + 1 }])
  })

  test('what is closed is unavailable', async () => {
    const storage = await open()
    const feed = storage.watch()
    await storage.close()
    await expect(storage.get('a')).rejects.toThrow(StorageUnavailable)
    await expect(storage.list('', { limit: 1 })).rejects.toThrow(StorageUnavailable)
    await expect(write(storage, { a: '1' })).rejects.toThrow(StorageUnavailable)
    expect(() => feed.take()).toThrow(StorageUnavailable)
    expect(() => storage.watch()).toThrow(StorageUnavailable)
  })

  test('a page of a million keys is one search of the tree, and a folder is skipped by another', async () => {
    await (await open()).close()
    const raw = openRaw()
    raw.exec(`
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
      INSERT INTO records SELECT printf('m/%07d', i), 1, x'00' FROM n;
      INSERT INTO records VALUES ('a', 1, x''), ('z/1', 1, x'');
    `)
    const plan = raw
      .prepare(
        'EXPLAIN QUERY PLAN SELECT key FROM records WHERE key >= ? AND key < ? ORDER BY key LIMIT ?',
      )
      .all('m/', 'm0', 3)
    expect(plan).toMatchObject([{ detail: 'SEARCH records USING PRIMARY KEY (key>? AND key<?)' }])

    const storage = await open()
    expect(await storage.list('', { limit: 99 })).toEqual(['a', 'm/', 'z/'])
    expect(await storage.list('m/', { after: '0499999', limit: 3 })).toEqual([
      '0500000',
      '0500001',
      '0500002',
    ])
    expect(await storage.list('m/', { after: '0999998', limit: 3 })).toEqual(['0999999'])
    expect(await storage.list('m/', { limit: 2_000_000 })).toHaveLength(1_000_000)
  })

  test('a lock that another program holds fails commits after a while, not reads; then all goes on', async () => {
    const storage = await open({ lockWaitMs: LOCK_WAIT_MS })
    await write(storage, { a: '1' })
    const raw = openRaw()
    raw.exec('BEGIN IMMEDIATE')

    const failed = await write(storage, { a: '2' }).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(StorageUnavailable)
    expect(failed).toMatchObject({
      outcomeUnknown: false,
      message:
        'the storage is locked by another program (a backup, a shell?); end that program (SQLITE_BUSY)',
    })
    expect((await storage.get('a'))?.value.toString()).toBe('1')
    raw.exec('ROLLBACK')
    await write(storage, { a: '3' })
  })

  test('a directory that is taken away fails commits, as they would be lost; put back, all goes on', async () => {
    const storage = await open()
    await write(storage, { a: '1' })
    renameSync(join(directory, 'data'), join(directory, 'away'))

    const failed = await write(storage, { a: '2' }).catch((error: unknown) => error)
    expect(failed).toMatchObject({
      outcomeUnknown: false,
      message: expect.stringContaining('was removed or replaced'),
    })
    renameSync(join(directory, 'away'), join(directory, 'data'))
    expect((await storage.get('a'))?.value.toString()).toBe('1')
    await write(storage, { a: '3' })
  })

  test('another file in its place is not written to', async () => {
    const storage = await open()
    await write(storage, { a: '1' })
    renameSync(join(directory, 'data'), join(directory, 'away'))
    mkdirSync(join(directory, 'data'))
    const other = await openSqlite({ path })
    await write(other, { other: '1' })

    await expect(write(storage, { a: '2' })).rejects.toThrow(StorageUnavailable)
    expect(await other.list('', { limit: 9 })).toEqual(['other'])
    await other.close()
  })

  test('processes that make, open and write one file at the same time lose nothing', async () => {
    const PROCESSES = 6
    const COMMITS = 25
    mkdirSync(join(directory, 'data'))
    const program = `
      import { openSqlite } from ${JSON.stringify(new URL('sqlite.ts', import.meta.url).href)}
      const storage = await openSqlite({ path: ${JSON.stringify(path)} })
      for (let done = 0; done < ${COMMITS}; ) {
        const stored = await storage.get('counter')
        const value = Buffer.from(String(Number(stored?.value ?? 0) + 1))
        const expect = new Map([['counter', stored?.revision ?? 0]])
        const result = await storage.commit({ expect, put: new Map([['counter', value]]), delete: new Set() })
        if ('revision' in result) done += 1
      }
      await storage.close()
    `
    const exits = Array.from({ length: PROCESSES }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
      return `${errors}${code}`
    })
    expect(await Promise.all(exits)).toEqual(Array.from({ length: PROCESSES }, () => '0'))

    const storage = await open()
    expect((await storage.get('counter'))?.value.toString()).toBe(`${PROCESSES * COMMITS}`)
    expect(storage.watch(0).take()).toHaveLength(PROCESSES * COMMITS)
  })
})
