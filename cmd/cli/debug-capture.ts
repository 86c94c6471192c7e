/** What `debug` asks a server for: once, or again and again until its time is over. */
import { setTimeout as pause } from 'node:timers/promises'
import { rfc3339, type Clock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { ApiError, RequestFailed } from '../client/errors.ts'
import { follow } from '../client/follow.ts'
import { askBare, askData } from '../client/logical.ts'

export const DEBUG_TARGETS = [
  'config',
  'host',
  'requests',
  'metrics',
  'server-status',
  'log',
] as const
export type DebugTarget = (typeof DEBUG_TARGETS)[number]

export interface Plan {
  readonly targets: readonly DebugTarget[]
  readonly intervalMs: number
  readonly metricsIntervalMs: number
  readonly logFormat: string
}

export interface Captured {
  /** What each target told, in order. */
  readonly entries: ReadonlyMap<DebugTarget, readonly JsonObject[]>
  readonly log: string
  readonly errors: readonly CaptureError[]
}

interface CaptureError {
  readonly error: string
  readonly target: string
  readonly timestamp: string
}

/** The log of a busy server at its lowest level, for the longest that a person waits. */
const MAX_LOG_CHARACTERS = 64 << 20

interface Capturing {
  readonly connection: Connection
  readonly clock: Clock
  /** Told of each that was captured. */
  readonly progress: (target: DebugTarget) => void
}

/**
 * Fails for nothing that the server refuses: it is noted.
 *
 * @param until ends it
 */
export async function capture(
  plan: Plan,
  until: AbortSignal,
  { connection, clock, progress }: Capturing,
): Promise<Captured> {
  const entries = new Map<DebugTarget, JsonObject[]>()
  const errors: CaptureError[] = []
  const failed = (target: DebugTarget, error: unknown): void => {
    if (!(error instanceof RequestFailed)) throw error
    errors.push({ error: error.message, target, timestamp: rfc3339(clock.nowMs()) })
  }
  /** @returns whether asking again may help */
  const take = async (target: AskedTarget): Promise<boolean> => {
    try {
      const told = await ASK[target](connection)
      const entry = { timestamp: rfc3339(clock.nowMs()), ...told }
      entries.set(target, [...(entries.get(target) ?? []), entry])
      progress(target)
      return true
    } catch (error) {
      failed(target, error)
      return !(error instanceof ApiError)
    }
  }
  let log = ''
  const takeLog = async (): Promise<void> => {
    try {
      for await (const lines of await followLog(connection, plan.logFormat, until)) {
        if (log.length < MAX_LOG_CHARACTERS) log += lines
      }
    } catch (error) {
      failed('log', error)
    }
  }
  await Promise.all(
    plan.targets.map((target) => {
      if (target === 'log') return takeLog()
      if (target === 'config') return take(target)
      const everyMs = target === 'metrics' ? plan.metricsIntervalMs : plan.intervalMs
      return repeat(() => take(target), everyMs, until)
    }),
  )
  return { entries, log, errors }
}

type AskedTarget = Exclude<DebugTarget, 'log'>

/** Whatever state the server is in, its health is an answer. */
const ANY_HEALTH = {
  uninitcode: '299',
  sealedcode: '299',
  standbycode: '299',
  drsecondarycode: '299',
  performancestandbycode: '299',
}

export function askHealth(connection: Connection): Promise<JsonObject> {
  return askBare(connection, { method: 'GET', path: 'sys/health', query: ANY_HEALTH })
}

const ASK: Readonly<Record<AskedTarget, (connection: Connection) => Promise<JsonObject>>> = {
  config: async (connection) => ({
    config: await askData(connection, { method: 'GET', path: 'sys/config/state/sanitized' }),
  }),
  host: (connection) => askData(connection, { method: 'GET', path: 'sys/host-info' }),
  requests: async (connection) => ({
    in_flight_requests: await askBare(connection, { method: 'GET', path: 'sys/in-flight-req' }),
  }),
  metrics: (connection) => askBare(connection, { method: 'GET', path: 'sys/metrics' }),
  'server-status': async (connection) => ({
    health: await askHealth(connection),
    seal: await askBare(connection, { method: 'GET', path: 'sys/seal-status' }),
  }),
}

function followLog(
  connection: Connection,
  format: string,
  until: AbortSignal,
): Promise<AsyncIterable<string>> {
  const query = { log_level: 'trace', log_format: format }
  return follow(connection, { method: 'GET', path: 'sys/monitor', query }, until)
}

/** At least once. */
async function repeat(
  take: () => Promise<boolean>,
  everyMs: number,
  until: AbortSignal,
): Promise<void> {
  while ((await take()) && !until.aborted) {
    await pause(everyMs, undefined, { signal: until }).catch(() => undefined)
    if (until.aborted) return
  }
}
