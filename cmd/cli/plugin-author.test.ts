import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readPlugin } from '../../core/external/files.ts'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

/** Runs in a folder of its own. */
async function run(words: string) {
  const before = process.cwd()
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'keyhold-author-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  process.chdir(folder)
  writeFileSync('a.mjs', 'export default 1')
  try {
    const terminal = fakeTerminal({})
    const exitCode = await runCommandLine(words.split(' '), terminal, programNamed('keyhold'))
    return { exitCode, folder, ...terminal.written }
  } finally {
    process.chdir(before)
  }
}

test('the digest of a module is printed alone, for other commands', async () => {
  const { exitCode, out, folder } = await run('plugin digest a.mjs')

  expect(exitCode).toBe(0)
  expect(out).toBe(`${(await readPlugin(join(folder, 'a.mjs'))).sha256}\n`)
})

test('what is no plugin has no digest', async () => {
  const { exitCode, out, err } = await run('plugin digest .')

  expect(exitCode).toBe(2)
  expect(out).toBe('')
  expect(err).toMatch(/^Error reading the plugin: .* has no package\.json/)
})

test.each(['secret', 'auth'])(
  'a plugin of kind %s begins with what runs as it is',
  async (kind) => {
    const { exitCode, out, folder } = await run(`plugin new -kind=${kind} mine`)

    expect(exitCode).toBe(0)
    expect(out).toContain('cd mine')
    expect((await readPlugin(join(folder, 'mine'))).entry).toBe('src/plugin.ts')
    const readme = readFileSync(join(folder, 'mine/README.md'), 'utf8')
    expect(readme).toContain(`keyhold ${kind === 'auth' ? 'auth' : 'secrets'} enable mine`)
    expect(readme).not.toContain('NAME')
  },
)

test.each([
  ['plugin new Mine', 1, 'small letters'],
  ['plugin new a/b', 1, 'small letters'],
  ['plugin new -kind=database mine', 1, '-kind is secret or auth'],
  ['plugin new', 1, 'Not enough arguments'],
])('%s is refused', async (words, exitCode, text) => {
  expect(await run(words)).toMatchObject({ exitCode, err: expect.stringContaining(text) })
})

test('what is there already is not written over', async () => {
  const ran = await run('plugin new tmp')
  expect(ran.exitCode).toBe(0)
  const before = process.cwd()
  process.chdir(ran.folder)
  try {
    const terminal = fakeTerminal({})
    const words = ['plugin', 'new', 'tmp']
    expect(await runCommandLine(words, terminal, programNamed('keyhold'))).toBe(2)
    expect(terminal.written.err).toContain('is there already')
  } finally {
    process.chdir(before)
  }
})
