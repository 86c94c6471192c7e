/** The command `status`. */
import { askBare } from '../client/logical.ts'
import { command } from './command.ts'
import { CommandFailed, EXIT_REMOTE, EXIT_USAGE, orFail } from './failure.ts'
import { RequestFailed } from '../client/errors.ts'
import { showSealStatus } from './seal-status.ts'
import type { Connection } from '../client/connection.ts'

export const status = command({
  usage: 'status [options]',
  about: `Shows whether the server is initialised, sealed, and how far its unsealing is. The exit code tells it to scripts: 0 unsealed, 2 sealed, 1 something went wrong.

  %p status -format=json`,
  outputs: 'format',
  async run({ connection: connect, printer, program }) {
    const connection = rootOf(connect)
    const seal = await orFail(
      'Error checking seal status',
      askBare(connection, { method: 'GET', path: 'sys/seal-status' }),
      EXIT_USAGE,
    )
    await showSealStatus(printer, connection, seal)
    if (seal['initialized'] !== true)
      printer.advise(`hint: not initialised yet; begin with: ${program.command} operator init`)
    return seal['sealed'] === true ? EXIT_REMOTE : 0
  },
})

/** The seal is the whole server's: asked in the root namespace. Exit code 2 is taken for "sealed". */
function rootOf(connect: () => Connection): Connection {
  try {
    return { ...connect(), namespace: '' }
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error
    throw new CommandFailed(error.message, EXIT_USAGE, { cause: error })
  }
}
