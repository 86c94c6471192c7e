/**
 * How many requests each client has left, in the memory of one node: every node counts for itself. A client may make as
 * many requests as the limit says in each interval, counted from its first one.
 *
 * Bounded  however many addresses come; those that were not seen for longest are forgotten first.
 */
import { Generations } from '../store/generations.ts'
import { targetKey } from './target.ts'
import type { RateLimit } from './record.ts'

/** Pairs of limit and client of which a node knows what is left: some 15 MB. */
const MAX_BUCKETS = 65_536
const MS = 1000
const one = () => 1

interface Bucket {
  intervalFromMs: number
  left: number
  /** 0: it is not blocked. */
  blockedUntilMs: number
}

export interface Verdict {
  readonly allowed: boolean
  /** Requests in an interval. */
  readonly limit: number
  readonly remaining: number
  /** Whole seconds until the interval is over, rounded up. */
  readonly resetSeconds: number
  /** Whole seconds until a client that was refused is heard again. */
  readonly retryAfterSeconds: number
}

export class RateLimiter {
  readonly #buckets = new Generations<Bucket>(MAX_BUCKETS)

  /** Of how many clients it knows something, at most. */
  get size(): number {
    return this.#buckets.cost
  }

  /** hot: takes a request of the client. @param nowMs on the monotonic clock */
  take(rule: RateLimit, client: string, nowMs: number): Verdict {
    const limit = Math.max(1, Math.round(rule.rate))
    const bucket = this.#bucket(rule, client, limit, nowMs)
    const intervalMs = rule.intervalSeconds * MS
    const passed = Math.floor((nowMs - bucket.intervalFromMs) / intervalMs)
    if (passed > 0) {
      bucket.intervalFromMs += passed * intervalMs
      bucket.left = limit
    }
    const allowed = bucket.blockedUntilMs <= nowMs && bucket.left > 0
    if (allowed) bucket.left -= 1
    else if (bucket.blockedUntilMs <= nowMs && rule.blockSeconds > 0) {
      bucket.blockedUntilMs = nowMs + rule.blockSeconds * MS
    }
    const resetMs = bucket.intervalFromMs + intervalMs - nowMs
    const blockedMs = bucket.blockedUntilMs - nowMs
    return {
      allowed,
      limit,
      remaining: bucket.left,
      resetSeconds: Math.ceil(resetMs / MS),
      retryAfterSeconds: Math.ceil((blockedMs > 0 ? blockedMs : resetMs) / MS),
    }
  }

  #bucket(rule: RateLimit, client: string, limit: number, nowMs: number): Bucket {
    const key = `${keyOf(rule)}\n${client}`
    let bucket = this.#buckets.get(key, one)
    if (bucket === undefined) {
      bucket = { intervalFromMs: nowMs, left: limit, blockedUntilMs: 0 }
      this.#buckets.set(key, bucket, 1)
    }
    return bucket
  }
}

const keys = new WeakMap<RateLimit, string>()

/** A limit that is changed begins anew; one that is read again after another has changed goes on. */
function keyOf(rule: RateLimit): string {
  let key = keys.get(rule)
  if (key === undefined) {
    const { name, rate, intervalSeconds, blockSeconds } = rule
    key = [name, rate, intervalSeconds, blockSeconds, targetKey(rule)].join('\n')
    keys.set(rule, key)
  }
  return key
}
