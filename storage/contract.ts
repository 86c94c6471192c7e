/**
 * The contract of every storage: five verbs over ordered keys. The barrier, transactions, caches and leases stand on
 * these and know no other. `contract.suite.ts` proves an implementation.
 *
 * Keys are strings of 1 to 1,024 bytes of UTF-8 without NUL and without lone surrogates, segments separated by '/', the
 * last one not empty. Their order is that of their UTF-8 bytes. Values are opaque bytes (ciphertext), up to 4 MiB. What
 * is given or got is the caller's: a storage copies values before `commit` returns its promise.
 */

/** Longest key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024
/** Largest value, in bytes. */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024
/** Most puts and deletes that one commit may carry. */
export const MAX_CHANGES_PER_COMMIT = 1024
/** Most bytes of keys and values (expected ones too) in one commit: it is one message and one piece of the log. */
export const MAX_COMMIT_BYTES = 32 * 1024 * 1024

/** A value and the revision of the commit that wrote it. */
export interface Stored {
  readonly value: Buffer
  readonly revision: number
}

export interface ListOptions {
  /** Only names that sort strictly after this one; it need not exist. A folder's name ends in '/'. */
  readonly after?: string
  /** At most so many names; 1 or more. */
  readonly limit: number
}

/** One atomic change. A key is in `put` or in `delete`, not in both. */
export interface Commit {
  /** key -> revision that it must still have; 0: it must be absent. Any key, written or not. */
  readonly expect: ReadonlyMap<string, number>
  readonly put: ReadonlyMap<string, Buffer>
  readonly delete: ReadonlySet<string>
}

/** All of it is durable under this revision, or nothing happened because `conflict` (a key) was not as expected. */
export type CommitResult = { readonly revision: number } | { readonly conflict: string }

/** A key that was written or deleted, and the revision of the commit that did it. */
export interface Change {
  readonly key: string
  readonly revision: number
}

/** What changed since the last look, in order of revision. */
export interface Feed {
  /**
   * The changes since the last call, without waiting; `'lost'` if the storage no longer has all of them (forget
   * everything that is cached, then go on). Cheap when nothing changed: it is called several times a request.
   *
   * @throws {StorageUnavailable} the feed is broken: nothing may be answered from a cache
   */
  take(): readonly Change[] | 'lost'
  close(): void
}

export interface Storage {
  /**
   * The newest committed value of `key`: a commit is seen from the moment its promise resolves, on every node.
   *
   * @throws {StorageUnavailable} the storage cannot be read now
   * @throws {StorageLimit} not a key
   */
  get(key: string): Promise<Stored | undefined>

  /**
   * The names one level below `prefix` (empty, or ending in '/'), in order of their bytes: a record's last segment, or
   * a folder's with a trailing '/', once. Reads no more than it returns, but for the inside of folders, which it skips.
   */
  list(prefix: string, options: ListOptions): Promise<string[]>

  /**
   * Checks `expect`, then writes, in one atomic and durable step. Revisions rise with each commit, over all processes.
   * To delete what is absent is no error and is a change like any other.
   *
   * @throws {StorageUnavailable} nothing was written, unless `outcomeUnknown` is true: then nobody knows
   * @throws {StorageLimit} a bad key, a value or the whole too large, a key both put and deleted; nothing was written
   */
  commit(change: Commit): Promise<CommitResult>

  /** A feed of all changes after revision `since` (default: from now on). Each feed stands on its own. */
  watch(since?: number): Feed

  /** Finishes running commits and lets go of files and connections. */
  close(): Promise<void>
}

/**
 * The storage cannot serve now: locked, full, read-only, unreachable. The request fails with 503 and may be tried
 * again; `message` says what to do about it.
 */
export class StorageUnavailable extends Error {
  override readonly name: string = 'StorageUnavailable'
  /** True when a commit may or may not have happened (the connection broke while it was under way). */
  readonly outcomeUnknown: boolean

  constructor(message: string, options: { cause?: unknown; outcomeUnknown?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.outcomeUnknown = options.outcomeUnknown ?? false
  }
}

/** The disk or quota is full: nothing was written; it serves again once there is room. */
export class StorageFull extends StorageUnavailable {
  override readonly name = 'StorageFull'
}

/** The place is not ours, of a newer schema, or held by another server: the server does not start on it. */
export class StorageRefused extends Error {
  override readonly name = 'StorageRefused'
}

/** The caller broke a limit of this contract (key length, value size, number of changes): a bug or a 413. */
export class StorageLimit extends Error {
  override readonly name = 'StorageLimit'
}
