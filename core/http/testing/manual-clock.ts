/**
 * A clock that moves only when a test moves it.
 */
import type { Clock } from '../../clock.ts'

export class ManualClock implements Clock {
  #nowMs = 0
  readonly #waiting = new Set<{ readonly atMs: number; readonly callback: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(spanMs: number, callback: () => void): () => void {
    const entry = { atMs: this.#nowMs + spanMs, callback }
    this.#waiting.add(entry)
    return () => this.#waiting.delete(entry)
  }

  /** Runs what falls due on the way, in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const [next] = [...this.#waiting]
        .filter((entry) => entry.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#waiting.delete(next)
      this.#nowMs = next.atMs
      next.callback()
    }
    this.#nowMs = endMs
  }
}
