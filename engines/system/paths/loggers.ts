/** `sys/loggers`: how much the server's log tells, changed while it runs (contract: sys-auth.md, Tools). */
import { BadRequest } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { parseLogLevel, type LogLevel } from '../log-level.ts'

export interface LogLevels {
  /** Parts of the server by name, and the level of each. */
  levels(): Readonly<Record<string, string>>
  /** @param name of a part; `undefined`: all. @param level `undefined`: as configured */
  set(name: string | undefined, level: LogLevel | undefined): void
}

const fields = {
  name: string('Part of the server.').default(''),
  level: string('trace, debug, info, warn or error.').default(''),
}
type LoggerRequest = Request<typeof fields>

export function loggerPaths(log: LogLevels) {
  return [
    path('loggers', {
      rootOnly: true,
      summary: 'The levels of the log',
      fields,
      operations: {
        read: () => ({ data: { ...log.levels() } }),
        update: ({ data }) => log.set(undefined, levelOf(data.level)),
        delete: () => log.set(undefined, undefined),
      },
    }),
    path('loggers/:name', {
      rootOnly: true,
      summary: 'The level of the log of one part',
      fields,
      operations: {
        read: ({ data }) => one(log, data.name),
        update: ({ data }: LoggerRequest) => log.set(partOf(log, data), levelOf(data.level)),
        delete: ({ data }) => log.set(partOf(log, data), undefined),
      },
    }),
  ]
}

function one(log: LogLevels, name: string): Response {
  const level = log.levels()[name]
  return { data: level === undefined ? {} : { [name]: level } }
}

function partOf(log: LogLevels, { name }: { readonly name: string }): string {
  const parts = Object.keys(log.levels())
  if (parts.includes(name)) return name
  throw new BadRequest(`logger not found: the parts of the log are ${parts.join(', ')}`)
}

function levelOf(text: string): LogLevel {
  if (text === '') throw new BadRequest('level is required')
  const level = parseLogLevel(text)
  if (level === undefined) {
    throw new BadRequest(
      'invalid level provided: unknown log level; it is trace, debug, info, warn or error',
    )
  }
  return level
}
