import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CHECK_NAMES } from '../diagnose/diagnose.ts'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

const OTHERS = CHECK_NAMES.filter((name) => name !== 'storage').map((name) => `-skip=${name}`)

async function run(...words: string[]) {
  const terminal = fakeTerminal({})
  const exitCode = await runCommandLine(
    ['operator', 'diagnose', ...words],
    terminal,
    programNamed('keyhold'),
  )
  return { exitCode, ...terminal.written }
}

function configFile(storage: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'keyhold-diagnose-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'keyhold.hcl')
  const listener = 'listener "tcp" { address = "127.0.0.1:0" tls_disable = true }'
  writeFileSync(file, `storage ${storage}\n${listener}\n`)
  return file
}

test('operator diagnose says what it found, what to do, and ends with 1 at a failure', async () => {
  const file = configFile('"sqlite" { path = "/nowhere/at/all/keyhold.db" }')
  const { exitCode, out } = await run(`-config=${file}`, ...OTHERS)
  expect(exitCode).toBe(1)
  expect(out).toMatch(/^Storage\n {2}\[failure\] the folder of the storage/m)
  expect(out).toMatch(/^ {4}to do: make it/m)
  expect(out).toMatch(/\n1 failures, \d warnings\n$/)
})

test('operator diagnose ends with 2 where there are warnings only', async () => {
  const { exitCode } = await run(`-config=${configFile('"inmem" {}')}`, ...OTHERS)
  expect(exitCode).toBe(2)
})

test('operator diagnose -format=json has the members of OpenBao', async () => {
  const file = configFile('"inmem" {}')
  const { exitCode, out } = await run(`-config=${file}`, '-format=json', ...OTHERS)
  expect(exitCode).toBe(2)
  const storage = {
    name: 'Storage',
    status: 'warn',
    children: [
      { status: 'warn', message: expect.stringContaining('in memory'), advice: expect.any(String) },
    ],
  }
  expect(JSON.parse(out)).toMatchObject({
    status: 'warn',
    children: expect.arrayContaining([storage]),
  })
})

test.each([
  [[], 'Must specify a configuration file using -config.'],
  [['-config=x.hcl', '-skip=weather'], 'No check is named weather; there are storage,'],
])('operator diagnose %j ends with 3', async (words, text) => {
  const { exitCode, err } = await run(...words)
  expect(exitCode).toBe(3)
  expect(err).toContain(text)
})
