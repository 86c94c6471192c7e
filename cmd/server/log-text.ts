/** A line of the log as pino writes it (JSON), and as a person reads it. */
import { rfc3339, systemClock } from '../../core/clock.ts'
import { isJsonObject, type Json } from '../../core/json.ts'

export type LogFormat = 'standard' | 'json'

/** Lines such as `2026-11-24T08:00:00.000Z [INFO]  listener: started url=...`. */
export function asText(line: string): string {
  const entry = JSON.parse(line)
  if (!isJsonObject(entry)) return line
  const { time, level, msg, ...rest } = entry
  const fields = Object.entries(rest).map(([name, value]) => ` ${name}=${fieldText(value)}`)
  return `${plain(time)} ${`[${plain(level).toUpperCase()}]`.padEnd(7)} ${plain(msg)}${fields.join('')}\n`
}

/** A line in the format of the others that is written past pino, by who hands the lines on. */
export function noticeLine(
  entry: Readonly<Record<string, string | number>> & { readonly msg: string },
  format: LogFormat,
): string {
  const { msg, ...rest } = entry
  const line = JSON.stringify({ level: 'warn', time: rfc3339(systemClock.nowMs()), ...rest, msg })
  return format === 'json' ? `${line}\n` : asText(line)
}

/** How many lines are missing, where they are. */
export function droppedLine(dropped: number, format: LogFormat): string {
  return noticeLine(
    { dropped, msg: 'core: lines of this log were dropped: nobody read it' },
    format,
  )
}

function plain(value: Json = ''): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function fieldText(value: Json): string {
  const text = plain(value)
  return /[\s"]/.test(text) ? JSON.stringify(text) : text
}
