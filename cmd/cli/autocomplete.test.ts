import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { namedBinary } from '../../test/support/named-binary.ts'
import { completionScript } from './completion-scripts.ts'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keyhold-shells-'))
})
afterEach(() => rmSync(home, { recursive: true }))

async function run(...args: readonly string[]) {
  const terminal = fakeTerminal({ home })
  const exitCode = await runCommandLine(args, terminal, programNamed('keyhold'))
  return { exitCode, ...terminal.written }
}

test('completion is entered in the settings of the shells that there are, once', async () => {
  writeFileSync(join(home, '.bashrc'), 'alias ll="ls -l"')
  mkdirSync(join(home, '.config/fish'), { recursive: true })
  writeFileSync(join(home, '.config/fish/config.fish'), '')

  const first = await run('-autocomplete-install')
  const second = await run('--autocomplete-install')

  expect(first.exitCode).toBe(0)
  expect(first.out).toContain(`Completion was installed in ${join(home, '.bashrc')}\n`)
  expect(second.out).toContain(`${join(home, '.bashrc')} is as it was\n`)
  expect(readFileSync(join(home, '.bashrc'), 'utf8')).toBe(
    'alias ll="ls -l"\nsource <(keyhold completion bash)\n',
  )
  const fish = join(home, '.config/fish/completions/keyhold.fish')
  expect(readFileSync(fish, 'utf8')).toBe(completionScript('fish', 'keyhold'))
  expect(() => readFileSync(join(home, '.zshrc'))).toThrow('ENOENT')

  expect(await run('-autocomplete-uninstall')).toMatchObject({ exitCode: 0 })
  expect(readFileSync(join(home, '.bashrc'), 'utf8')).toBe('alias ll="ls -l"\n')
  expect(() => readFileSync(fish)).toThrow('ENOENT')
})

test('where no shell has settings, it says what to do instead', async () => {
  const { exitCode, err } = await run('-autocomplete-install')
  expect(exitCode).toBe(1)
  expect(err).toContain('keyhold completion bash|zsh|fish')
})

test('a shell that is none is refused, and the script is for the name that was typed', async () => {
  expect(await run('completion', 'tcsh')).toMatchObject({ exitCode: 1, out: '' })
  const terminal = fakeTerminal()
  await runCommandLine(['completion', 'fish'], terminal, programNamed('bao'))
  expect(terminal.written.out).toContain('complete -c bao ')
})

test('bash completes by the script', () => {
  const bin = namedBinary({ dir: home, name: 'keyhold' })
  const complete = (line: string, word: string) => {
    const script = `source <(keyhold completion bash)
COMP_LINE='${line}' COMP_POINT=${line.length}
_keyhold_complete keyhold '${word}' x
printf '%s\\n' "\${COMPREPLY[@]}"`
    const done = spawnSync('bash', ['-c', script], {
      encoding: 'utf8',
      cwd: resolve(import.meta.dirname, '../..'),
      env: { PATH: `${bin}:${process.env['PATH']}`, HOME: home },
    })
    return done.stdout.split('\n').slice(0, -1)
  }
  expect(complete('keyhold kv m', 'm')).toEqual(['metadata'])
  expect(complete('keyhold status -format=j', 'j')).toEqual(['json'])
})
