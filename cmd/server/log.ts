/**
 * The server's log: JSON or readable lines on standard error, through pino. No worker thread: a line is a few
 * microseconds. A reader that stops reading never stops the server (`log-output.ts`).
 */
import type { LogLevel } from '../../engines/system/log-level.ts'
import { openLogOutput } from './log-output.ts'
import { logParts, type ServerLog } from './log-parts.ts'
import { asText, droppedLine, type LogFormat } from './log-text.ts'

const STANDARD_ERROR = 2

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
}

export function openLog({ level, format }: LogOptions): ServerLog {
  const output = openLogOutput(STANDARD_ERROR, (count) => droppedLine(count, format))
  const write = (line: string): void => output.write(format === 'json' ? line : asText(line))
  return logParts({ write }, level)
}
