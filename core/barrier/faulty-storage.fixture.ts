/**
 * For tests: storage in memory that fails, or is overtaken by another node, at a commit of the test's choice.
 */
import { StorageUnavailable } from '../../storage/contract.ts'
import type { Commit, CommitResult, Stored } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'

export class FaultyStorage {
  readonly inner = new MemoryStorage()
  commits = 0
  /** Called before each commit; may throw, or commit something else first. */
  beforeCommit: (change: Commit) => Promise<void> | void = () => undefined
  /** Called once the commit is done, before its caller hears of it; throwing loses the answer. */
  afterCommit: () => Promise<void> | void = () => undefined

  get(key: string): Promise<Stored | undefined> {
    return this.inner.get(key)
  }

  async commit(change: Commit): Promise<CommitResult> {
    await this.beforeCommit(change)
    this.commits += 1
    const result = await this.inner.commit(change)
    await this.afterCommit()
    return result
  }

  /** The next commit is done, and so is what its caller does with the answer at once. */
  nextCommit(): Promise<void> {
    return new Promise((resolve) => {
      this.afterCommit = () => {
        this.afterCommit = () => undefined
        setImmediate(resolve)
      }
    })
  }

  /** Writes past all checks, as somebody with the database's password could. */
  async tamper(key: string, value: Buffer | undefined): Promise<void> {
    await this.inner.commit({
      expect: new Map(),
      put: new Map(value === undefined ? [] : [[key, value]]),
      delete: new Set(value === undefined ? [key] : []),
    })
  }

  async read(key: string): Promise<Buffer> {
    const stored = await this.inner.get(key)
    if (stored === undefined) throw new Error(`test: nothing is stored under ${key}`)
    return stored.value
  }
}

export function unavailable(outcomeUnknown = false): StorageUnavailable {
  return new StorageUnavailable('test: the storage is gone', { outcomeUnknown })
}
