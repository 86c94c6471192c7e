/**
 * The parts of the server's log: each has a level of its own, which `sys/loggers` shows and changes. It decides what the
 * log's output gets; those who follow the log may ask for more.
 */
import { pino, type DestinationStream, type Logger } from 'pino'
import { isJsonObject } from '../../core/json.ts'
import { compareLevels, parseLogLevel, type LogLevel } from '../../engines/system/log-level.ts'
import type { LogLevels } from '../../engines/system/paths/loggers.ts'
import { LogTail } from './log-tail.ts'

export type { Logger }

export interface LogParts {
  readonly audit: Logger
  readonly core: Logger
  readonly listener: Logger
  /** What external plugins print, and how they fare. */
  readonly plugin: Logger
}

export interface ServerLog {
  readonly parts: LogParts
  readonly levels: LogLevels
  readonly tail: LogTail
}

/** @param output gets each line as JSON, with its newline */
export function logParts(output: DestinationStream, configured: LogLevel): ServerLog {
  const tail = new LogTail(() => {
    for (const part of Object.values(parts)) part.adapt()
  })
  const part = (): Part => new Part(output, tail, configured)
  const parts = { audit: part(), core: part(), listener: part(), plugin: part() }
  return {
    tail,
    parts: {
      audit: parts.audit.logger,
      core: parts.core.logger,
      listener: parts.listener.logger,
      plugin: parts.plugin.logger,
    },
    levels: {
      levels: () =>
        Object.fromEntries(Object.entries(parts).map(([name, { level }]) => [name, level])),
      set(name, level = configured) {
        for (const [own, part] of Object.entries(parts)) {
          if (name === undefined || name === own) part.set(level)
        }
      },
    },
  }
}

class Part {
  readonly logger: Logger
  readonly #tail: LogTail
  #level: LogLevel

  constructor(output: DestinationStream, tail: LogTail, level: LogLevel) {
    this.#tail = tail
    this.#level = level
    this.logger = pino(
      {
        level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        redact: { paths: ['token', 'key', 'headers', '*.token', '*.key'], remove: true },
      },
      { write: (line) => this.#write(line, output) },
    )
  }

  get level(): LogLevel {
    return this.#level
  }

  set(level: LogLevel): void {
    this.#level = level
    this.adapt()
  }

  /** Makes as many lines as its own level and those who follow the log want together. */
  adapt(): void {
    const { level } = this.#tail
    const more = level !== undefined && compareLevels(level, this.#level) < 0
    this.logger.level = more ? level : this.#level
  }

  #write(line: string, output: DestinationStream): void {
    if (this.#tail.level === undefined) return output.write(line)
    const level = levelOf(line)
    if (compareLevels(level, this.#level) >= 0) output.write(line)
    this.#tail.write(line, level)
  }
}

/** What pino calls fatal counts as an error here. */
function levelOf(line: string): LogLevel {
  const entry = JSON.parse(line)
  const name = isJsonObject(entry) ? entry['level'] : undefined
  return (typeof name === 'string' ? parseLogLevel(name) : undefined) ?? 'error'
}
