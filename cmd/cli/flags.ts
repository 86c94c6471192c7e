/**
 * Flags as Vault's command line takes them, which is Go's way: one dash or two, `-name=value` or `-name value`, a
 * boolean alone or with `=true`; reading stops at `--`. `node:util.parseArgs` was weighed: it takes neither a boolean
 * with a value nor a stop at the first word that is no flag, and both are used in scripts.
 */
import { InvalidDuration, parseDurationSeconds } from '../../core/duration.ts'
import { nearest } from '../server/config-nearest.ts'
import { UsageProblem } from './failure.ts'

interface Flag<T> {
  readonly about: string
  /** What help shows after `=`; a boolean has none. */
  readonly sample: string | undefined
  /** What it may be, for completion; empty: anything. */
  readonly values: readonly string[]
  readonly aliases: readonly string[]
  readonly hidden: boolean
  /** What it holds before it is given. */
  readonly begin: () => Holder<T>
}

/** What one flag was given so far. */
interface Holder<T> {
  readonly value: T
  /** @throws {UnfitValue} */
  add(text: string): void
}

/** Written as they are typed, without the dash. */
export type Flags = Readonly<Record<string, Flag<unknown>>>
type ValueOf<F> = F extends Flag<infer T> ? T : never
/** Of each flag what was given, or what it is without. */
export type FlagValues<F> = { readonly [K in keyof F]: ValueOf<F[K]> }

interface Manner {
  readonly alias?: string
  readonly hidden?: boolean
  readonly values?: readonly string[]
}

function flag<T>(
  about: string,
  { alias, hidden = false, values = [] }: Manner,
  { sample, initial, add }: Reading<T>,
): Flag<T> {
  const begin = () => {
    let value = initial
    return {
      get value() {
        return value
      },
      add(text: string) {
        value = add(text, value)
      },
    }
  }
  return { about, aliases: alias === undefined ? [] : [alias], hidden, values, sample, begin }
}

interface Reading<T> extends Pick<Flag<T>, 'sample'> {
  readonly initial: T
  /** @throws {UnfitValue} */
  readonly add: (text: string, before: T) => T
}

/** The value does not fit the flag; the reason is worded as Go's. */
class UnfitValue extends Error {
  override readonly name = 'UnfitValue'
}

export function text(about: string, manner: Manner = {}): Flag<string | undefined> {
  return flag<string | undefined>(about, manner, {
    sample: 'string',
    initial: undefined,
    add: (given) => given,
  })
}

export function yesNo(about: string, manner: Manner & { initial?: boolean } = {}): Flag<boolean> {
  return flag(about, manner, {
    sample: undefined,
    initial: manner.initial ?? false,
    add: parseBoolean,
  })
}

/** A boolean that can also be left to the server. */
export function maybe(about: string, manner: Manner = {}): Flag<boolean | undefined> {
  return flag<boolean | undefined>(about, manner, {
    sample: undefined,
    initial: undefined,
    add: parseBoolean,
  })
}

export function whole(about: string, manner: Manner = {}): Flag<number | undefined> {
  return flag<number | undefined>(about, manner, {
    sample: 'int',
    initial: undefined,
    add: parseWhole,
  })
}

/** Seconds; `-1` for `system`, which means the server's own. */
export function duration(about: string, manner: Manner = {}): Flag<number | undefined> {
  return flag<number | undefined>(about, manner, {
    sample: 'duration',
    initial: undefined,
    add: parseSeconds,
  })
}

/** May be given several times. */
export function list(about: string, manner: Manner = {}): Flag<readonly string[]> {
  return flag<readonly string[]>(about, manner, {
    sample: 'string',
    initial: [],
    add: (given, before) => [...before, given.trim()],
  })
}

/** `key=value`, may be given several times. */
export function pairs(about: string, manner: Manner = {}): Flag<Readonly<Record<string, string>>> {
  return flag<Readonly<Record<string, string>>>(about, manner, {
    sample: 'key=value',
    initial: {},
    add: addPair,
  })
}

function addPair(
  given: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = given.indexOf('=')
  if (at < 0) throw new UnfitValue('missing = in KV pair: it must be key=value')
  return { ...before, [given.slice(0, at)]: given.slice(at + 1) }
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']

function parseBoolean(given: string): boolean {
  if (TRUE.includes(given)) return true
  if (FALSE.includes(given)) return false
  throw new UnfitValue('parse error')
}

function parseWhole(given: string): number {
  if (!/^[+-]?\d{1,15}$/.test(given)) throw new UnfitValue(notInteger(given))
  return Number(given)
}

function parseSeconds(given: string): number {
  try {
    return given === 'system' ? -1 : parseDurationSeconds(given)
  } catch (error) {
    if (!(error instanceof InvalidDuration)) throw error
    if (given.endsWith('d')) throw new UnfitValue(notInteger(given.slice(0, -1)))
    throw new UnfitValue(
      /[smh]$/.test(given) ? `time: invalid duration ${JSON.stringify(given)}` : notInteger(given),
    )
  }
}

function notInteger(given: string): string {
  return `strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax`
}

type Holders = ReadonlyMap<string, Holder<unknown>>

export interface GivenFlags {
  readonly words: readonly string[]
  /** @param part some of the declared flags, if there are any */
  valuesOf<F extends Flags>(part?: F): FlagValues<F>
}

/**
 * @param anywhere flags count after other words too; else the first word that is no flag ends them, as where the rest
 *   is data (`key=-value`)
 * @throws {UsageProblem}
 */
export function parseFlags(
  declared: Flags,
  args: readonly string[],
  { anywhere }: { anywhere: boolean },
): GivenFlags {
  const holders = new Map(Object.entries(declared).map(([name, flag]) => [name, flag.begin()]))
  const words: string[] = []
  const given = (words: readonly string[]) => ({
    words,
    valuesOf: <F extends Flags>(part?: F) => valuesOf(part, holders),
  })
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--') return given([...words, ...args.slice(at + 1)])
    if (!arg.startsWith('-') || arg === '-') {
      if (!anywhere) return given(args.slice(at))
      words.push(arg)
    } else {
      at += takeFlag(declared, holders, arg, args[at + 1])
    }
  }
  return given(words)
}

/** @returns how many further arguments were used */
function takeFlag(declared: Flags, holders: Holders, arg: string, next: string | undefined): 0 | 1 {
  const [, given = '', inline] = /^--?([^-=][^=]*)(?:=([\s\S]*))?$/.exec(arg) ?? []
  if (given === '') throw new UsageProblem(`bad flag syntax: ${arg}`)
  const [name, found] = findFlag(declared, given)
  if (found.sample === undefined) {
    set(holders, name, found, given, inline ?? 'true')
    return 0
  }
  const value = inline ?? next
  if (value === undefined) throw new UsageProblem(`flag needs an argument: -${given}`)
  set(holders, name, found, given, value)
  return inline === undefined ? 1 : 0
}

function findFlag(declared: Flags, given: string): readonly [string, Flag<unknown>] {
  const found = Object.entries(declared).find(
    ([name, { aliases }]) => name === given || aliases.includes(given),
  )
  if (found === undefined) throw unknownFlag(declared, given)
  return found
}

function unknownFlag(declared: Flags, given: string): UsageProblem {
  const names = Object.entries(declared).flatMap(([name, { hidden, aliases }]) =>
    hidden ? [] : [name, ...aliases],
  )
  const near = nearest(given, names)
  const hint = near === undefined ? {} : { hint: `did you mean -${near}?` }
  return new UsageProblem(`flag provided but not defined: -${given}`, hint)
}

function set(
  holders: Holders,
  name: string,
  flag: Flag<unknown>,
  given: string,
  value: string,
): void {
  try {
    holders.get(name)?.add(value)
  } catch (error) {
    if (!(error instanceof UnfitValue)) throw error
    const what =
      flag.sample === undefined
        ? `invalid boolean value ${JSON.stringify(value)} for -${given}`
        : `invalid value ${JSON.stringify(value)} for flag -${given}`
    throw new UsageProblem(`${what}: ${error.message}`)
  }
}

/** The one place where the values get the types of their declarations: each holder was made by the flag of its name. */
function valuesOf<F extends Flags>(part: F | undefined, holders: Holders): FlagValues<F> {
  const values = Object.fromEntries(
    Object.keys(part ?? {}).map((name) => [name, holders.get(name)?.value]),
  )
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript has no way to make a mapped type member by member
  return values as FlagValues<F>
}
