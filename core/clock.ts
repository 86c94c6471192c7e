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

/** Seconds whose texts are kept: those of now, and of the records that are read over and over. */
const KEPT_SECONDS = 256
const secondTexts: { second: number; text: string }[] = []

/** hot: RFC 3339 with nanoseconds in UTC, as Go prints times (trailing zeros of the fraction are dropped). */
export function rfc3339(ms: number): string {
  const second = Math.floor(ms / 1000)
  const rest = Math.floor(ms) - second * 1000
  const text = secondText(second)
  if (rest === 0) return `${text}Z`
  const fraction = String(rest).padStart(3, '0')
  return `${text}.${rest % 10 === 0 ? fraction.replace(/0+$/, '') : fraction}Z`
}

function secondText(second: number): string {
  const place = Math.abs(second % KEPT_SECONDS)
  const kept = secondTexts[place]
  if (kept?.second === second) return kept.text
  const text = new Date(second * 1000).toISOString().slice(0, -5)
  secondTexts[place] = { second, text }
  return text
}
