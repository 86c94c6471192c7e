/** The parts of the server's log: each has a level of its own, which `sys/loggers` shows and changes. */
import type { LogLevels } from '../../engines/system/paths/loggers.ts'
import type { Logger } from './log.ts'

export interface LogParts {
  readonly audit: Logger
  readonly core: Logger
  readonly listener: Logger
}

/** @param log becomes the part `core` */
export function logParts(log: Logger): LogParts {
  return { audit: part(log), core: log, listener: part(log) }
}

/** A child of pino's follows its parent's level until it has been given one. */
function part(log: Logger): Logger {
  const child = log.child({})
  child.level = log.level
  return child
}

/** The levels of the parts; those that they have now are the configured ones. */
export function logLevels(parts: LogParts): LogLevels {
  const loggers = new Map<string, Logger>(Object.entries(parts))
  const configured = parts.core.level
  return {
    levels: () => Object.fromEntries(Array.from(loggers, ([name, { level }]) => [name, level])),
    set(name, level = configured) {
      for (const [part, logger] of loggers) {
        if (name === undefined || name === part) logger.level = level
      }
    },
  }
}
