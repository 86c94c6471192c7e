/**
 * The server's log: JSON or readable lines on standard error, through pino. No worker thread: a line is a few
 * microseconds. Lines that a stalled reader does not take are dropped beyond a bound; they never stop the server.
 */
import { pino, type DestinationStream, type Logger } from 'pino'

export type { Logger }
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** Text that waits for a reader. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const STANDARD_ERROR = 2

export interface LogOptions {
  readonly level: LogLevel
  readonly format: 'standard' | 'json'
}

export function openLog({ level, format }: LogOptions): Logger {
  const output = pino.destination({
    dest: STANDARD_ERROR,
    sync: false,
    maxLength: MAX_WAITING_BYTES,
  })
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

/** Lines such as `2026-11-24T08:00:00.000Z [INFO]  listener: started url=...`. */
function readable(output: DestinationStream): DestinationStream {
  return {
    write(line) {
      output.write(asText(line))
    },
  }
}

function asText(line: string): string {
  const { time, level, msg, ...rest }: Record<string, unknown> = JSON.parse(line)
  const fields = Object.entries(rest).map(([name, value]) => ` ${name}=${fieldText(value)}`)
  return `${String(time)} ${`[${String(level).toUpperCase()}]`.padEnd(7)} ${String(msg)}${fields.join('')}\n`
}

function fieldText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /[\s"]/.test(text) ? JSON.stringify(text) : text
}
