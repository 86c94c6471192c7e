/**
 * A command as data: from it come its parsing, its help and its refusals. `run` gets what it declared, already parsed.
 */
import type { Connection } from '../client/connection.ts'
import type { Printer } from '../output/printer.ts'
import { parseFlags } from './flags.ts'
import type { Flags, FlagValues, GivenFlags } from './flags.ts'
import { connectionFlags, fieldFlag, formatFlag } from './global-flags.ts'
import { UsageProblem } from './failure.ts'
import type { Program } from './program.ts'
import type { Terminal } from './terminal.ts'

export interface Command {
  /** What is typed after the program's name: `kv get [options] KEY`. */
  readonly usage: string
  /** Paragraphs; `%p` stands for the program's name. */
  readonly about: string
  /** Own flags; the common ones are added by `outputs`. */
  readonly flags: Flags
  readonly outputs: Outputs
  readonly execute: (args: readonly string[], setting: Setting) => Promise<number>
}

/** Which of `-format` and `-field` a command takes. */
type Outputs = 'none' | 'format' | 'field'

/** What surrounds every command. */
export interface Setting {
  readonly terminal: Terminal
  readonly program: Program
  readonly printer: Printer
  /** Connects as the flags and the environment say. */
  readonly connect: (
    flags: FlagValues<typeof connectionFlags>,
    how: { withToken: boolean },
  ) => Connection
}

export interface Call<F extends Flags> extends Setting {
  readonly flags: FlagValues<F>
  /** The words after the flags; their number fits the declaration. */
  readonly args: readonly string[]
  /** What `-field` names; undefined: it was not given, or the command has none. */
  readonly field: string | undefined
  readonly nonInteractive: boolean
  /** What `-unlock-key` says. */
  readonly unlockKey: string | undefined
  readonly connection: (how?: { withToken: boolean }) => Connection
}

/** How many words a command takes, and how a refusal says that. */
interface Words {
  readonly min: number
  readonly max: number
  readonly expected: string
}

export function exactly(count: number): Words {
  return { min: count, max: count, expected: String(count) }
}

export function between(min: number, max: number, expected = `${min}-${max}`): Words {
  return { min, max, expected }
}

/** Words of data follow (`key=value`): flags must stand before them. */
export function atLeast(min: number, expected = String(min)): Words {
  return { min, max: Number.POSITIVE_INFINITY, expected }
}

export function command<F extends Flags = Record<never, never>>(declared: {
  usage: string
  about: string
  flags?: F
  outputs?: Outputs
  words?: Words
  /** Only `read` shows an answer as it came. */
  takesRaw?: boolean
  run: (call: Call<F>) => Promise<number | void>
}): Command {
  const { usage, about, outputs = 'none', words = exactly(0), takesRaw = false, run } = declared
  return {
    usage,
    about,
    outputs,
    flags: declared.flags ?? {},
    async execute(args, setting) {
      const anywhere = words.max !== Number.POSITIVE_INFINITY
      const all = { ...commonFlags(outputs), ...declared.flags }
      const given = parseFlags(all, args, { anywhere })
      if (setting.printer.format === 'raw' && !takesRaw)
        throw new UsageProblem('This command does not support the -format=raw option.')
      const call = callOf(declared.flags, given, setting)
      warnOfLateFlags(call)
      checkCount(call.args.length, words)
      return (await run(call)) ?? 0
    },
  }
}

export function commonFlags(outputs: Outputs): Flags {
  return {
    ...connectionFlags,
    ...(outputs === 'none' ? {} : formatFlag),
    ...(outputs === 'field' ? fieldFlag : {}),
  }
}

function callOf<F extends Flags>(
  own: F | undefined,
  { words, valuesOf }: GivenFlags,
  setting: Setting,
): Call<F> {
  const common = valuesOf(connectionFlags)
  const { field } = valuesOf(fieldFlag)
  return {
    ...setting,
    flags: valuesOf(own),
    args: words,
    field: field === '' ? undefined : field,
    nonInteractive: common['non-interactive'],
    unlockKey: common['unlock-key'],
    connection: (how = { withToken: true }) => setting.connect(common, how),
  }
}

/** What looks like a flag behind the first word of data is data: said, because it is hardly ever meant. */
function warnOfLateFlags({ args, printer }: Pick<Call<Flags>, 'args' | 'printer'>): void {
  const late = args.filter((arg) => /^-./.test(arg))
  if (late.length > 0 && printer.format === 'table')
    printer.warn(`Taken as data, not as flags (flags must come first): ${late.join(' ')}`)
}

function checkCount(count: number, { min, max, expected }: Words): void {
  const problem = count < min ? 'Not enough' : count > max ? 'Too many' : undefined
  if (problem !== undefined)
    throw new UsageProblem(`${problem} arguments (expected ${expected}, got ${count})`)
}
