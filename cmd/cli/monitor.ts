/** The command `monitor`. */
import { LOG_LEVELS } from '../../engines/system/log-level.ts'
import { follow } from '../client/follow.ts'
import { command } from './command.ts'
import { EXIT_USAGE, UsageProblem, orFail } from './failure.ts'
import { text } from './flags.ts'

const FORMATS = ['standard', 'json'] as const

export const monitor = command({
  usage: 'monitor [options]',
  about: `Shows the lines of the server's log as they are written, until Ctrl-C or the server is sealed. Levels that the server's own log leaves out can be had too.

  %p monitor
  %p monitor -log-level=debug -log-format=json`,
  flags: {
    'log-level': text(`This level and those above it: ${LOG_LEVELS.join(', ')}; default info.`, {
      values: LOG_LEVELS,
    }),
    'log-format': text('How the lines are written: standard (default) or json.', {
      values: FORMATS,
    }),
  },
  async run({ flags, connection, terminal }) {
    const query = {
      log_level: oneOf(LOG_LEVELS, flags['log-level'] ?? 'info', 'log level'),
      log_format: oneOf(FORMATS, flags['log-format'] ?? 'standard', 'log format'),
    }
    const lines = await orFail(
      'Error starting monitor',
      follow(connection(), { method: 'GET', path: 'sys/monitor', query }, terminal.interruption()),
      EXIT_USAGE,
    )
    for await (const text of lines) terminal.out(text)
  },
})

export function oneOf(known: readonly string[], given: string, what: string): string {
  const lower = given.toLowerCase()
  if (known.includes(lower)) return lower
  throw new UsageProblem(`${given} is an unknown ${what}. Valid ${what}s are: [${known.join(' ')}]`)
}
