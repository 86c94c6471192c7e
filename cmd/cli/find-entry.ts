/** Finds the command that was typed. */
import { CATALOG, type Entry } from './catalog.ts'

/** The command with the longest name that the first words spell. */
export function findEntry(args: readonly string[]): {
  entry: Entry | undefined
  rest: readonly string[]
} {
  let found: { entry: Entry | undefined; rest: readonly string[] } = {
    entry: undefined,
    rest: args,
  }
  for (let words = 1; words <= args.length; words++) {
    const name = args.slice(0, words).join(' ')
    const entry = CATALOG.find((candidate) => candidate.name === name)
    if (entry === undefined) break
    found = { entry, rest: args.slice(words) }
  }
  return found
}
