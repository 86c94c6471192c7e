/** The command `completion`. */
import { command, exactly } from './command.ts'
import { completionScript, SHELLS } from './completion-scripts.ts'
import { UsageProblem } from './failure.ts'

export const completion = command({
  usage: 'completion bash|zsh|fish',
  about: `Prints the script by which a shell completes commands, flags and, where you are logged in, paths. "%p -autocomplete-install" enters it in the shell's settings.

  source <(%p completion bash)
  source <(%p completion zsh)
  %p completion fish | source`,
  words: exactly(1),
  async run({ args: [given = ''], printer, program }) {
    const shell = SHELLS.find((known) => known === given)
    if (shell === undefined)
      throw new UsageProblem(`There is no completion for ${given}: it is bash, zsh or fish`)
    printer.line(completionScript(shell, program.command).trimEnd())
  },
})
