/**
 * Looks at a SQLite file from outside; a server may be at work on it. Nothing is made or written, but that the log of a
 * server that was killed is folded in, as by whoever closes the file last.
 */
import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { StorageRefused } from './contract.ts'
import { demandOurs, isBlank, refusal } from './sqlite-file.ts'

export interface Inspected {
  readonly isBlank: boolean
  /** Whether there is at least one. */
  readonly records: boolean
  readonly walBytes: number
  readonly sqliteVersion: string
}

/** A server holds the lock of writers for milliseconds; who has it for longer is no server at work. */
const LOCK_WAIT_MS = 2000

/** @throws {StorageRefused} it cannot be used as a storage; the message says what to do */
export function inspectFile(path: string): Inspected {
  // Before it is opened: the last one to close it may fold the log in.
  const walBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  try {
    const database = new Database(path, { fileMustExist: true, timeout: LOCK_WAIT_MS })
    try {
      const blank = isBlank(database)
      if (!blank) demandOurs(database, path)
      tryLock(database)
      const records =
        !blank && database.prepare('SELECT 1 FROM records LIMIT 1').get() !== undefined
      const sqliteVersion = String(database.prepare('SELECT sqlite_version()').pluck().get())
      return { isBlank: blank, records, walBytes, sqliteVersion }
    } finally {
      database.close()
    }
  } catch (error) {
    if (error instanceof StorageRefused) throw error
    throw refusal(error, path)
  }
}

/** Whether it could be written now. */
function tryLock(database: Database.Database): void {
  database.exec('BEGIN IMMEDIATE')
  database.exec('ROLLBACK')
}

/** Whether another process, such as a server, has the file open. @throws {StorageRefused} it cannot be opened */
export function isInUse(path: string): boolean {
  const database = new Database(path, { fileMustExist: true, timeout: 0 })
  try {
    // While anybody else has a file with a write-ahead log open, nobody gets it for himself.
    database.pragma('locking_mode = EXCLUSIVE')
    database.exec('BEGIN EXCLUSIVE')
    database.exec('ROLLBACK')
    return false
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return true
    throw refusal(error, path)
  } finally {
    database.close()
  }
}
