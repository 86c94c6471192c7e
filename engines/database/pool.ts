/**
 * Connections to one database, at most so many, given out one user at a time. One that has rested is asked whether it is still
 * good before it is used, and one that failed is never given out again.
 */
import type { Clock } from '../../core/clock.ts'
import type { Access, Session } from './database.ts'
import { unreachable } from './errors.ts'

/** Who waits for a connection; more than that are refused, so that a database that hangs costs no memory. */
const MAX_WAITING = 10_000
/** A connection that rested for longer is asked first. */
const FRESH_MS = 5000
/** A connection that nobody used for so long is closed. */
const IDLE_MS = 60_000
/** Who waits for so long, while nothing at all was answered, is told that the database does not answer. */
const PATIENCE_MS = 5000
/** For so long after that nobody waits again. */
const STUCK_MS = 10_000
/** How long nobody tries again after a failure to connect; doubled with each further one. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000

const NO_ANSWER = 'the database does not answer: all connections to it wait'

interface Resting {
  readonly session: Session
  readonly openedAtMs: number
  readonly sinceMs: number
}
type Open = Pick<Resting, 'session' | 'openedAtMs'>

/** It failed a moment ago, and is not tried again yet. */
class KnownFailure extends Error {
  override readonly name = 'KnownFailure'
  readonly failure: Error

  constructor(failure: Error) {
    super(failure.message)
    this.failure = failure
  }
}

export class Pool {
  readonly #access: Access
  readonly #clock: Clock
  readonly #resting: Resting[] = []
  readonly #used = new Set<Session>()
  readonly #waiting = new Set<() => void>()
  #opening = 0
  #closed = false
  #failure:
    | { readonly error: Error; readonly untilMs: number; readonly pauseMs: number }
    | undefined
  #cancelTidy: () => void = () => undefined
  #answeredAtMs: number
  #stuckUntilMs = 0

  constructor(access: Access, clock: Clock) {
    this.#access = access
    this.#clock = clock
    this.#answeredAtMs = clock.monotonicMs()
  }

  /** Connections that there are, used or not. */
  get size(): number {
    return this.#resting.length + this.#used.size + this.#opening
  }

  /** @throws what the work throws, or why there is no connection */
  async use<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    const { session, openedAtMs } = await this.#take(signal)
    const close = () => session.close()
    signal.addEventListener('abort', close)
    try {
      const result = await work(session)
      this.#answered()
      return result
    } finally {
      signal.removeEventListener('abort', close)
      this.#giveBack({ session, openedAtMs })
    }
  }

  /** Ends what rests, and what is used once it is given back. */
  close(): void {
    this.#closed = true
    this.#cancelTidy()
    for (const { session } of this.#resting.splice(0)) session.close()
    this.#wakeAll()
  }

  async #take(signal: AbortSignal): Promise<Open> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#closed) throw unreachable('the connection was changed meanwhile; please try again')
      const rested = this.#resting.pop()
      if (rested !== undefined) {
        this.#used.add(rested.session)
        if (await this.#isGood(rested)) return rested
        this.#discard(rested.session)
      } else if (this.size < this.#access.limits.maxOpen) {
        return this.#open(signal)
      } else {
        await this.#turn(signal)
      }
    }
  }

  async #isGood({ session, openedAtMs, sinceMs }: Resting): Promise<boolean> {
    const nowMs = this.#clock.monotonicMs()
    const { maxLifetimeMs } = this.#access.limits
    if (session.broken !== undefined) return false
    if (maxLifetimeMs > 0 && nowMs - openedAtMs >= maxLifetimeMs) return false
    if (nowMs - sinceMs < FRESH_MS) return true
    try {
      await session.ping()
      return true
    } catch {
      // Whatever is wrong with it, a fresh connection will tell.
      return false
    }
  }

  async #open(signal: AbortSignal): Promise<Open> {
    this.#opening++
    try {
      const { error, untilMs = 0 } = this.#failure ?? {}
      if (error !== undefined && this.#clock.monotonicMs() < untilMs) throw new KnownFailure(error)
      const session = await this.#access.connect(signal)
      this.#failure = undefined
      this.#used.add(session)
      return { session, openedAtMs: this.#clock.monotonicMs() }
    } catch (failure) {
      if (failure instanceof KnownFailure) throw failure.failure
      if (!signal.aborted && failure instanceof Error) this.#failed(failure)
      throw failure
    } finally {
      this.#opening--
      this.#wake()
    }
  }

  #failed(error: Error): void {
    const pauseMs = Math.min((this.#failure?.pauseMs ?? FIRST_PAUSE_MS / 2) * 2, LONGEST_PAUSE_MS)
    this.#failure = { error, pauseMs, untilMs: this.#clock.monotonicMs() + pauseMs }
  }

  /** Waits until a connection may be free: as long as others are answered. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#clock.monotonicMs() < this.#stuckUntilMs) throw unreachable(NO_ANSWER)
    if (this.#waiting.size >= MAX_WAITING) {
      throw unreachable('too many requests wait for a connection to the database')
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#clock.after(PATIENCE_MS, resolve)
    this.#waiting.add(resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    cancel()
    const isLost = this.#waiting.delete(resolve)
    const nowMs = this.#clock.monotonicMs()
    if (!isLost || signal.aborted || nowMs - this.#answeredAtMs < PATIENCE_MS) return
    this.#stuckUntilMs = nowMs + STUCK_MS
    throw unreachable(NO_ANSWER)
  }

  #answered(): void {
    this.#answeredAtMs = this.#clock.monotonicMs()
    this.#stuckUntilMs = 0
  }

  #giveBack({ session, openedAtMs }: Open): void {
    const { maxIdle } = this.#access.limits
    if (this.#closed || session.broken !== undefined || this.#resting.length >= maxIdle) {
      this.#discard(session)
      return
    }
    this.#used.delete(session)
    if (this.#resting.length === 0) this.#tidyLater()
    this.#resting.push({ session, openedAtMs, sinceMs: this.#clock.monotonicMs() })
    this.#wake()
  }

  #discard(session: Session): void {
    this.#used.delete(session)
    session.close()
    this.#wake()
  }

  /** The oldest rest at the front. */
  #tidyLater(): void {
    this.#cancelTidy()
    this.#cancelTidy = this.#clock.after(IDLE_MS, () => {
      const before = this.#clock.monotonicMs() - IDLE_MS
      while ((this.#resting[0]?.sinceMs ?? Infinity) <= before)
        this.#resting.shift()?.session.close()
      if (this.#resting.length > 0) this.#tidyLater()
    })
  }

  #wake(): void {
    const [first] = this.#waiting
    if (first === undefined) return
    this.#waiting.delete(first)
    first()
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}
