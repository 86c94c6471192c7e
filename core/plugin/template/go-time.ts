/** Times in the layouts of Go (`2006-01-02 15:04:05 -0700`), always in UTC. */

const LAYOUT =
  /2006|January|Jan|Monday|Mon|MST|-07:00|-0700|-07|Z07:00|Z0700|\.0+(?!\d)|01|02|03|04|05|06|15|_2|PM|pm|1|2|3|4|5/g

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const two = (value: number) => String(value).padStart(2, '0')
const twelve = (date: Date) => date.getUTCHours() % 12 || 12

const PARTS: Readonly<Record<string, (date: Date) => string>> = {
  '2006': (date) => String(date.getUTCFullYear()).padStart(4, '0'),
  '06': (date) => two(date.getUTCFullYear() % 100),
  January: (date) => MONTHS[date.getUTCMonth()] ?? '',
  Jan: (date) => (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3),
  '01': (date) => two(date.getUTCMonth() + 1),
  '1': (date) => String(date.getUTCMonth() + 1),
  Monday: (date) => DAYS[date.getUTCDay()] ?? '',
  Mon: (date) => (DAYS[date.getUTCDay()] ?? '').slice(0, 3),
  '02': (date) => two(date.getUTCDate()),
  _2: (date) => String(date.getUTCDate()).padStart(2, ' '),
  '2': (date) => String(date.getUTCDate()),
  '15': (date) => two(date.getUTCHours()),
  '03': (date) => two(twelve(date)),
  '3': (date) => String(twelve(date)),
  '04': (date) => two(date.getUTCMinutes()),
  '4': (date) => String(date.getUTCMinutes()),
  '05': (date) => two(date.getUTCSeconds()),
  '5': (date) => String(date.getUTCSeconds()),
  PM: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  pm: (date) => (date.getUTCHours() < 12 ? 'am' : 'pm'),
  MST: () => 'UTC',
  '-07:00': () => '+00:00',
  '-0700': () => '+0000',
  '-07': () => '+00',
  'Z07:00': () => 'Z',
  Z0700: () => 'Z',
}

export function formatGoTime(layout: string, ms: number): string {
  const date = new Date(ms)
  return layout.replaceAll(LAYOUT, (part) => {
    const format = PARTS[part]
    if (format !== undefined) return format(date)
    const digits = part.length - 1
    return `.${String(date.getUTCMilliseconds()).padStart(3, '0').padEnd(digits, '0').slice(0, digits)}`
  })
}
