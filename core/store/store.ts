/**
 * One node's way to its records: the storage, the barrier that seals what goes there, and the cache of what was read.
 */
import type { ListOptions, Storage } from '../../storage/contract.ts'
import type { Barrier } from '../barrier/barrier.ts'
import { RecordCache, type Entry } from './cache.ts'
import { checkKey } from './check-key.ts'
import type { Kind } from './kind.ts'

/** What is needed of the barrier. */
export type Sealer = Pick<Barrier, 'ready' | 'seal' | 'open' | 'openFetched'>

/** Waits until so many values may be sealed. @throws {Sealed} */
export async function reserve(sealer: Sealer, count: number): Promise<void> {
  for (let wait = sealer.ready(count); wait !== undefined; wait = sealer.ready(count)) await wait
}

export interface Write {
  readonly kind: Kind<unknown>
  readonly value: unknown
  /** The record's content, made once. */
  readonly content: string | Buffer
}

export class Store {
  readonly cache: RecordCache
  readonly #storage: Storage
  readonly #sealer: Sealer

  constructor(storage: Storage, sealer: Sealer, cache: RecordCache) {
    this.#storage = storage
    this.#sealer = sealer
    this.cache = cache
  }

  /** hot: the record as the cache or the storage has it, parsed. */
  read<T>(kind: Kind<T>, key: string): Entry | Promise<Entry> {
    return this.cache.get(key) ?? this.#fill(kind, key)
  }

  /**
   * The text of the record, of whatever kind it is, past the cache.
   *
   * @throws {CorruptRecord} altered, or moved here from another key
   */
  async readText(key: string): Promise<string | undefined> {
    checkKey(key)
    const stored = await this.#storage.get(key)
    return stored && (await this.#sealer.openFetched(key, stored.value)).toString('utf8')
  }

  list(prefix: string, options: ListOptions): Promise<string[]> {
    return this.#storage.list(prefix, options)
  }

  /**
   * Seals and commits; the cache then holds what was written, but for kinds that are seldom read.
   *
   * @returns the key whose expected revision was not there any more: nothing was written
   */
  async commit(
    expect: ReadonlyMap<string, number>,
    writes: ReadonlyMap<string, Write | undefined>,
  ): Promise<{ readonly conflict: string } | undefined> {
    const removed = new Set<string>()
    for (const [key, write] of writes) if (write === undefined) removed.add(key)
    const put = await this.sealed(writes)
    const result = await this.#storage.commit({ expect, put, delete: removed })
    if ('conflict' in result) {
      this.cache.drop(result.conflict)
      return result
    }
    for (const [key, write] of writes) {
      if (write?.kind.keptWhenWritten === false) {
        this.cache.drop(key)
        continue
      }
      this.cache.committed(key, {
        revision: write === undefined ? 0 : result.revision,
        value: write?.value,
        asOf: result.revision,
        bytes: write?.content.length ?? 0,
      })
    }
    return undefined
  }

  /** The sealed form of what is to be written. */
  async sealed(writes: ReadonlyMap<string, Write | undefined>): Promise<Map<string, Buffer>> {
    const put = new Map<string, Buffer>()
    await reserve(this.#sealer, writes.size)
    for (const [key, write] of writes) {
      if (write === undefined) continue
      put.set(key, this.#sealer.seal(key, write.content))
      if (typeof write.content !== 'string') write.content.fill(0)
    }
    return put
  }

  async #fill<T>(kind: Kind<T>, key: string): Promise<Entry> {
    checkKey(key)
    const mark = this.cache.filling(key)
    let entry: Entry | undefined
    try {
      const position = this.cache.position
      const stored = await this.#storage.get(key)
      if (stored === undefined) {
        entry = { revision: 0, value: undefined, asOf: position, bytes: 0 }
      } else {
        const opened = this.#sealer.openFetched(key, stored.value)
        const content = opened instanceof Promise ? await opened : opened
        const { revision } = stored
        const value = kind.decode(key, content)
        entry = { revision, value, asOf: revision, bytes: content.length }
      }
      return entry
    } finally {
      this.cache.filled(key, mark, entry)
    }
  }
}
