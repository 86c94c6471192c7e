/**
 * Decrypted, parsed records by storage key, kept exact by the storage's change feed.
 *
 * Exact    after `refresh` no entry is older than the feed's position; a read that a change overtook is not kept.
 * Bounded  by the size of the records' texts; those that were not used for longest go first. Absence is remembered too.
 */
import type { Feed } from '../../storage/contract.ts'
import { Generations } from './generations.ts'

/** What is known of a key; `value` is `undefined` and `revision` 0 where there is no record. */
export interface Entry {
  readonly revision: number
  readonly value: unknown
  /** The entry held at this revision of the storage. */
  readonly asOf: number
  readonly bytes: number
}

/** Told of each change; with an empty key, that changes were missed. */
type OnChange = (key: string, revision: number) => void

/** Text of all cached records together; parsed they take about three times as much. */
const MAX_CACHE_BYTES = 16 * 1024 * 1024
/** Changes remembered for `changedSince`; a request that lasts longer than so many is run again. */
const MAX_RECENT_CHANGES = 4096
/** What an entry costs beside its text. */
const ENTRY_OVERHEAD_BYTES = 200

export class RecordCache {
  readonly #entries = new Generations<Entry>(MAX_CACHE_BYTES)
  readonly #feed: Feed
  readonly #onChange: OnChange
  /** Reads under way; true: a change came by meanwhile, so that what they bring may be old. */
  readonly #overtaken = new Map<string, Set<{ overtaken: boolean }>>()
  #recent = new Map<string, number>()
  #recentFrom = 0
  #position = 0
  #newest = 0

  constructor(feed: Feed, onChange: OnChange = () => undefined) {
    this.#feed = feed
    this.#onChange = onChange
  }

  /** The revision up to which all changes are known. */
  get position(): number {
    return this.#position
  }

  /** No entry is newer: what was read, and our own commits, are in the cache before the feed brings them. */
  get newest(): number {
    return this.#newest
  }

  /** What the records in it cost, at most. */
  get bytes(): number {
    return this.#entries.cost
  }

  /** hot: takes in what changed. @throws {StorageUnavailable} the feed is broken */
  refresh(): void {
    const changes = this.#feed.take()
    if (changes === 'lost') this.#forgetAll()
    else if (changes.length > 0) {
      for (const { key, revision } of changes) this.#changed(key, revision)
    }
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key, costOf)
  }

  /** Marks the start of a read from the storage; hand the result to `filled`. */
  filling(key: string): { overtaken: boolean } {
    const mark = { overtaken: false }
    const marks = this.#overtaken.get(key)
    if (marks === undefined) this.#overtaken.set(key, new Set([mark]))
    else marks.add(mark)
    return mark
  }

  /** Ends a read; keeps what it brought (if it brought something) unless a change overtook it. */
  filled(key: string, mark: { overtaken: boolean }, entry: Entry | undefined): void {
    const marks = this.#overtaken.get(key)
    marks?.delete(mark)
    if (marks?.size === 0) this.#overtaken.delete(key)
    if (entry === undefined || mark.overtaken) return
    this.#newest = Math.max(this.#newest, entry.asOf)
    this.#entries.set(key, entry, costOf(entry))
  }

  /**
   * What our own commit left: kept unless a later change of the key is known. The feed is often past a commit before
   * its answer is here: both come from the storage, each by its own way.
   */
  committed(key: string, entry: Entry): void {
    this.#mark(key)
    this.#newest = Math.max(this.#newest, entry.asOf)
    const current =
      entry.asOf >= this.#position ||
      (entry.asOf >= this.#recentFrom && (this.#recent.get(key) ?? 0) <= entry.asOf)
    if (current) this.#entries.set(key, entry, costOf(entry))
    else this.#entries.delete(key)
  }

  /** Forgets one key, whatever the feed brought so far: a conflict has shown that it is old, or it was just written. */
  drop(key: string): void {
    this.#entries.delete(key)
    this.#mark(key)
  }

  /** Whether one of the keys changed after `position`; true also where that is no longer known. */
  changedSince(position: number, keys: Iterable<string>): boolean {
    if (position === this.#position) return false
    if (position < this.#recentFrom) return true
    for (const key of keys) {
      if ((this.#recent.get(key) ?? 0) > position) return true
    }
    return false
  }

  /** Forgets everything, as when the barrier is sealed. */
  clear(): void {
    this.#entries.clear()
    for (const key of this.#overtaken.keys()) this.#mark(key)
  }

  #changed(key: string, revision: number): void {
    const entry = this.#entries.get(key, costOf)
    if (entry !== undefined && entry.asOf < revision) this.#entries.delete(key)
    this.#mark(key)
    if (this.#recent.size >= MAX_RECENT_CHANGES) {
      this.#recent = new Map()
      this.#recentFrom = this.#position
    }
    this.#recent.set(key, revision)
    this.#position = Math.max(this.#position, revision)
    this.#newest = Math.max(this.#newest, revision)
    this.#onChange(key, revision)
  }

  #mark(key: string): void {
    const marks = this.#overtaken.get(key)
    if (marks !== undefined) for (const mark of marks) mark.overtaken = true
  }

  #forgetAll(): void {
    this.clear()
    this.#recent = new Map()
    this.#position += 1
    this.#recentFrom = this.#position
    this.#newest += 1
    this.#onChange('', this.#position)
  }
}

function costOf(entry: Entry): number {
  return entry.bytes + ENTRY_OVERHEAD_BYTES
}
