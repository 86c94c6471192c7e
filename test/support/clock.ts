/** A clock that stands still until a test moves it. */
import { parseDurationSeconds } from '../../core/duration.ts'
import type { Clock } from '../../core/clock.ts'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

/** A request's own pauses are shorter. They are over at once, for no test moves the clock in the middle of a request. */
const SHORT_MS = 100

export class TestClock implements Clock {
  #nowMs: number
  /** Only goes forward, as the machine's does; timers go by it. */
  #monotonicMs = 0
  #timers = new Set<Timer>()

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  after(spanMs: number, callback: () => void): () => void {
    if (spanMs < SHORT_MS) {
      const immediate = setImmediate(callback)
      return () => clearImmediate(immediate)
    }
    const timer = { atMs: this.#monotonicMs + spanMs, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Moves on and calls back what is due. @param span as `1h30m`, or seconds; negative: the clock steps back */
  advance(span: string | number): void {
    const spanMs = parseDurationSeconds(span) * 1000
    this.#nowMs += spanMs
    this.#monotonicMs += Math.max(0, spanMs)
    for (const timer of this.#timers) {
      if (timer.atMs > this.#monotonicMs) continue
      this.#timers.delete(timer)
      timer.callback()
    }
  }
}
