/**
 * Storage on one SQLite file, for one machine and any number of its processes.
 *
 * Keeps    `contract.ts`, proven by `contract.suite.ts`.
 * Durable  WAL, synchronous=FULL: `commit` resolves after the fsync that covers it.
 * Order    revisions rise by one a commit, across processes (BEGIN IMMEDIATE).
 * Fast     reads on the calling thread's own connection (the page cache answers: a thread would cost more than the read);
 *          commits on a thread of their own, where all that wait share one transaction and one fsync.
 * Exact    a feed looks at the file's data version (under a microsecond), so what any process has committed is seen.
 * Limits   those of the contract; the last 100,000 commits are kept for feeds, older ones are 'lost'.
 * Files    PATH, PATH-wal and PATH-shm, mode 0600; a directory that we make is 0700.
 * Fails    StorageRefused at opening; later StorageFull, and StorageUnavailable when locked (5 s), read-only, moved or
 *          broken. Never half a commit, and it serves again when the cause is gone.
 *
 * Several processes share the file on purpose, so nothing locks it for one server. A network file system is no place
 * for it: WAL needs shared memory.
 */
import { StorageLimit } from './contract.ts'
import { CommitThread, startCommitter } from './sqlite-commits.ts'
import { SqliteFeeds } from './sqlite-feed.ts'
import { failureOf, openFile, unavailable } from './sqlite-file.ts'
import { checkKey } from './limits.ts'
import { listNames } from './names.ts'
import type Database from 'better-sqlite3'
import type { Commit, CommitResult, Feed, ListOptions, Storage, Stored } from './contract.ts'
import type { Scan } from './names.ts'

/** Commits that a feed may be behind; some 20 MB. A node that misses more does better to start with empty caches. */
const COMMITS_KEPT = 100_000
/** How long opening, and each commit, waits for the lock of another process. */
const LOCK_WAIT_MS = 5_000
/** How long a read waits, on the main thread, for a lock that only opening and recovery take. */
const READ_WAIT_MS = 100

/** Text is never above a blob, which is so an end of all keys. */
const END_OF_KEYS = Buffer.alloc(0)

export interface SqliteOptions {
  readonly path: string
  /** Commits that a feed may be behind before it gets 'lost'; default 100,000. */
  readonly commitsKept?: number
  /** How long opening, and each commit, waits for the lock of another process; default 5,000. */
  readonly lockWaitMs?: number
}

/**
 * Opens the file, or makes it.
 *
 * @throws {StorageRefused} not ours, newer, damaged, locked, not to be written; the message says what to do
 */
export async function openSqlite(options: SqliteOptions): Promise<SqliteStorage> {
  const { path, commitsKept = COMMITS_KEPT, lockWaitMs = LOCK_WAIT_MS } = options
  const database = openFile(path, lockWaitMs)
  const commits = new CommitThread(() => startCommitter({ path, commitsKept, lockWaitMs }))
  return new SqliteStorage(database, commits)
}

export class SqliteStorage implements Storage {
  readonly #database: Database.Database
  readonly #commits: CommitThread
  readonly #feeds: SqliteFeeds
  readonly #get: Database.Statement<[string], Stored>
  readonly #scan: Scan

  /** Owns both from now on. */
  constructor(database: Database.Database, commits: CommitThread) {
    database.pragma(`busy_timeout = ${READ_WAIT_MS}`)
    this.#database = database
    this.#commits = commits
    this.#feeds = new SqliteFeeds(database)
    this.#get = database.prepare('SELECT value, revision FROM records WHERE key = ?')
    const scan = database
      .prepare<[string, string | Buffer, number], string>(
        'SELECT key FROM records WHERE key >= ? AND key < ? ORDER BY key LIMIT ?',
      )
      .pluck()
    this.#scan = (from, end, limit) => scan.all(from, end ?? END_OF_KEYS, limit)
  }

  /** hot: each read that no cache answers. */
  async get(key: string): Promise<Stored | undefined> {
    checkKey(key)
    return this.#read(() => this.#get.get(key))
  }

  async list(prefix: string, options: ListOptions): Promise<string[]> {
    return this.#read(() => listNames(this.#scan, prefix, options))
  }

  commit(change: Commit): Promise<CommitResult> {
    return this.#commits.commit(change)
  }

  watch(since?: number): Feed {
    return this.#feeds.watch(since)
  }

  async close(): Promise<void> {
    await this.#commits.close()
    this.#database.close()
  }

  #read<Result>(read: () => Result): Result {
    try {
      return read()
    } catch (error) {
      if (error instanceof StorageLimit) throw error
      throw unavailable(failureOf(error, 'read'))
    }
  }
}
