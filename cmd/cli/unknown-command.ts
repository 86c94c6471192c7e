/** What is said where a command was typed that is none. */
import { nearest } from '../server/config-nearest.ts'
import type { Entry } from './catalog.ts'
import type { Program } from './program.ts'

/**
 * @param group the words that were understood, if there are any
 * @param rest the words that follow them
 * @returns undefined where no further word was typed: the help says enough
 */
export function unknownCommand(
  catalog: readonly Entry[],
  { group, rest }: { group: Entry | undefined; rest: readonly string[] },
  { command }: Program,
): string | undefined {
  const [word = ''] = rest
  if (word === '' || word.startsWith('-')) return undefined
  const before = group === undefined ? '' : `${group.name} `
  const below = catalog.flatMap(({ name }) =>
    name.startsWith(before) && !name.slice(before.length).includes(' ')
      ? [name.slice(before.length)]
      : [],
  )
  const near = nearest(word, below)
  const meant = near === undefined ? '' : `; did you mean "${command} ${before}${near}"?`
  const list = `${command} ${before}-h`
  return `there is no command "${command} ${before}${word}"${meant}\nhint: "${list}" lists the commands`
}
