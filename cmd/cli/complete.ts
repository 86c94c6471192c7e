/**
 * What a shell may put behind what was typed so far: commands, flags, values of flags, and names that the server tells.
 * Nothing goes wrong here: what cannot be completed has no candidates.
 */
import { CATALOG, type Entry } from './catalog.ts'
import { commonFlags, type Command } from './command.ts'
import { ARGUMENTS } from './complete-arguments.ts'
import { UsageProblem } from './failure.ts'
import { findEntry } from './find-entry.ts'
import { parseFlags, type Flags, type GivenFlags } from './flags.ts'
import { connectionFlags, mountFlag } from './global-flags.ts'
import type { Terminal } from './terminal.ts'
import { connector } from './connector.ts'

/**
 * @param line what was typed, up to the cursor, the program's name first
 * @param word the last word as the shell sees it: bash ends words at `=` and `:`
 * @returns what may stand for `word`
 */
export async function candidates(
  line: string,
  word: string | undefined,
  terminal: Pick<Terminal, 'env' | 'home'>,
): Promise<readonly string[]> {
  const [, ...words] = shellWords(line)
  const last = words.pop() ?? ''
  // What of the last word the shell keeps as it is.
  const kept = word !== undefined && last.endsWith(word) ? last.length - word.length : 0
  const all = await candidatesFor(words, last, terminal)
  return all.filter((one) => one.startsWith(last)).map((one) => one.slice(kept))
}

async function candidatesFor(
  words: readonly string[],
  last: string,
  terminal: Pick<Terminal, 'env' | 'home'>,
): Promise<readonly string[]> {
  const { entry, rest } = findEntry(words)
  if (entry?.name === 'server') return last.startsWith('-') ? serverFlags() : []
  if (entry?.load === undefined) return rest.length === 0 ? namesBelow(entry, last) : []
  const command = await entry.load()
  const flags = { ...commonFlags(command.outputs), ...command.flags }
  const awaiting = flagThatWaits(flags, rest.at(-1))
  if (awaiting !== undefined) return awaiting
  if (last.startsWith('-')) return flagTexts(flags, last)
  return argumentsOf(entry, command, { flags, rest, last, terminal })
}

function namesBelow(entry: Entry | undefined, last: string): readonly string[] {
  if (last.startsWith('-')) return ['-h']
  const before = entry === undefined ? '' : `${entry.name} `
  return CATALOG.flatMap(({ name }) =>
    name.startsWith(before) && !name.slice(before.length).includes(' ')
      ? [name.slice(before.length)]
      : [],
  )
}

async function serverFlags(): Promise<readonly string[]> {
  const { FLAG_NAMES } = await import('../server/flags.ts')
  return FLAG_NAMES.map((name) => `-${name}`)
}

/** `-format` or `-format=`: the values of the flag, whole; undefined: it is no flag that waits for one. */
function flagThatWaits(flags: Flags, before: string | undefined): readonly string[] | undefined {
  const flag = namedFlag(flags, /^--?([^=]+)$/.exec(before ?? '')?.[1])
  return flag?.sample === undefined ? undefined : flag.values
}

function namedFlag(flags: Flags, name: string | undefined) {
  return Object.entries(flags).find(
    ([own, { aliases }]) => name !== undefined && (own === name || aliases.includes(name)),
  )?.[1]
}

function flagTexts(flags: Flags, last: string): readonly string[] {
  const [, dashes = '-', name] = /^(--?)([^=]*)=/.exec(last) ?? []
  if (name !== undefined)
    return (namedFlag(flags, name)?.values ?? []).map((value) => `${dashes}${name}=${value}`)
  const prefix = last.startsWith('--') ? '--' : '-'
  const shown = Object.entries(flags).filter(([, { hidden }]) => !hidden)
  return ['h', ...shown.map(([own]) => own)].map((own) => prefix + own)
}

interface Typed {
  readonly flags: Flags
  readonly rest: readonly string[]
  readonly last: string
  readonly terminal: Pick<Terminal, 'env' | 'home'>
}

/** A shell waits for it: no longer than a person would. */
const TIMEOUT_MS = 1_000

/** Only the first word of a command is one that the server knows. */
async function argumentsOf(
  { name }: Entry,
  command: Command,
  { flags, rest, last, terminal }: Typed,
): Promise<readonly string[]> {
  const known = Object.hasOwn(ARGUMENTS, name) ? ARGUMENTS[name] : undefined
  const given = parsed(flags, rest)
  if (known === undefined || given === undefined || given.words.length > 0) return []
  if (typeof known !== 'function') return known
  try {
    const connect = connector(terminal)
    const connection = connect(given.valuesOf(connectionFlags), { withToken: true })
    if (connection.token === '') return []
    const { mount } = given.valuesOf(mountFlag)
    const quick = {
      timeoutMs: TIMEOUT_MS,
      maxRetries: 0,
      mode: 'send',
      wrapTtl: undefined,
    } as const
    return await known(
      { ...connection, ...quick },
      last,
      'mount' in command.flags ? mount : undefined,
    )
  } catch {
    return []
  }
}

function parsed(flags: Flags, rest: readonly string[]): GivenFlags | undefined {
  try {
    return parseFlags(flags, rest, { anywhere: true })
  } catch (error) {
    if (error instanceof UsageProblem) return undefined
    throw error
  }
}

/** The words of a command line that may be unfinished: the last one is where the cursor is, '' after a blank. */
export function shellWords(line: string): string[] {
  const words = ['']
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    let character = line[at] ?? ''
    if (quote === '' && /\s/.test(character)) {
      if (words.at(-1) !== '') words.push('')
      continue
    }
    if (character === quote) quote = ''
    else if (quote === '' && (character === '"' || character === "'")) quote = character
    else {
      if (character === '\\' && quote !== "'") character = line[++at] ?? ''
      words.push((words.pop() ?? '') + character)
    }
  }
  return words
}
