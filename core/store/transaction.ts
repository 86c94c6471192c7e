/**
 * One optimistic transaction: what a request reads and writes. It remembers the revision of each record that it read
 * (absent is 0); `commit` refuses if one of them changed meanwhile.
 *
 * A listing is not remembered: a handler that decides by one reads a guard record of that folder, which every writer of
 * the folder touches.
 */
import { MAX_CHANGES_PER_COMMIT, MAX_VALUE_BYTES } from '../../storage/contract.ts'
import { assert, RequestError } from '../errors.ts'
import { checkKey, checkPrefix } from './check-key.ts'
import { deepFreeze, type Kind } from './kind.ts'
import type { Awaitable } from './awaitable.ts'
import type { Entry } from './cache.ts'
import type { Store, Write } from './store.ts'

/** A record as a transaction has seen it. */
export interface Read {
  readonly key: string
  readonly entry: Entry
}

/** Another writer came between, at this key (empty: at one that was only read). Nothing was written; run it again. */
export interface Conflict {
  readonly conflict: string
}

const NOTHING: ReadonlyMap<string, Write | undefined> = new Map()
/** Names that one `list` without a limit returns at the most. */
const MAX_LISTED = 1_000_000

export class Transaction {
  readonly #store: Store
  readonly #startedAt: number
  readonly #newestAtStart: number
  readonly #reads = new Map<string, Entry>()
  /** Read by an earlier transaction, and still as it was. */
  #adopted: readonly Read[] = []
  #writes: ReadonlyMap<string, Write | undefined> = NOTHING
  /** `#writes` while it may be changed: made with the first write, for most transactions only read. */
  #open: Map<string, Write | undefined> | undefined
  #kept: ReadonlyMap<string, Write | undefined> = NOTHING
  #fromStorage = false

  constructor(store: Store) {
    this.#store = store
    this.#startedAt = store.cache.position
    this.#newestAtStart = store.cache.newest
  }

  /** Whether a commit would write something. */
  get writes(): boolean {
    return this.#writes.size > 0
  }

  /**
   * hot: the record, or `undefined`; our own writes are seen. The value is immutable. What is cached comes without a
   * promise: await it all the same.
   */
  get<T>(kind: Kind<T>, key: string): Awaitable<T | undefined> {
    if (this.#writes.size > 0 && this.#writes.has(key)) return asValue(kind, this.#writes.get(key))
    const found = this.#store.read(kind, key)
    if (!(found instanceof Promise)) return this.#seen<T>(key, found)
    this.#fromStorage = true
    return found.then((entry) => this.#seen<T>(key, entry))
  }

  #seen<T>(key: string, entry: Entry): T | undefined {
    if (!this.#reads.has(key)) this.#reads.set(key, entry)
    // The kind of a key is always the same, so the cache holds what this kind parsed.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one cache holds all kinds: the key decides the type
    return entry.value as T | undefined
  }

  /** What was read so far: whoever keeps a result of it can tell later whether it still holds. */
  reads(): readonly Read[] {
    return Array.from(this.#reads, ([key, entry]) => ({ key, entry }))
  }

  /**
   * hot: Takes over what another transaction has read, if all of it is unchanged: what followed from it, follows still.
   *
   * @returns whether it is
   */
  adopt(reads: readonly Read[]): boolean {
    for (const { key, entry } of reads) {
      if (this.#store.cache.get(key) !== entry) return false
    }
    this.#adopted = reads
    return true
  }

  put<T>(kind: Kind<T>, key: string, value: T): void {
    checkKey(key)
    const content = kind.encode(value)
    // A character takes up to three bytes; the exact length is asked only where it could matter.
    if (
      content.length * 3 > MAX_VALUE_BYTES - 64 &&
      Buffer.byteLength(content) > MAX_VALUE_BYTES - 64
    ) {
      throw new RequestError(
        413,
        `the value is too large: at most ${MAX_VALUE_BYTES} bytes can be stored`,
      )
    }
    this.#write(key, { kind, value: deepFreeze(value), content })
  }

  delete(key: string): void {
    checkKey(key)
    this.#write(key, undefined)
  }

  #write(key: string, write: Write | undefined): void {
    this.#open ??= new Map(this.#writes)
    this.#open.set(key, write)
    this.#writes = this.#open
  }

  /** The names one level below, in order; our own writes are seen. */
  async list(prefix: string, { after = '', limit = MAX_LISTED } = {}): Promise<string[]> {
    checkPrefix(prefix)
    const stored = await this.#store.list(prefix, { after, limit: limit + this.#writes.size })
    return this.#writes.size === 0 ? stored : this.#overlay(prefix, after, stored).slice(0, limit)
  }

  /** From here on `rollback` drops what is written later, and only that. */
  mark(): void {
    this.#kept = this.#writes
    this.#open = undefined
  }

  rollback(): void {
    this.#writes = this.#kept
    this.#open = undefined
  }

  /** What would be written, sealed: for the one commit that a barrier begins with. */
  sealedWrites(): Promise<Map<string, Buffer>> {
    return this.#store.sealed(this.#writes)
  }

  /** @returns `undefined` when it is durable */
  commit(): Awaitable<Conflict | undefined> {
    if (this.#writes.size === 0) return this.#isConsistent() ? undefined : { conflict: '' }
    assert(
      this.#writes.size <= MAX_CHANGES_PER_COMMIT,
      'a transaction stays below the changes of one commit',
    )
    return this.#store.commit(this.#expected(), this.#writes)
  }

  /** Of several records read, none may have changed since the first one: else the answer never was true. */
  #isConsistent(): boolean {
    const { cache } = this.#store
    if (this.#reads.size + this.#adopted.length < 2) return true
    // While nothing joined the cache, what it holds was true together; what came from the storage may be newer.
    if (!this.#fromStorage && cache.newest === this.#newestAtStart) return true
    cache.refresh()
    return !cache.changedSince(this.#startedAt, this.#expected().keys())
  }

  #expected(): Map<string, number> {
    const expected = new Map<string, number>()
    for (const [key, entry] of this.#reads) expected.set(key, entry.revision)
    // Seen first, so they decide: what was concluded from them must still be true.
    for (const { key, entry } of this.#adopted) expected.set(key, entry.revision)
    return expected
  }

  #overlay(prefix: string, after: string, stored: readonly string[]): string[] {
    const names = new Set(stored)
    for (const [key, write] of this.#writes) {
      if (!key.startsWith(prefix)) continue
      const rest = key.slice(prefix.length)
      const slash = rest.indexOf('/')
      const name = slash < 0 ? rest : rest.slice(0, slash + 1)
      if (write !== undefined && byBytes(name, after) > 0) names.add(name)
      // A folder may hold other records still: only a record's own name is known to go.
      if (write === undefined && slash < 0) names.delete(name)
    }
    return [...names].sort(byBytes)
  }
}

/** The order of the storage; JavaScript's own differs beyond the BMP. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function asValue<T>(kind: Kind<T>, write: Write | undefined): T | undefined {
  if (write === undefined) return undefined
  assert(isOf(write, kind), 'a key holds one kind of record')
  return write.value
}

function isOf<T>(write: Write, kind: Kind<T>): write is Write & { readonly value: T } {
  return write.kind.name === kind.name
}
