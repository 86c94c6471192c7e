/**
 * A lane for each mount: as many of its effects as are undone at the same time, and a pause after its system has failed
 * often in a row. So a system that does not answer holds up nothing but its own mount.
 */
import type { Clock } from '../clock.ts'

/** Effects of one mount that are undone at the same time. */
const WIDTH = 64
/** Failures in a row before the first pause; it is of one second, and doubles with each further one. */
const FAILURES = 8
const LONGEST_PAUSE_MS = 60_000

interface Lane {
  readonly busy: Set<string>
  failuresInARow: number
  pausedUntilMs: number
}

export class Lanes {
  readonly #clock: Clock
  readonly #lanes = new Map<string, Lane>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes a place for it. @returns false: it is being undone already, or its mount has no place now */
  take(mountUuid: string, name: string): boolean {
    const lane = this.#lane(mountUuid)
    const isFull = lane.busy.size >= WIDTH || lane.pausedUntilMs > this.#clock.monotonicMs()
    if (isFull || lane.busy.has(name)) return false
    lane.busy.add(name)
    return true
  }

  /** Gives the place back. @param undone whether the system did what it was asked for; `undefined`: it was not asked */
  free(mountUuid: string, name: string, undone: boolean | undefined): void {
    const lane = this.#lane(mountUuid)
    lane.busy.delete(name)
    if (undone === true) lane.failuresInARow = 0
    if (undone === false) this.#failed(lane)
    if (lane.busy.size === 0 && lane.failuresInARow === 0) this.#lanes.delete(mountUuid)
  }

  #failed(lane: Lane): void {
    const over = ++lane.failuresInARow - FAILURES
    if (over < 0) return
    lane.pausedUntilMs = this.#clock.monotonicMs() + Math.min(1000 * 2 ** over, LONGEST_PAUSE_MS)
  }

  #lane(mountUuid: string): Lane {
    let lane = this.#lanes.get(mountUuid)
    if (lane === undefined) {
      lane = { busy: new Set(), failuresInARow: 0, pausedUntilMs: 0 }
      this.#lanes.set(mountUuid, lane)
    }
    return lane
  }
}
