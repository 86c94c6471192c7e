/**
 * Time, the one way to read it: a test, or a simulation of several nodes in one process, brings its own clock.
 */
export interface Clock {
  /** Milliseconds since 1970 in UTC; may step back when the machine's clock is set. */
  nowMs(): number
  /** Milliseconds that only go forward, for measuring spans. */
  monotonicMs(): number
  /** Calls back after the span; the result cancels. Does not keep the process alive. */
  after(spanMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(spanMs, callback) {
    const timer = setTimeout(callback, spanMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** RFC 3339 with nanoseconds in UTC, as Go prints times (trailing zeros of the fraction are dropped). */
export function rfc3339(ms: number): string {
  const text = new Date(ms).toISOString()
  if (!text.endsWith('0Z')) return text
  return `${text.slice(0, 19)}${text.slice(19, 23).replace(/\.?0+$/, '')}Z`
}
