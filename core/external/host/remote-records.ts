/**
 * The records of a mount, as its plugin's process sees them: what is read comes from the server, out of the request's
 * transaction; what is written is kept here and goes along with the answer, so that it costs no round trip.
 */
import { assert } from '../../errors.ts'
import { checkKey, checkPrefix } from '../../store/check-key.ts'
import { deepFreeze, type Kind } from '../../store/kind.ts'
import type { Awaitable } from '../../store/awaitable.ts'
import type { Records } from '../../store/view.ts'

export interface ListOptions {
  readonly after?: string
  readonly limit?: number
}
export type Written = [key: string, text: string | null]

/** The server's side; a test brings its own. */
export interface Source {
  /** The record's text; `null`: there is none. */
  get(key: string): Promise<string | null>
  /** The names, with what was written so far. */
  list(prefix: string, options: ListOptions, writes: readonly Written[]): Promise<string[]>
}

export class RemoteRecords implements Records {
  readonly #source: Source
  /** Texts as they were read first: within a transaction they do not change. */
  readonly #read = new Map<string, Promise<string | null>>()
  /** The texts; `null`: deleted. */
  readonly #written = new Map<string, string | null>()
  readonly #unsent = new Map<string, string | null>()

  /** Came with the call. */
  readonly #known = new Map<string, string | null>()
  readonly #unused = new Set<string>()

  /** @param before of an earlier call in the same transaction: what that one has read */
  constructor(source: Source, before?: RemoteRecords) {
    this.#source = source
    if (before !== undefined) for (const [key, text] of before.#known) this.#known.set(key, text)
  }

  /** What is known of further records. */
  know(records: readonly (readonly [key: string, text: string | null])[]): void {
    for (const [key, text] of records) {
      this.#known.set(key, text)
      this.#unused.add(key)
    }
  }

  /** Of what was known, the keys that nobody has read. */
  get unused(): readonly string[] {
    return this.#unused.size === 0 ? NO_KEYS : [...this.#unused]
  }

  /** hot. */
  get<T>(kind: Kind<T>, key: string): Awaitable<T | undefined> {
    const written = this.#written.get(key)
    if (written !== undefined) return decoded(kind, key, written)
    const known = this.#known.get(key)
    if (known !== undefined) {
      this.#unused.delete(key)
      return decoded(kind, key, known)
    }
    let read = this.#read.get(key)
    if (read === undefined) {
      read = this.#source.get(key)
      this.#read.set(key, read)
      void read.then(
        (text) => this.#known.set(key, text),
        () => undefined,
      )
    }
    return read.then((text) => decoded(kind, key, text))
  }

  put<T>(kind: Kind<T>, key: string, value: T): void {
    checkKey(key)
    const text = kind.encode(deepFreeze(value))
    assert(typeof text === 'string', 'a plugin stores text')
    this.#write(key, text)
  }

  delete(key: string): void {
    checkKey(key)
    this.#write(key, null)
  }

  list(prefix: string, options: ListOptions): Promise<string[]> {
    checkPrefix(prefix)
    return this.#source.list(prefix, options, this.take())
  }

  /** What was written and not taken yet. */
  take(): readonly Written[] {
    if (this.#unsent.size === 0) return NOTHING
    const taken = [...this.#unsent]
    this.#unsent.clear()
    return taken
  }

  #write(key: string, text: string | null): void {
    this.#written.set(key, text)
    this.#unsent.set(key, text)
  }
}

const NOTHING: readonly Written[] = []
const NO_KEYS: readonly string[] = []

function decoded<T>(kind: Kind<T>, key: string, text: string | null): T | undefined {
  return text === null ? undefined : kind.decode(key, Buffer.from(text))
}
