import { describe, expect, test } from 'vitest'
import { CATALOG, type Entry } from './catalog.ts'
import { commonFlags, type Command } from './command.ts'
import { shellWords } from './complete.ts'
import { parseFlags } from './flags.ts'
import { commandHelp } from './help.ts'
import { programNamed } from './program.ts'

const LINE_CHARACTERS = 78
/** One pastes them: they are not broken. */
const EXAMPLE_CHARACTERS = 120

interface Loaded {
  readonly name: string
  readonly command: Command
}

async function loadAll(entries: readonly Entry[]): Promise<readonly Loaded[]> {
  const all = entries.map(async ({ name, load }) =>
    load === undefined ? [] : [{ name, command: await load() }],
  )
  return (await Promise.all(all)).flat()
}

/** The lines that are indented, as words after the program's name. */
function examplesOf({ about }: Command): readonly (readonly string[])[] {
  return [...about.matchAll(/^ {2}%p (.+)$/gm)].map(([, line = '']) => shellWords(line))
}

const COMMANDS = await loadAll(CATALOG)

describe.each(COMMANDS)('the help of $name', ({ name, command }) => {
  test('has an example of it', () => {
    const own = examplesOf(command).filter((words) => words.join(' ').startsWith(name))
    expect(own).not.toEqual([])
  })

  test('has examples with flags that there are', () => {
    for (const words of examplesOf(command)) {
      const { command: meant, rest } = commandOf(words)
      const declared = { ...commonFlags(meant.outputs), ...meant.flags }
      expect(() => parseFlags(declared, rest, { anywhere: true })).not.toThrow()
    }
  })

  test('is made of sentences, flag by flag, and no wider than a terminal', () => {
    for (const [flag, { about }] of Object.entries(command.flags)) {
      expect([flag, about]).toEqual([flag, expect.stringMatching(/^["A-Z-].*\S$/s)])
    }
    for (const line of commandHelp(command, programNamed('keyhold')).split('\n')) {
      const isExample = /^ {6}keyhold /.test(line)
      expect(line.length).toBeLessThanOrEqual(isExample ? EXAMPLE_CHARACTERS : LINE_CHARACTERS)
    }
  })
})

test('each summary is a short imperative without a full stop', () => {
  for (const { name, summary } of CATALOG)
    expect([name, summary]).toEqual([name, expect.stringMatching(/^[A-Z][^.]{3,55}$/)])
})

function commandOf(words: readonly string[]): { command: Command; rest: readonly string[] } {
  const found = COMMANDS.filter(({ name }) => `${words.join(' ')} `.startsWith(`${name} `)).at(-1)
  if (found === undefined) return { command: COMMANDS[0]?.command ?? fail(), rest: ['-nowhere'] }
  return { command: found.command, rest: words.slice(found.name.split(' ').length) }
}

function fail(): never {
  throw new Error('there are commands')
}
