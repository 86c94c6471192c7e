/** The command `operator unseal`: one key share, given in secret; what is still missing is said in plain words. */
import type { JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { ApiError } from '../client/errors.ts'
import { askBare } from '../client/logical.ts'
import { numberOf, textOf } from '../client/secret.ts'
import { wrapText } from '../output/wrap.ts'
import { between, command } from './command.ts'
import type { Call } from './command.ts'
import { CommandFailed, EXIT_USAGE, UsageProblem, orFail } from './failure.ts'
import type { Flags } from './flags.ts'
import { yesNo } from './flags.ts'
import { showSealStatus } from './seal-status.ts'
import { InputEnded, Interrupted, NoTerminal } from './terminal.ts'

export const unseal = command({
  usage: 'operator unseal [options] [KEY]',
  about: `Gives the server one key share. Without KEY it is asked for and not shown while you type: safer than an argument, which the shell remembers. When enough different shares were given, by one person or by several at different machines, the server opens.

  %p operator unseal
  %p operator unseal -reset`,
  outputs: 'format',
  words: between(0, 1, '1'),
  flags: {
    reset: yesNo('Forget the shares that were given so far and start anew.'),
    migrate: yesNo('This share is for moving to another seal.'),
  },
  async run(call) {
    const { printer, program } = call
    const connection = call.connection()
    if (call.flags.reset) {
      const status = await orFail(
        'Error resetting unseal process',
        askBare(connection, { method: 'PUT', path: 'sys/unseal', body: { reset: true } }),
      )
      await showSealStatus(printer, connection, status)
      return printer.advise(
        'The shares given before are forgotten. Start again with the first one.',
      )
    }
    const key = (call.args[0] ?? '').trim() || (await askForKey(call))
    const before = program.command === 'keyhold' ? await attemptSoFar(connection) : undefined
    const body = { key, reset: false, migrate: call.flags.migrate }
    const request = { method: 'PUT', path: 'sys/unseal', body } as const
    const status = await orFail('Error unsealing', askBare(connection, request)).catch(
      (error: unknown) => {
        throw refusedShare(error, program.command)
      },
    )
    await showSealStatus(printer, connection, status)
    if (before !== undefined && before === attemptOf(status)) printer.advise(GIVEN_BEFORE)
    printer.advise(whatIsNext(status, program.command))
  },
})

const GIVEN_BEFORE =
  'This share was given before: nothing has changed. A share of another holder is needed.'

/** The attempt that runs and how far it is; `undefined`: none, or nobody can say. */
function attemptOf({ nonce, progress }: JsonObject): string | undefined {
  return textOf(nonce) === '' ? undefined : `${textOf(nonce)} ${numberOf(progress)}`
}

/** Only to say more to the person: whatever stands in the way is told by the request that matters. */
async function attemptSoFar(connection: Connection): Promise<string | undefined> {
  if (connection.mode !== 'send') return undefined
  try {
    const request = { method: 'GET', path: 'sys/seal-status' } as const
    return attemptOf(await askBare({ ...connection, maxRetries: 0 }, request))
  } catch {
    return undefined
  }
}

async function askForKey({ terminal, nonInteractive, printer }: Call<Flags>): Promise<string> {
  if (nonInteractive)
    throw new UsageProblem(
      wrapText('-non-interactive was given, so the key is not asked for: give it as an argument.'),
    )
  // A program that reads the answer finds nothing else on standard output.
  const on = printer.format === 'table' ? 'out' : 'err'
  try {
    const typed = await terminal.askHidden({ text: 'Unseal Key (will be hidden): ', on })
    return typed.trim()
  } catch (error) {
    if (error instanceof Interrupted) throw new CommandFailed('interrupted', EXIT_USAGE)
    if (error instanceof NoTerminal) throw new UsageProblem(wrapText(noTerminalText(error)))
    if (error instanceof InputEnded)
      throw new UsageProblem('The input ended before a key was given: type it, or give it as KEY.')
    throw error
  }
}

/** Vault's text, blanks and all: suites compare it. */
function noTerminalText({ message }: NoTerminal): string {
  return (
    'An error occurred attempting to ask for an unseal key. The raw error message is shown below, ' +
    'but usually this is because you attempted to pipe a value into the unseal command or you are ' +
    'executing outside of a terminal (tty). You should run the unseal command from a terminal for ' +
    'maximum security. If this is not an option, the unseal key can be provided as the first ' +
    `argument to the unseal command. The raw error was:\n\n${message}`
  )
}

/** The server refuses a share that cannot be one, or all together once there are enough of them. */
function refusedShare(error: unknown, program: string): unknown {
  if (!(error instanceof CommandFailed && error.cause instanceof ApiError)) return error
  const { message, cause } = error
  if (error.cause.status !== 400) return error
  return new CommandFailed(message, undefined, {
    cause,
    hint: `look whether the share was copied whole and belongs to this server; if it was the last one needed, all must be given again, from the first: ${program} operator unseal`,
  })
}

/** For a person under stress: where we are, and the one thing to do. */
function whatIsNext(status: JsonObject, program: string): string {
  if (status['sealed'] !== true)
    return 'The server is unsealed and answers requests. Nothing more to do.'
  const given = numberOf(status['progress'])
  const missing = numberOf(status['t']) - given
  if (given === 0)
    return `The shares given so far do not open this server, and were forgotten. Check that each is one of this server's and that none was given twice, then start again with the first: ${program} operator unseal`
  const shares = missing === 1 ? '1 more share is' : `${missing} more shares are`
  return `${given} of ${numberOf(status['t'])} shares given; ${shares} needed. The next holder runs: ${program} operator unseal`
}
