/** When a static role is due: by its period, or by its schedule. */
import { BadRequest } from '../../core/errors.ts'
import { parseSchedule } from '../../core/plugin/schedule.ts'
import type { StaticRole } from './records.ts'

export type RotationRule = Pick<StaticRole, 'periodSeconds' | 'schedule' | 'windowSeconds'>

/** As often as it is looked what is due. */
const MIN_PERIOD_SECONDS = 5
const MIN_WINDOW_SECONDS = 3600
const FIRST_PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 10 * 60_000

export interface SentRule {
  readonly rotation_period: number | undefined
  readonly rotation_schedule: string | undefined
  readonly rotation_window: number | undefined
}

/** What was sent, over what there was: one kind replaces the other. @throws {BadRequest} */
export function changedRule(before: RotationRule | undefined, sent: SentRule): RotationRule {
  const { rotation_period: period, rotation_schedule: schedule, rotation_window: window } = sent
  if (period !== undefined && schedule !== undefined) {
    throw new BadRequest(
      'mutually exclusive fields rotation_period and rotation_schedule were both specified; only one of them can be provided',
    )
  }
  const kept = before ?? { periodSeconds: 0, schedule: '', windowSeconds: 0 }
  if (period !== undefined)
    return checked({ periodSeconds: period, schedule: '', windowSeconds: 0 }, sent)
  return checked(
    {
      periodSeconds: schedule === undefined ? kept.periodSeconds : 0,
      schedule: schedule ?? kept.schedule,
      windowSeconds: window ?? kept.windowSeconds,
    },
    sent,
  )
}

function checked(rule: RotationRule, sent: SentRule): RotationRule {
  if (rule.schedule === '') {
    if (sent.rotation_window !== undefined && sent.rotation_window > 0) {
      throw new BadRequest('rotation_window is invalid with use of rotation_period')
    }
    if (rule.periodSeconds === 0 && sent.rotation_period === undefined) {
      throw new BadRequest(
        'one of rotation_schedule or rotation_period must be provided to create a static account',
      )
    }
    if (rule.periodSeconds < MIN_PERIOD_SECONDS) {
      throw new BadRequest(`rotation_period must be ${MIN_PERIOD_SECONDS} seconds or more`)
    }
    return rule
  }
  if (parseSchedule(rule.schedule).after(0) === undefined) {
    throw new BadRequest('could not parse rotation_schedule: there is no such day')
  }
  if (rule.windowSeconds !== 0 && rule.windowSeconds < MIN_WINDOW_SECONDS) {
    throw new BadRequest(
      `rotation_window is invalid: rotation_window must be ${MIN_WINDOW_SECONDS} seconds or more`,
    )
  }
  return rule
}

/** The first time after `ms`. */
export function dueAfter({ periodSeconds, schedule }: RotationRule, ms: number): number {
  if (schedule === '') return ms + periodSeconds * 1000
  return parseSchedule(schedule).after(ms) ?? Number.MAX_SAFE_INTEGER
}

/** By the rule, however often it was tried since: whoever waits for the new password counts on it. */
export function nextRotationMs(role: StaticRole): number {
  return dueAfter(role, Math.max(role.rotatedAtMs, role.createdAtMs))
}

/** Whether it is too late for it now, and has to wait for the next time. */
export function hasMissedWindow(role: StaticRole, nowMs: number): boolean {
  if (role.windowSeconds === 0) return false
  const scheduled = parseSchedule(role.schedule).before(nowMs)
  return scheduled === undefined || nowMs > scheduled + role.windowSeconds * 1000
}

/** From one that failed to the next try. @param failures in a row */
export function pauseMs(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS)
}
