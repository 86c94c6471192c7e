/**
 * What is under way: added and removed with every request.
 *
 * A Map would do, were it not for how V8 grows one: the old table points to the new one. Once a table is old enough
 * that only a full collection removes it, it keeps all later tables, and what is in them: measured, 2.3 kB of each
 * request, and a pause for them. Slots are used again.
 */
export class Slots<T> implements Iterable<T> {
  readonly #slots: (T | undefined)[] = []
  readonly #free: number[] = []

  /** hot. @returns the slot, for `remove` */
  add(value: T): number {
    const slot = this.#free.pop() ?? this.#slots.length
    this.#slots[slot] = value
    return slot
  }

  /** hot: once for each `add`. */
  remove(slot: number): void {
    this.#slots[slot] = undefined
    this.#free.push(slot)
  }

  get size(): number {
    return this.#slots.length - this.#free.length
  }

  /** In no particular order. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const value of this.#slots) if (value !== undefined) yield value
  }
}
