/**
 * A part of the storage, by prefix, in one transaction: all that a plugin can reach.
 */
import type { Kind } from './kind.ts'
import type { Awaitable } from './awaitable.ts'

/** What a view looks at: a transaction, or what stands for one in another process. */
export interface Records {
  get<T>(kind: Kind<T>, key: string): Awaitable<T | undefined>
  put<T>(kind: Kind<T>, key: string, value: T): void
  delete(key: string): void
  list(prefix: string, options: { after?: string; limit?: number }): Promise<string[]>
}

export class View {
  readonly #transaction: Records
  readonly #prefix: string

  /** @param prefix ends in '/' */
  constructor(transaction: Records, prefix: string) {
    this.#transaction = transaction
    this.#prefix = prefix
  }

  /** The record, or `undefined`. It is immutable; change a copy and `put` it. */
  get<T>(kind: Kind<T>, key: string): Awaitable<T | undefined> {
    return this.#transaction.get(kind, this.#prefix + key)
  }

  put<T>(kind: Kind<T>, key: string, value: T): void {
    this.#transaction.put(kind, this.#prefix + key, value)
  }

  delete(key: string): void {
    this.#transaction.delete(this.#prefix + key)
  }

  /**
   * The names one level below `prefix` (empty, or ending in '/'), folders with a trailing '/', in order.
   * What a handler decides by a listing needs a guard record (see `transaction.ts`).
   */
  list(prefix: string, options: { after?: string; limit?: number } = {}): Promise<string[]> {
    return this.#transaction.list(this.#prefix + prefix, options)
  }

  /** The part below `prefix`, which ends in '/'. */
  below(prefix: string): View {
    return new View(this.#transaction, this.#prefix + prefix)
  }
}
