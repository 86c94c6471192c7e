/**
 * Storage in the memory of one process: for tests, and for a server that is to forget everything.
 *
 * Keeps    `contract.ts`, proven by `contract.suite.ts`.
 * Durable  no longer than the process.
 * Nodes    several nodes of a process share one object; `close` by one of them leaves it to the others.
 * Order    revisions rise by one a commit; a commit is done at once, so none are ever concurrent.
 * Limits   those of the contract; the last 100,000 commits are kept for feeds, older ones are 'lost'.
 */
import { checkCommit, checkKey } from './limits.ts'
import { listNames } from './names.ts'
import { SortedKeys } from './sorted-keys.ts'
import type {
  Change,
  Commit,
  CommitResult,
  Feed,
  ListOptions,
  Storage,
  Stored,
} from './contract.ts'

/** Commits that a feed may be behind. A node that misses more does better to start with empty caches. */
const COMMITS_KEPT = 100_000

const NOTHING: readonly Change[] = []

export class MemoryStorage implements Storage {
  readonly #records = new Map<string, Stored>()
  readonly #keys = new SortedKeys()
  readonly #commitsKept: number
  /** The keys of each commit; the first is that of revision `#firstKept`. */
  #log: (readonly string[])[] = []
  #firstKept = 1
  #revision = 0

  constructor(options: { commitsKept?: number } = {}) {
    this.#commitsKept = options.commitsKept ?? COMMITS_KEPT
  }

  async get(key: string): Promise<Stored | undefined> {
    checkKey(key)
    const stored = this.#records.get(key)
    return stored && { value: Buffer.from(stored.value), revision: stored.revision }
  }

  async list(prefix: string, options: ListOptions): Promise<string[]> {
    return listNames((from, end, limit) => this.#keys.scan(from, end, limit), prefix, options)
  }

  async commit(change: Commit): Promise<CommitResult> {
    checkCommit(change)
    for (const [key, revision] of change.expect) {
      if ((this.#records.get(key)?.revision ?? 0) !== revision) return { conflict: key }
    }
    this.#revision += 1
    for (const [key, value] of change.put) {
      if (!this.#records.has(key)) this.#keys.add(key)
      this.#records.set(key, { value: Buffer.from(value), revision: this.#revision })
    }
    for (const key of change.delete) {
      if (this.#records.delete(key)) this.#keys.delete(key)
    }
    this.#remember([...change.put.keys(), ...change.delete])
    return { revision: this.#revision }
  }

  watch(since = this.#revision): Feed {
    let position = since
    return {
      take: () => {
        if (position === this.#revision) return NOTHING
        const changes = this.#changesAfter(position)
        position = this.#revision
        return changes
      },
      close: () => {},
    }
  }

  async close(): Promise<void> {}

  #remember(keys: readonly string[]): void {
    this.#log.push(keys)
    // Dropped by the half, so that dropping costs each commit next to nothing.
    if (this.#log.length > this.#commitsKept * 2) {
      this.#firstKept += this.#log.length - this.#commitsKept
      this.#log = this.#log.slice(-this.#commitsKept)
    }
  }

  #changesAfter(position: number): readonly Change[] | 'lost' {
    // A position ahead of us is one of a storage that is gone.
    if (position + 1 < this.#firstKept || position > this.#revision) return 'lost'
    const changes: Change[] = []
    for (let revision = position + 1; revision <= this.#revision; revision += 1) {
      for (const key of this.#log[revision - this.#firstKept] ?? []) changes.push({ key, revision })
    }
    return changes
  }
}
