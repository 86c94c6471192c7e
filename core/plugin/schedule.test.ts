import { describe, expect, test } from 'vitest'
import { parseSchedule } from './schedule.ts'

const at = (text: string) => Date.parse(`${text}Z`)
const next = (schedule: string, from: string) => {
  const found = parseSchedule(schedule).after(at(from))
  return found === undefined ? 'never' : new Date(found).toISOString().slice(0, 16)
}

describe('a schedule', () => {
  // 1 January 2026 is a Thursday.
  test.each([
    ['* * * * *', '2026-01-01T00:00', '2026-01-01T00:01'],
    ['0 0 * * *', '2026-01-01T00:00', '2026-01-02T00:00'],
    ['30 4 * * *', '2026-01-01T04:29:59', '2026-01-01T04:30'],
    ['0 0 * * SAT', '2026-01-01T00:00', '2026-01-03T00:00'],
    ['0 0 * * 7', '2026-01-01T00:00', '2026-01-04T00:00'],
    ['*/15 9-17 * * mon-fri', '2026-01-02T17:50', '2026-01-05T09:00'],
    ['5/20 1 * * *', '2026-01-01T01:26', '2026-01-01T01:45'],
    ['0 0 31 * *', '2026-02-01T00:00', '2026-03-31T00:00'],
    ['0 0 29 FEB *', '2026-01-01T00:00', '2028-02-29T00:00'],
    ['0 0 13 * FRI', '2026-01-01T00:00', '2026-01-02T00:00'],
    ['0 0 13 * FRI', '2026-01-09T00:00', '2026-01-13T00:00'],
    ['0 12 1,15 * *', '2026-01-02T00:00', '2026-01-15T12:00'],
    ['0 0 30 2 *', '2026-01-01T00:00', 'never'],
  ])('%j comes after %s at %s', (schedule, from, to) => {
    expect(next(schedule, from)).toBe(to)
  })

  test('says when it was last due', () => {
    const schedule = parseSchedule('0 3 * * SUN')
    expect(schedule.before(at('2026-01-07T00:00'))).toBe(at('2026-01-04T03:00'))
    expect(schedule.before(at('2026-01-04T03:00'))).toBe(at('2026-01-04T03:00'))
    expect(parseSchedule('0 0 30 2 *').before(at('2026-01-01T00:00'))).toBeUndefined()
  })

  test.each([
    ['', 'five fields'],
    ['* * * *', 'five fields'],
    ['* * * * * *', 'five fields'],
    ['60 * * * *', 'the minute is'],
    ['* 24 * * *', 'the hour is'],
    ['* * 0 * *', 'the day of the month is'],
    ['* * * 13 *', 'the month is *, a number from 1 to 12 or JAN to DEC'],
    ['* * * * 8', 'the day of the week is'],
    ['*/0 * * * *', 'the minute is'],
    ['5-1 * * * *', 'the minute is'],
    ['1-2-3 * * * *', 'the minute is'],
    ['1/2/3 * * * *', 'the minute is'],
    ['@daily', 'five fields'],
    [`${'1,'.repeat(200)}1 * * * *`, 'too long'],
  ])('is not %j', (text, why) => {
    expect(() => parseSchedule(text)).toThrow(`could not parse rotation_schedule: `)
    expect(() => parseSchedule(text)).toThrow(why)
  })
})
