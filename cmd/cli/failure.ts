/** How a command ends early: a text for standard error, and an exit code. */
import { RequestFailed } from '../client/errors.ts'

/** The command line itself is wrong. */
export const EXIT_USAGE = 1
/** The server, or the way to it, refused. */
export const EXIT_REMOTE = 2

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly exitCode: number
  /** What a person may try. */
  readonly hint: string | undefined

  constructor(
    text: string,
    exitCode: number = EXIT_REMOTE,
    { hint, ...options }: { cause?: unknown; hint?: string } = {},
  ) {
    super(text, options)
    this.exitCode = exitCode
    this.hint = hint
  }
}

/** The command line itself is wrong: the text says what would be right. */
export class UsageProblem extends CommandFailed {
  constructor(text: string, more: { hint?: string } = {}) {
    super(text, EXIT_USAGE, more)
  }
}

/** What `request` answers; where it fails, the command does, with `what` before the reason. */
export async function orFail<T>(
  what: string,
  request: Promise<T>,
  exitCode: number = EXIT_REMOTE,
): Promise<T> {
  try {
    return await request
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error
    throw new CommandFailed(`${what}: ${error.message}`, exitCode, { cause: error })
  }
}

/** Why a file could not be used, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'no such file or directory'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EISDIR') return 'is a directory'
  return error instanceof Error ? error.message : 'unknown reason'
}
