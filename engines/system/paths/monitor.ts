/** `sys/monitor`: the lines of the server's log as they are written (contract: sys-auth.md, monitoring). */
import { BadRequest, RequestError } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response, Streamed } from '../../../core/plugin/response.ts'
import { parseLogLevel, type LogLevel } from '../log-level.ts'

const FORMATS = ['standard', 'json'] as const

/** Lines at a level and above, from when they are first asked for. @throws {TooManyFollowers} */
export type Follow = (how: {
  readonly level: LogLevel
  readonly format: (typeof FORMATS)[number]
}) => Streamed

/** 429: so many follow the log of this node that one more is refused. */
export class TooManyFollowers extends RequestError {
  override readonly name = 'TooManyFollowers'

  constructor(most: number) {
    super(429, `${most} requests follow the log of this node already; end one of them first`)
  }
}

const fields = {
  log_level: string('trace, debug, info, warn or error: this level and those above it.')
    .default('info')
    .inQuery(),
  log_format: string('standard or json.').default('standard').inQuery(),
}

export function monitorPath(follow: Follow) {
  return path('monitor', {
    rootOnly: true,
    summary: "The lines of this node's log as they are written",
    description:
      'Sends the lines of the log until the client goes or the node is sealed. Whoever reads too slowly loses lines, and is told how many.',
    fields,
    operations: { read: (request) => monitor(request, follow) },
  })
}

function monitor({ data }: Request<typeof fields>, follow: Follow): Response {
  const level = parseLogLevel(data.log_level || 'info')
  if (level === undefined)
    throw new BadRequest('unknown log level; log_level is trace, debug, info, warn or error')
  const format = FORMATS.find((known) => known === data.log_format.toLowerCase())
  if (format === undefined)
    throw new BadRequest('unknown log format; log_format is standard or json')
  const body = follow({ level, format })
  return { raw: { contentType: 'text/plain; charset=utf-8', body }, data: {} }
}
