/** The command `version`. */
import { between, command } from './command.ts'

export const version = command({
  usage: 'version',
  about: `Prints the version of this program.

  %p version`,
  words: between(0, Number.MAX_SAFE_INTEGER),
  run: async ({ printer, program }) => printer.line(program.versionLine),
})
