/**
 * The server's log: JSON or readable lines on standard error, through pino. No worker thread: a line is a few
 * microseconds. A reader that stops reading never stops the server (`log-output.ts`).
 */
import { pino, type DestinationStream, type Logger } from 'pino'
import { rfc3339, systemClock } from '../../core/clock.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { openLogOutput } from './log-output.ts'

export type { Logger }
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

const STANDARD_ERROR = 2

export interface LogOptions {
  readonly level: LogLevel
  readonly format: 'standard' | 'json'
}

export function openLog({ level, format }: LogOptions): Logger {
  const output = openLogOutput(STANDARD_ERROR, (count) => droppedLine(count, format))
  const stream = format === 'json' ? output : readable(output)
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['token', 'key', 'headers', '*.token', '*.key'], remove: true },
    },
    stream,
  )
}

/** As the other lines look, but written past pino: it is the output that knows. */
function droppedLine(dropped: number, format: LogOptions['format']): string {
  const time = rfc3339(systemClock.nowMs())
  const msg = 'core: lines of this log were dropped: nobody read it'
  const line = JSON.stringify({ level: 'warn', time, dropped, msg })
  return format === 'json' ? `${line}\n` : asText(line)
}

/** Lines such as `2026-11-24T08:00:00.000Z [INFO]  listener: started url=...`. */
function readable(output: DestinationStream): DestinationStream {
  return {
    write(line) {
      output.write(asText(line))
    },
  }
}

function asText(line: string): string {
  const entry = JSON.parse(line)
  if (!isJsonObject(entry)) return line
  const { time, level, msg, ...rest } = entry
  const fields = Object.entries(rest).map(([name, value]) => ` ${name}=${fieldText(value)}`)
  return `${plain(time)} ${`[${plain(level).toUpperCase()}]`.padEnd(7)} ${plain(msg)}${fields.join('')}\n`
}

function plain(value: Json = ''): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function fieldText(value: Json): string {
  const text = plain(value)
  return /[\s"]/.test(text) ? JSON.stringify(text) : text
}
