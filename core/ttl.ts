/** How long a token or lease lives: the one place for this arithmetic (contract: http.md, 10.5 and 11). */
import { humanDuration } from './duration.ts'
import { BadRequest } from './errors.ts'

/** What the system gives where nothing is configured: 768 h. */
export const SYSTEM_TTL_SECONDS = 768 * 3600

export interface TtlLimits {
  /** What the engine, method or role says; 0: nothing. */
  readonly ttlSeconds: number
  readonly maxTtlSeconds: number
  readonly explicitMaxTtlSeconds: number
  /** Each renewal gives this span, without an end but the explicit maximum. */
  readonly periodSeconds: number
  /** The mount's, always above 0. */
  readonly mountDefaultTtlSeconds: number
  readonly mountMaxTtlSeconds: number
}

export interface TtlAsked {
  /** What the client asks for; 0: nothing. */
  readonly incrementSeconds: number
  readonly issuedAtMs: number
  readonly nowMs: number
}

export interface Ttl {
  readonly ttlSeconds: number
  readonly warnings: readonly string[]
}

/**
 * The span from now on. Never 0 and never past the maximum: 0 would mean "never expires" elsewhere.
 *
 * @throws {BadRequest} less than a second is left until the maximum
 */
export function grantedTtl(limits: TtlLimits, asked: TtlAsked): Ttl {
  const warnings: string[] = []
  const cap = capOf(limits)
  const leftSeconds = Math.floor((asked.issuedAtMs + cap.seconds * 1000 - asked.nowMs) / 1000)
  if (limits.periodSeconds > 0) {
    const period = Math.min(limits.periodSeconds, limits.mountMaxTtlSeconds)
    if (period < limits.periodSeconds) {
      warnings.push(capped('period', limits.periodSeconds, limits.mountMaxTtlSeconds))
    }
    if (limits.explicitMaxTtlSeconds === 0) return { ttlSeconds: period, warnings }
    return { ttlSeconds: atMost(period, leftSeconds), warnings }
  }
  const wanted = asked.incrementSeconds || limits.ttlSeconds || limits.mountDefaultTtlSeconds
  if (wanted > leftSeconds && (asked.incrementSeconds || limits.ttlSeconds) > 0) {
    warnings.push(capped('TTL', wanted, cap.seconds))
  }
  return { ttlSeconds: atMost(wanted, leftSeconds), warnings }
}

function capOf(limits: TtlLimits): { seconds: number } {
  if (limits.periodSeconds > 0) {
    return { seconds: limits.explicitMaxTtlSeconds || limits.mountMaxTtlSeconds }
  }
  let seconds = limits.mountMaxTtlSeconds
  if (limits.maxTtlSeconds > 0) seconds = Math.min(seconds, limits.maxTtlSeconds)
  if (limits.explicitMaxTtlSeconds > 0) seconds = Math.min(seconds, limits.explicitMaxTtlSeconds)
  return { seconds }
}

function atMost(seconds: number, leftSeconds: number): number {
  if (leftSeconds < 1) throw new BadRequest('past the max TTL, cannot renew')
  return Math.min(seconds, leftSeconds)
}

function capped(what: 'TTL' | 'period', seconds: number, max: number): string {
  return `${what} of "${humanDuration(seconds)}" exceeded the effective max_ttl of "${humanDuration(max)}"; ${what} value is capped accordingly`
}
