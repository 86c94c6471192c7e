/** One key share for a ceremony on the open server, from where the person gives it: the terminal, a pipe, an argument. */
import type { JsonObject } from '../../core/json.ts'
import { ApiError } from '../client/errors.ts'
import { textOf } from '../client/secret.ts'
import { wrapText } from '../output/wrap.ts'
import type { Call } from './command.ts'
import { CommandFailed, EXIT_USAGE, UsageProblem } from './failure.ts'
import type { Flags } from './flags.ts'
import { InputEnded, Interrupted, NoTerminal } from './terminal.ts'

type ShareCall = Pick<Call<Flags>, 'args' | 'terminal' | 'nonInteractive' | 'printer'>

export interface GivenShare {
  readonly key: string
  readonly nonce: string
}

/**
 * The share, and the nonce of the ceremony that it is meant for: at the terminal the nonce of the one that runs, which
 * is shown; otherwise what `-nonce` says, so that no script gives a share to a ceremony that somebody else began.
 *
 * @param status of the ceremony that runs
 * @throws {UsageProblem} no share, or no nonce
 */
export async function takeShare(
  call: ShareCall,
  status: JsonObject,
  nonceFlag: string | undefined,
): Promise<GivenShare> {
  const [word = ''] = call.args
  if (word === '')
    return { key: await ask(call, textOf(status['nonce'])), nonce: textOf(status['nonce']) }
  if (nonceFlag === undefined || nonceFlag === '')
    throw new UsageProblem('Missing nonce value: specify it via the -nonce flag')
  return { key: (await givenBy(call, word)).trim(), nonce: nonceFlag }
}

/** A share that counts for no ceremony: the argument, or what is typed. @throws {UsageProblem} no share */
export async function takeLoneShare(call: ShareCall): Promise<string> {
  const [word = ''] = call.args
  if (word === '') return askFor(call, 'Unseal Key (will be hidden): ')
  return (await givenBy(call, word)).trim()
}

/** What `word` stands for: `-` for what is piped in, else itself. */
async function givenBy(
  { terminal, nonInteractive }: Pick<Call<Flags>, 'terminal' | 'nonInteractive'>,
  word: string,
): Promise<string> {
  if (word !== '-') return word
  return nonInteractive ? '' : (await terminal.readInput()).toString('utf8')
}

function ask(call: ShareCall, nonce: string): Promise<string> {
  return askFor(call, `Operation nonce: ${nonce}\nUnseal Key (will be hidden): `)
}

async function askFor(
  { terminal, nonInteractive, printer }: ShareCall,
  text: string,
): Promise<string> {
  if (nonInteractive)
    throw new UsageProblem(
      wrapText(
        'Refusing to read from stdin with -non-interactive specified; specify nonce via the -nonce flag',
      ),
    )
  // A program that reads the answer finds nothing else on standard output.
  const on = printer.format === 'table' ? 'out' : 'err'
  try {
    return (await terminal.askHidden({ text, on })).trim()
  } catch (error) {
    if (error instanceof Interrupted) throw new CommandFailed('user canceled', EXIT_USAGE)
    if (error instanceof NoTerminal || error instanceof InputEnded)
      throw new UsageProblem(wrapText(noShareText(error)))
    throw error
  }
}

function noShareText({ message }: Error): string {
  return (
    'An error occurred attempting to ask for the unseal key. The raw error message is shown below, ' +
    'but usually this is because you attempted to pipe a value into the command or you are ' +
    'executing outside of a terminal (tty). If you want to pipe the value, pass "-" as the argument ' +
    `to read from stdin. The raw error was: ${message}`
  )
}

/** What to do where the token may not take part. @param setting that opens the ceremony to who has none */
export function refusedCaller(error: unknown, setting: string): unknown {
  if (!(error instanceof CommandFailed && error.cause instanceof ApiError)) return error
  if (error.cause.status !== 403) return error
  return new CommandFailed(error.message, undefined, {
    cause: error.cause,
    hint: `it takes a token with the right to it, and sudo to begin and to cancel; where nobody has one, a listener with ${setting} = false lets the key shares alone decide`,
  })
}

/** What to do where the server refuses a share. @param again the command of the ceremony */
export function refusedShare(error: unknown, again: string): unknown {
  if (!(error instanceof CommandFailed && error.cause instanceof ApiError)) return error
  if (error.cause.status !== 400) return error
  return new CommandFailed(error.message, undefined, {
    cause: error.cause,
    hint: `nothing is changed but the progress, which ${again} -status shows; if it is 0, one of the shares was wrong, and all holders give theirs again. Look whether this share was copied whole and is one of the present ones, and whether its holder has given it before`,
  })
}
