import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { StorageRefused } from './contract.ts'
import { checkVersion, connect, failureOf, openFile } from './sqlite-file.ts'

const LOCK_WAIT_MS = 20

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyhold-file-'))
  path = join(directory, 'keyhold.db')
})
afterEach(() => rmSync(directory, { recursive: true }))

function refusal(file = path): string {
  try {
    openFile(file, LOCK_WAIT_MS).close()
  } catch (error) {
    expect(error).toBeInstanceOf(StorageRefused)
    return error instanceof Error ? error.message : ''
  }
  return 'opened'
}

test('every connection is WAL with synchronous=FULL and leaves checkpoints to us', () => {
  for (const database of [openFile(path, LOCK_WAIT_MS), connect(path, LOCK_WAIT_MS)]) {
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(database.pragma('synchronous', { simple: true })).toBe(2)
    expect(database.pragma('wal_autocheckpoint', { simple: true })).toBe(0)
    database.close()
  }
})

test('a connection keeps at most 2 MB of pages, and not the 16 MB of better-sqlite3', () => {
  for (const database of [openFile(path, LOCK_WAIT_MS), connect(path, LOCK_WAIT_MS)]) {
    expect(database.pragma('cache_size', { simple: true })).toBe(-2000)
    database.close()
  }
})

test('the connection that opened the file only reads', () => {
  const database = openFile(path, LOCK_WAIT_MS)
  expect(() => database.exec("INSERT INTO changes VALUES (1, 'a')")).toThrow('readonly')
  database.close()
})

test('a file of wider mode, from an older time, becomes ours alone', () => {
  openFile(path, LOCK_WAIT_MS).close()
  chmodSync(path, 0o644)
  const database = openFile(path, LOCK_WAIT_MS)
  expect(spawnSync('stat', ['-c', '%a', path]).stdout.toString().trim()).toBe('600')
  database.close()
})

test('a database of another program is refused and left as it was', () => {
  const other = new Database(path)
  other.exec('CREATE TABLE theirs (a)')
  other.close()
  const before = readFileSync(path)

  expect(refusal()).toBe(
    `${path} is a database of another program; it was not touched. Give the storage another path`,
  )
  expect(readFileSync(path)).toEqual(before)
})

test('a database of another application without tables is refused as well', () => {
  const other = new Database(path)
  other.pragma('application_id = 7')
  other.close()
  expect(refusal()).toContain('is a database of another program')
})

test('what is no database is refused and left as it was', () => {
  writeFileSync(path, 'a letter to somebody\n'.repeat(300))
  expect(refusal()).toContain('is not a database; it was not touched')
  expect(readFileSync(path, 'utf8')).toContain('a letter to somebody')
})

test('a file of a newer release names both schemas', () => {
  openFile(path, LOCK_WAIT_MS).close()
  const newer = new Database(path)
  newer.pragma('user_version = 2')
  newer.close()
  expect(refusal()).toBe(
    `${path} was written by a newer release (schema 2, this one knows 1). ` +
      'Start that release, or restore a backup made by this one',
  )
})

test('a missing directory is made; a missing one above it is not, and the message has the command', () => {
  expect(refusal(join(directory, 'one', 'keyhold.db'))).toBe('opened')
  const far = join(directory, 'two', 'three')
  expect(refusal(join(far, 'keyhold.db'))).toBe(
    `the directory ${far} does not exist; create it with: mkdir -p ${far}`,
  )
})

test('a path that is a directory, or lies below a file', () => {
  mkdirSync(path)
  expect(refusal()).toContain('cannot be opened')
  writeFileSync(join(directory, 'file'), '')
  expect(refusal(join(directory, 'file', 'keyhold.db'))).toContain('is not a directory')
})

test('a file that another program holds for itself', () => {
  openFile(path, LOCK_WAIT_MS).close()
  const other = new Database(path)
  other.pragma('locking_mode = EXCLUSIVE')
  other.exec("INSERT INTO changes VALUES (1, 'a')")

  expect(refusal()).toContain('is locked by another program (a backup, a shell?); end that program')
  other.close()
  expect(refusal()).toBe('opened')
})

test('a file that may not be written', ({ skip }) => {
  openFile(path, LOCK_WAIT_MS).close()
  if (process.getuid?.() === 0) {
    // Modes do not bind root; a mount that is read-only does.
    const mounted = spawnSync('sh', [
      '-c',
      'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"',
      directory,
    ])
    onTestFinished(() => void spawnSync('umount', [directory]))
    if (mounted.status !== 0) skip('root may not mount here')
    expect(refusal()).toContain('read-only')
    expect(refusal(join(directory, 'new.db'))).toContain('read-only')
    spawnSync('umount', [directory])
  } else {
    chmodSync(path, 0o400)
    expect(refusal()).toContain('Give this user write access')
  }
})

test('a commit that failed on the disk may have happened; one that found it full has not', () => {
  const ioError = new Database.SqliteError('disk I/O error', 'SQLITE_IOERR_FSYNC')
  const full = new Database.SqliteError('database or disk is full', 'SQLITE_FULL')
  expect(failureOf(ioError, 'commit')).toMatchObject({ full: false, outcomeUnknown: true })
  expect(failureOf(ioError, 'write')).toMatchObject({ full: false, outcomeUnknown: false })
  expect(failureOf(full, 'commit')).toMatchObject({ full: true, outcomeUnknown: false })
})

test('CVE-2025-6965: an SQLite with known faults is refused, and what comes after is not', () => {
  for (const safe of ['3.51.3', '3.51.10', '3.52.0', '4.0.0']) {
    expect(() => checkVersion(safe)).not.toThrow()
  }
  for (const faulty of ['3.50.1', '3.51.2', '2.99.99', '3.51', '']) {
    expect(() => checkVersion(faulty)).toThrow(StorageRefused)
  }
})
