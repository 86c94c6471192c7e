/**
 * Schedules in the form of cron's five fields (minute, hour, day of the month, month, day of the week), in UTC, as Vault has
 * them for rotations. A field is `*`, a number, a name (`JAN`, `SAT`), a range, a step, or a list of those. Where both kinds of
 * days are bounded, either will do.
 */
import { BadRequest } from '../errors.ts'

/** The text is no schedule; says which field. Never names the value. */
export class InvalidSchedule extends BadRequest {
  override readonly name = 'InvalidSchedule'
  constructor(why: string) {
    super(`could not parse rotation_schedule: ${why}`)
  }
}

export interface Schedule {
  /** The first time after `ms`, both in milliseconds since 1970; `undefined`: never, such as on 30 February. */
  after(ms: number): number | undefined
  /** The last time at or before `ms`. */
  before(ms: number): number | undefined
}

interface FieldFacts {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const MONTH_NAMES = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
const DAY_NAMES = 'SUN MON TUE WED THU FRI SAT'.split(' ')
const MINUTE: FieldFacts = { name: 'minute', min: 0, max: 59 }
const HOUR: FieldFacts = { name: 'hour', min: 0, max: 23 }
const DAY: FieldFacts = { name: 'day of the month', min: 1, max: 31 }
const MONTH: FieldFacts = { name: 'month', min: 1, max: 12, names: MONTH_NAMES }
const WEEKDAY: FieldFacts = { name: 'day of the week', min: 0, max: 7, names: DAY_NAMES }

const MAX_TEXT_CHARACTERS = 200
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** 29 February comes within eight years, whatever the century. */
const MOST_DAYS = 8 * 366

/** @throws {InvalidSchedule} */
export function parseSchedule(text: string): Schedule {
  if (text.length > MAX_TEXT_CHARACTERS) throw new InvalidSchedule('it is too long')
  const fields = text.trim().split(/\s+/)
  const [minute, hour, day, month, weekday] = fields
  if (fields.length !== 5 || !minute || !hour || !day || !month || !weekday) {
    throw new InvalidSchedule('it has five fields: minute, hour, day, month, day of the week')
  }
  const weekdays = parseField(weekday, WEEKDAY)
  return new Cron({
    minutes: parseField(minute, MINUTE),
    hours: parseField(hour, HOUR),
    days: parseField(day, DAY),
    months: parseField(month, MONTH),
    // 7 is Sunday, as 0 is.
    weekdays: new Set([...weekdays].map((one) => one % 7)),
    eitherDay: !isAny(day) && !isAny(weekday),
  })
}

const isAny = (field: string) => field.startsWith('*') || field === '?'

function parseField(text: string, facts: FieldFacts): ReadonlySet<number> {
  const found = new Set<number>()
  for (const item of text.split(',')) {
    const [range = '', step, ...more] = item.split('/')
    const by = step === undefined ? 1 : Number(step)
    if (more.length > 0 || !/^\d+$/.test(step ?? '1') || by < 1) throw wrong(facts)
    const { from, to } = parseRange(range, step !== undefined, facts)
    for (let value = from; value <= to; value += by) found.add(value)
  }
  return found
}

function parseRange(text: string, stepped: boolean, facts: FieldFacts) {
  if (text === '*' || text === '?') return { from: facts.min, to: facts.max }
  const [first = '', last, ...more] = text.split('-')
  const from = parseValue(first, facts)
  const to = last === undefined ? (stepped ? facts.max : from) : parseValue(last, facts)
  if (more.length > 0 || to < from) throw wrong(facts)
  return { from, to }
}

function parseValue(text: string, facts: FieldFacts): number {
  const named = facts.names?.indexOf(text.toUpperCase()) ?? -1
  if (named >= 0) return named + facts.min
  const value = /^\d{1,2}$/.test(text) ? Number(text) : -1
  if (value < facts.min || value > facts.max) throw wrong(facts)
  return value
}

function wrong({ name, min, max, names }: FieldFacts): InvalidSchedule {
  const named = names === undefined ? '' : ` or ${names[0]} to ${names.at(-1)}`
  return new InvalidSchedule(
    `the ${name} is *, a number from ${min} to ${max}${named}, a range, a step or a list of those`,
  )
}

interface Times {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly weekdays: ReadonlySet<number>
  /** A day fits by either of its two numbers. */
  readonly eitherDay: boolean
}

class Cron implements Schedule {
  readonly #times: Times
  /** Times of a day, from its start, in order. */
  readonly #ofDay: readonly number[]

  constructor(times: Times) {
    this.#times = times
    const ofDay: number[] = []
    for (const hour of times.hours) {
      for (const minute of times.minutes) ofDay.push(hour * HOUR_MS + minute * MINUTE_MS)
    }
    this.#ofDay = ofDay.toSorted((a, b) => a - b)
  }

  after(ms: number): number | undefined {
    const today = Math.floor(ms / DAY_MS) * DAY_MS
    for (let i = 0, day = today; i <= MOST_DAYS; i++, day += DAY_MS) {
      if (!this.#isDay(day)) continue
      const found = this.#ofDay.find((time) => day + time > ms)
      if (found !== undefined) return day + found
    }
    return undefined
  }

  before(ms: number): number | undefined {
    const today = Math.floor(ms / DAY_MS) * DAY_MS
    for (let i = 0, day = today; i <= MOST_DAYS; i++, day -= DAY_MS) {
      if (!this.#isDay(day)) continue
      const found = this.#ofDay.findLast((time) => day + time <= ms)
      if (found !== undefined) return day + found
    }
    return undefined
  }

  #isDay(ms: number): boolean {
    const { days, months, weekdays, eitherDay } = this.#times
    const date = new Date(ms)
    if (!months.has(date.getUTCMonth() + 1)) return false
    const byDay = days.has(date.getUTCDate())
    const byWeekday = weekdays.has(date.getUTCDay())
    return eitherDay ? byDay || byWeekday : byDay && byWeekday
  }
}
