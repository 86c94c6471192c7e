/**
 * The SQLite file: made, opened and judged; and what SQLite's errors mean to an operator.
 *
 * Trap: POSIX locks belong to the process. Opening the database, -wal or -shm with `fs` and closing it again drops all
 * locks that SQLite holds on it, also those of another storage of this process. So nothing here opens an existing one.
 */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { StorageFull, StorageRefused, StorageUnavailable } from './contract.ts'

/** 'Khld', in the header of the file: `file` and `sqlite3` show it. */
const APPLICATION_ID = 0x4b_68_6c_64
const SCHEMA_VERSION = 1
/** Mends the WAL-reset bug: two connections at work on one file, as ours are, could damage it (since 3.7.0). */
const OLDEST_SQLITE = [3, 51, 3] as const
/** PRAGMA synchronous: 1 is NORMAL (a power cut may undo acknowledged commits), 2 is FULL. */
const FULL = 2
/**
 * Of each connection; SQLite's own default. better-sqlite3 is built with 16,000, which a busy server fills twice, on the
 * commit thread and on the main one, while commits and reads cost the same: the system has the pages in memory anyway.
 */
const PAGE_CACHE_KIB = 2_000
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

/**
 * Keys are TEXT, compared byte by byte (BINARY), so SQLite's order is the contract's. A record lies in the key's own
 * tree: a write touches one page of it. A commit's keys are one row, separated by NUL, which no key has: a row for each
 * would cost the commit thread a further insert for each.
 */
const SCHEMA = `
  CREATE TABLE records (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE changes (revision INTEGER PRIMARY KEY, keys TEXT NOT NULL);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/**
 * Makes the file if there is none, and proves that it is ours.
 *
 * @param lockWaitMs how long to wait for another process that is just opening, recovering or being killed
 * @returns a connection that may only read
 * @throws {StorageRefused} not a place for us; the message says what to do
 */
export function openFile(path: string, lockWaitMs: number): Database.Database {
  try {
    createFile(path)
    const database = connect(path, lockWaitMs)
    try {
      claim(database, path)
      database.pragma('query_only = ON')
    } catch (error) {
      database.close()
      throw error
    }
    restrict(path)
    return database
  } catch (error) {
    throw refusal(error, path)
  }
}

/** A further connection to a file that `openFile` has accepted; durable commits, no checkpoints of its own accord. */
export function connect(path: string, lockWaitMs: number): Database.Database {
  const database = new Database(path, { fileMustExist: true, timeout: lockWaitMs })
  try {
    checkVersion(String(database.prepare('SELECT sqlite_version()').pluck().get()))
    if (!isBlankOrOurs(database)) return database
    const mode = database.pragma('journal_mode = WAL', { simple: true })
    if (mode !== 'wal')
      throw new StorageRefused(`${path} is on a file system without WAL; use a local disk`)
    // better-sqlite3 is built to open WAL databases with NORMAL, which loses commits in a power cut.
    database.pragma('synchronous = FULL')
    if (database.pragma('synchronous', { simple: true }) !== FULL) {
      throw new Error('assertion failed: SQLite did not take synchronous=FULL')
    }
    database.pragma('wal_autocheckpoint = 0')
    database.pragma(`cache_size = -${PAGE_CACHE_KIB}`)
    database.pragma('trusted_schema = OFF')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** A file of somebody else is left as it is, also its journal mode. */
function isBlankOrOurs(database: Database.Database): boolean {
  const application = database.pragma('application_id', { simple: true })
  return application === APPLICATION_ID || (application === 0 && isBlank(database))
}

/** Not the size of the file: turning on WAL alone gives it a first page. */
export function isBlank(database: Database.Database): boolean {
  return database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
}

/** Writes our schema into a blank file; refuses what is not ours or newer. Others may be doing the same just now. */
function claim(database: Database.Database, path: string): void {
  demandOurs(database, path)
  if (isBlank(database)) {
    const writeSchema = database.transaction(() => {
      if (isBlank(database)) database.exec(SCHEMA)
    })
    writeSchema.immediate()
  }
  demandOurs(database, path)
}

/** @throws {StorageRefused} of another program, or of a schema that this release does not know */
export function demandOurs(database: Database.Database, path: string): void {
  if (!isBlankOrOurs(database)) {
    throw new StorageRefused(
      `${path} is a database of another program; it was not touched. Give the storage another path`,
    )
  }
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version > SCHEMA_VERSION) {
    throw new StorageRefused(
      `${path} was written by a newer release (schema ${version}, this one knows ${SCHEMA_VERSION}). ` +
        'Start that release, or restore a backup made by this one',
    )
  }
}

/** Makes an empty file that only we may read, and the last level of its directory, whatever the umask. */
function createFile(path: string): void {
  const directory = dirname(path)
  if (!existsSync(directory)) {
    if (!existsSync(dirname(directory))) {
      throw new StorageRefused(
        `the directory ${directory} does not exist; create it with: mkdir -p ${directory}`,
      )
    }
    mkdirSync(directory, { mode: DIRECTORY_MODE })
    chmodSync(directory, DIRECTORY_MODE)
  }
  if (existsSync(path)) {
    // SQLite opens what it may not write for reading, and would only fail at the first commit.
    accessSync(path, constants.W_OK)
    return
  }
  try {
    closeSync(openSync(path, 'wx', FILE_MODE))
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return
    throw error
  }
  syncDirectory(directory)
}

/** Without this a power cut may take the file itself, with every commit in it. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** SQLite gives -wal and -shm the mode of the file; those of an older time may be wider. */
function restrict(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode
    if (mode !== undefined && (mode & 0o077) !== 0) chmodSync(file, FILE_MODE)
  }
}

/** @throws {StorageRefused} it has known faults that damage files or read beyond them (CVE-2025-6965) */
export function checkVersion(version: string): void {
  const parts = version.split('.').map(Number)
  for (const [index, least] of OLDEST_SQLITE.entries()) {
    const part = parts[index] ?? 0
    if (part > least) return
    if (part < least) {
      throw new StorageRefused(
        `SQLite ${version} is too old; ${OLDEST_SQLITE.join('.')} is the oldest that is safe`,
      )
    }
  }
}

export function refusal(error: unknown, path: string): unknown {
  if (error instanceof StorageRefused) return error
  const code = errorCode(error)
  const why = REFUSALS.find(([prefix]) => code.startsWith(prefix))?.[1]
  if (why === undefined) return error
  return new StorageRefused(`${path} ${why}`, { cause: error })
}

const REFUSALS: readonly (readonly [prefix: string, why: string])[] = [
  [
    'SQLITE_NOTADB',
    'is not a database; it was not touched. Give the storage another path, or restore a backup',
  ],
  ['SQLITE_CORRUPT', 'is damaged; it was not touched. Restore a backup'],
  [
    'SQLITE_BUSY',
    'is locked by another program (a backup, a shell?); end that program and start again',
  ],
  [
    'SQLITE_READONLY',
    'cannot be written: it is read-only. Give this user write access to it and its directory',
  ],
  ['SQLITE_CANTOPEN', 'cannot be opened. Give this user write access to it and its directory'],
  ['SQLITE_FULL', 'cannot be written: the disk is full. Free space and start again'],
  ['SQLITE_IOERR', 'cannot be read or written: the disk reports an error. Check the disk'],
  ['EACCES', 'cannot be opened. Give this user write access to it and its directory'],
  ['EPERM', 'cannot be opened. Let this user own it, or give the storage another path'],
  [
    'EROFS',
    'is on a file system that is read-only. Give the storage another path, or mount it for writing',
  ],
  ['ENOSPC', 'cannot be made: the disk is full. Free space and start again'],
  ['ENOTDIR', 'lies below something that is not a directory. Give the storage another path'],
  ['EISDIR', 'is a directory. Name a file in it'],
]

/** What went wrong while serving, as it crosses from the commit thread to the main thread. */
export interface Failure {
  readonly full: boolean
  readonly message: string
  /** For the log. */
  readonly cause: string
  readonly outcomeUnknown: boolean
}

/** @param during 'commit': the COMMIT itself failed, whose frames a later recovery may or may not find whole */
export function failureOf(error: unknown, during: 'read' | 'write' | 'commit'): Failure {
  const code = errorCode(error)
  const text = FAILURES.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'the storage failed'
  return {
    full: code === 'SQLITE_FULL',
    message: code === '' ? text : `${text} (${code})`,
    cause: String(error),
    // The last frame of a commit that met a full disk was not written whole, so no recovery takes it for a commit.
    outcomeUnknown: during === 'commit' && code !== 'SQLITE_FULL',
  }
}

const FAILURES: readonly (readonly [prefix: string, text: string])[] = [
  ['SQLITE_FULL', 'the disk of the storage is full; free space, and writing goes on by itself'],
  [
    'SQLITE_BUSY',
    'the storage is locked by another program (a backup, a shell?); end that program',
  ],
  [
    'SQLITE_READONLY',
    'the storage has become read-only; make it writable again, and writing goes on by itself',
  ],
  ['SQLITE_IOERR', 'the disk of the storage reports an error; check the disk'],
  ['SQLITE_CORRUPT', 'the storage file is damaged; stop the server and restore a backup'],
  ['SQLITE_NOTADB', 'the storage file is damaged; stop the server and restore a backup'],
  ['SQLITE_CANTOPEN', 'the storage file cannot be opened; check its directory and its owner'],
  [
    'MOVED',
    'the storage file was removed or replaced; put it back, or stop the server and restore a backup',
  ],
]

export function unavailable({ full, message, cause, outcomeUnknown }: Failure): StorageUnavailable {
  return new (full ? StorageFull : StorageUnavailable)(message, { cause, outcomeUnknown })
}

/** The file is no longer where it was: what we write into it would be lost with the last process that has it open. */
export class FileMoved extends Error {
  override readonly name = 'FileMoved'
  readonly code = 'MOVED'
}

/** SQLite's or the system's code, or ''. Never its text. */
export function errorCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : systemCode(error)
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}
