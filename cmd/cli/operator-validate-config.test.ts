import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

async function run(words: readonly string[], env = {}) {
  const terminal = fakeTerminal({ env })
  const args = ['operator', 'validate-config', ...words]
  const exitCode = await runCommandLine(args, terminal, programNamed('keyhold'))
  return { exitCode, ...terminal.written }
}

function configFile(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'keyhold-config-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'keyhold.hcl')
  writeFileSync(file, text)
  return file
}

const LISTENER = 'listener "tcp" { address = "127.0.0.1:0" tls_disable = true }'
const STORAGE = 'storage "sqlite" { path = "/not/on/this/machine/keyhold.db" }'
const GOOD = `${STORAGE}\n${LISTENER}\naudit_directory = "/var/log/keyhold"\n`

test('a configuration for another machine is understood', async () => {
  const file = configFile(GOOD)
  const { exitCode, out, err } = await run([`-config=${file}`])
  expect([exitCode, err]).toEqual([0, ''])
  expect(out).toMatch(
    /^Configuration\n {2}\[ok\] the configuration [^]* is\s+understood\n\n0 failures, /,
  )
  expect(await run([], { VAULT_CONFIG_PATH: file })).toMatchObject({ exitCode: 0 })
})

test('what keeps a server from starting is a failure: its place, and what is meant', async () => {
  const { exitCode, out } = await run([
    `-config=${configFile(GOOD.replace('tls_disable', 'tls_disabel'))}`,
  ])
  expect(exitCode).toBe(1)
  expect(out.replaceAll(/\s+/g, ' ')).toMatch(/\[failure\] .*tls_disabel.*tls_disable/)
})

test('what has no effect is a warning, for a program too', async () => {
  const file = configFile(`${STORAGE}\n${LISTENER}\n`)
  const { exitCode, out } = await run(['-format=json', `-config=${file}`])
  expect(exitCode).toBe(2)
  expect(JSON.parse(out)).toMatchObject({
    status: 'warn',
    children: [{ children: [{ status: 'ok' }, { status: 'warn' }] }],
  })
})

test('without a configuration the command line is wrong', async () => {
  expect(await run([])).toMatchObject({ exitCode: 3, out: '' })
})
