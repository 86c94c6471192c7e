/** The levels of the server's log, least important first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const OTHER_NAMES: Readonly<Record<string, LogLevel>> = {
  notice: 'info',
  warning: 'warn',
  err: 'error',
}

/** @param name in any case; @returns undefined where there is no such level */
export function parseLogLevel(name: string): LogLevel | undefined {
  const lower = name.toLowerCase()
  const known = LOG_LEVELS.find((level) => level === lower)
  return known ?? (Object.hasOwn(OTHER_NAMES, lower) ? OTHER_NAMES[lower] : undefined)
}

/** @returns below 0 where the first is less important */
export function compareLevels(one: LogLevel, other: LogLevel): number {
  return LOG_LEVELS.indexOf(one) - LOG_LEVELS.indexOf(other)
}
