/** Keeping a token alive: it is renewed at two thirds of its life, again and again. */
import { randomInt } from 'node:crypto'
import type { Auth } from './answer.ts'
import type { Client } from './client.ts'
import { monotonicMs, pause } from './clock.ts'
import { KeyholdError, ResponseError } from './errors.ts'

/** Why a token is not renewed any more. */
export type RenewalEnd =
  /** `stop()` was called. */
  | { readonly reason: 'stopped' }
  /** It does not end: nothing is to be done. */
  | { readonly reason: 'endless' }
  /** It ends after so many seconds: log in again before. */
  | {
      readonly reason: 'not renewable' | 'longest life reached'
      readonly ttlSeconds: number
    }
  /** The server refused, or did not answer until the token had ended. */
  | { readonly reason: 'failed'; readonly error: KeyholdError }

export interface Renewal {
  /** Never rejects for what the server did. */
  readonly ended: Promise<RenewalEnd>
  stop(): void
}

const PART = 2 / 3
/** So that programs that started together do not renew together: up to a tenth earlier. */
const JITTER = 0.1
const RETRY_PART = 0.1
const SHORTEST_RETRY_MS = 1_000
/** Clocks and the way to the server differ by that much. */
const TOLERANCE_MS = 1_000

export function keepAlive(client: Client): Renewal {
  const controller = new AbortController()
  return { ended: renewing(client, controller.signal), stop: () => controller.abort() }
}

async function renewing(client: Client, signal: AbortSignal): Promise<RenewalEnd> {
  try {
    const { ttlSeconds, renewable } = await client.auth.lookup()
    if (ttlSeconds === 0) return { reason: 'endless' }
    return renewable
      ? await renewAgain(client, ttlSeconds, signal)
      : { reason: 'not renewable', ttlSeconds }
  } catch (error) {
    if (!(error instanceof KeyholdError)) throw error
    return { reason: 'failed', error }
  }
}

async function renewAgain(client: Client, first: number, signal: AbortSignal): Promise<RenewalEnd> {
  let endsAtMs = monotonicMs() + first * 1_000
  for (;;) {
    await pause(waitMs(endsAtMs - monotonicMs()), signal)
    if (signal.aborted) return { reason: 'stopped' }
    const auth = await renewInTime(client, endsAtMs, signal)
    if (auth === undefined) return { reason: 'stopped' }
    const { ttlSeconds, renewable } = auth
    const nextEndMs = monotonicMs() + ttlSeconds * 1_000
    if (!renewable) return { reason: 'not renewable', ttlSeconds }
    if (nextEndMs <= endsAtMs + TOLERANCE_MS) return { reason: 'longest life reached', ttlSeconds }
    endsAtMs = nextEndMs
  }
}

function waitMs(lifeMs: number): number {
  const jitter = (JITTER * randomInt(1_000)) / 1_000
  return lifeMs * PART * (1 - jitter)
}

/** @returns undefined: it was stopped. @throws what the last attempt before the token's end threw */
async function renewInTime(
  client: Client,
  endsAtMs: number,
  signal: AbortSignal,
): Promise<Auth | undefined> {
  const retryMs = Math.max(SHORTEST_RETRY_MS, (endsAtMs - monotonicMs()) * RETRY_PART)
  while (!signal.aborted) {
    try {
      return await client.auth.renew()
    } catch (error) {
      if (isFinal(error) || monotonicMs() + retryMs >= endsAtMs) throw error
      await pause(retryMs, signal)
    }
  }
  return undefined
}

/** A server that is overloaded or restarts may answer the next time; one that refuses will not. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof KeyholdError)) return true
  return error instanceof ResponseError && error.status < 500 && error.status !== 429
}
