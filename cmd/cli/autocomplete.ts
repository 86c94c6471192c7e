/**
 * `-autocomplete-install` and `-autocomplete-uninstall`: enter completion in the settings of the shells that a person
 * has, and take it out. Doing either twice changes nothing.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { completionScript } from './completion-scripts.ts'
import { EXIT_USAGE, reasonOf } from './failure.ts'
import type { Program } from './program.ts'
import type { Terminal } from './terminal.ts'

type Action = 'install' | 'uninstall'

/** @returns what `args` ask for; undefined: something else */
export function autocompleteAction(args: readonly string[]): Action | undefined {
  const [, action] = /^--?autocomplete-(install|uninstall)$/.exec(args[0] ?? '') ?? []
  return action === 'install' || action === 'uninstall' ? action : undefined
}

/** @param home the user's folder; @returns the exit code */
export function autocomplete(action: Action, terminal: Terminal, { command }: Program): number {
  const files = settingsFiles(terminal.home, command).filter(({ exists }) => exists)
  if (files.length === 0) {
    terminal.err('No settings of bash, zsh or fish were found in your home folder.\n')
    terminal.err(`hint: ${command} completion bash|zsh|fish prints what they need\n`)
    return EXIT_USAGE
  }
  let exitCode = 0
  for (const file of files) {
    try {
      const changed = action === 'install' ? file.install() : file.uninstall()
      const done = action === 'install' ? 'installed in' : 'removed from'
      terminal.out(
        changed ? `Completion was ${done} ${file.path}\n` : `${file.path} is as it was\n`,
      )
    } catch (error) {
      terminal.err(`${file.path} cannot be changed: ${reasonOf(error)}\n`)
      exitCode = EXIT_USAGE
    }
  }
  if (exitCode === 0 && action === 'install')
    terminal.out('It works in shells that start from now on.\n')
  return exitCode
}

interface SettingsFile {
  readonly path: string
  readonly exists: boolean
  /** @returns whether anything changed */
  install(): boolean
  uninstall(): boolean
}

function settingsFiles(home: string, program: string): readonly SettingsFile[] {
  const line = (shell: 'bash' | 'zsh') => `source <(${program} completion ${shell})`
  return [
    lineIn(join(home, '.bashrc'), line('bash')),
    lineIn(join(home, '.zshrc'), line('zsh')),
    ownFile(
      join(home, '.config/fish'),
      `completions/${program}.fish`,
      completionScript('fish', program),
    ),
  ]
}

/** A line of a file that is the user's: everything else in it stays as it is. */
function lineIn(path: string, line: string): SettingsFile {
  const text = textOf(path)
  const lines = (text ?? '').split('\n')
  const has = lines.includes(line)
  return {
    path,
    exists: text !== undefined,
    install() {
      if (has) return false
      const end = text === undefined || text === '' || text.endsWith('\n') ? '' : '\n'
      writeFileSync(path, `${text ?? ''}${end}${line}\n`)
      return true
    },
    uninstall() {
      if (has) writeFileSync(path, lines.filter((one) => one !== line).join('\n'))
      return has
    },
  }
}

function ownFile(folder: string, name: string, content: string): SettingsFile {
  const path = join(folder, name)
  const found = textOf(path)
  return {
    path,
    exists: found !== undefined || textOf(join(folder, 'config.fish')) !== undefined,
    install() {
      if (found === content) return false
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      return true
    },
    uninstall() {
      if (found !== undefined) rmSync(path)
      return found !== undefined
    },
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // not there, or not the user's to read
  }
}
