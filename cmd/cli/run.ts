/** Runs one command line: finds the command, runs it, and makes its end an exit code. */
import { RequestError } from '../../core/errors.ts'
import { DryRun } from '../client/dry-run.ts'
import { AnswerIsWrapped, ApiError, ConnectionFailed, RequestFailed } from '../client/errors.ts'
import { FORMATS, printerFor } from '../output/printer.ts'
import type { Printer } from '../output/printer.ts'
import { CATALOG } from './catalog.ts'
import type { Entry } from './catalog.ts'
import { setting } from '../client/environment.ts'
import { CommandFailed, EXIT_REMOTE, EXIT_USAGE } from './failure.ts'
import { commandHelp, groupHelp, programHelp } from './help.ts'
import { findEntry } from './find-entry.ts'
import type { Program } from './program.ts'
import { connector } from './connector.ts'
import type { Terminal } from './terminal.ts'
import { unknownCommand } from './unknown-command.ts'

/** No such command: the shell's own code. */
const EXIT_UNKNOWN_COMMAND = 127

/** @param args what was typed after the program's name; @returns the exit code */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
  program: Program,
): Promise<number> {
  if (args[0]?.includes('-autocomplete-') === true) {
    const { autocomplete, autocompleteAction } = await import('./autocomplete.ts')
    const action = autocompleteAction(args)
    if (action !== undefined) return autocomplete(action, terminal, program)
  }
  const asked = askedFormat(args, terminal)
  const format = FORMATS.find((known) => known === asked)
  if (format === undefined) {
    terminal.err(`Invalid output format: ${asked}\n`)
    return EXIT_USAGE
  }
  const { entry, rest } = findEntry(args)
  if (wantsHelp(args)) {
    terminal.out(`${await helpOf(entry, program)}\n`)
    return 0
  }
  if (entry?.load === undefined) {
    const unknown =
      program.command === 'keyhold'
        ? unknownCommand(CATALOG, { group: entry, rest }, program)
        : undefined
    terminal.err(`${unknown ?? (await helpOf(entry, program))}\n`)
    return entry === undefined ? EXIT_UNKNOWN_COMMAND : EXIT_USAGE
  }
  const command = await entry.load()
  const printer = await printerFor(terminal, format, program)
  try {
    return await command.execute(rest, {
      terminal,
      program,
      printer,
      connect: connector(terminal),
    })
  } catch (error) {
    return explain(error, { terminal, program, printer })
  }
}

/** The format counts wherever it stands: errors before the flags are read are shown by it too. */
function askedFormat(args: readonly string[], { env }: Terminal): string {
  let format = setting(env, 'FORMAT') ?? 'table'
  for (const [at, arg] of args.entries()) {
    if (arg === '--') break
    const [, value] = /^--?format(?:=(.*))?$/s.exec(arg) ?? []
    if (value !== undefined) format = value
    else if (/^--?format$/.test(arg)) format = args[at + 1] ?? format
  }
  return format.toLowerCase()
}

function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const before = end < 0 ? args : args.slice(0, end)
  return before.some((arg) => ['-h', '-help', '--help'].includes(arg))
}

async function helpOf(entry: Entry | undefined, program: Program): Promise<string> {
  if (entry === undefined) return programHelp(CATALOG, program)
  if (entry.load === undefined) return groupHelp(entry, CATALOG, program)
  return commandHelp(await entry.load(), program)
}

interface Surroundings {
  readonly terminal: Terminal
  readonly program: Program
  readonly printer: Printer
}

function explain(error: unknown, { terminal, program, printer }: Surroundings): number {
  if (error instanceof DryRun) {
    terminal.out(`${error.text(program.command)}\n`)
    return 0
  }
  if (error instanceof AnswerIsWrapped) {
    printer.secret(error.secret)
    return 0
  }
  if (error instanceof CommandFailed) {
    if (error.message !== '') printer.warn(error.message)
    showMore(error.cause, printer)
    if (error.hint !== undefined) printer.advise(`hint: ${error.hint}`)
    return error.exitCode
  }
  if (error instanceof RequestFailed || error instanceof RequestError) {
    printer.warn(error.message)
    showMore(error, printer)
    return EXIT_REMOTE
  }
  throw error
}

/** What the server told beside its refusal, or what a person may try. */
function showMore(cause: unknown, printer: Printer): void {
  if (cause instanceof ApiError) printer.secret(cause.secret)
  if (cause instanceof ConnectionFailed && cause.hint !== undefined)
    printer.advise(`hint: ${cause.hint}`)
}
