/** When the credential of a static role is due: by period, or by schedule within a window (contract: engines-db-pki.md, A4). */
import { parseSchedule } from '../../core/plugin/schedule.ts'
import type { StaticRole } from './records.ts'

export type RotationTimes = Pick<StaticRole, 'periodSeconds' | 'schedule' | 'windowSeconds'>

/** The first pause after a failure; it doubles up to the longest. */
const FIRST_PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 300_000
/** A schedule that never comes, such as 30 February, is looked at again after a year. */
const NEVER_MS = 366 * 86_400_000

/** @param sinceMs the last rotation */
export function nextRotation({ periodSeconds, schedule }: RotationTimes, sinceMs: number): number {
  if (schedule === '') return sinceMs + periodSeconds * 1000
  return parseSchedule(schedule).after(sinceMs) ?? sinceMs + NEVER_MS
}

/** Whether it may be done now: always, but for a schedule whose window is over. */
export function isWithinWindow({ schedule, windowSeconds }: RotationTimes, nowMs: number): boolean {
  if (schedule === '' || windowSeconds === 0) return true
  const scheduledMs = parseSchedule(schedule).before(nowMs)
  return scheduledMs !== undefined && nowMs < scheduledMs + windowSeconds * 1000
}

/** @param attempts that have begun, this one among them */
export function retryAt(nowMs: number, attempts: number): number {
  return nowMs + Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS)
}
