import { expect, test } from 'vitest'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

async function run(...args: readonly string[]) {
  const terminal = fakeTerminal()
  const exitCode = await runCommandLine(args, terminal, programNamed('keyhold'))
  return { exitCode, ...terminal.written }
}

test.each([
  [['sttus'], 127, 'there is no command "keyhold sttus"; did you mean "keyhold status"?\n'],
  [['kv', 'gte', 'a'], 1, 'there is no command "keyhold kv gte"; did you mean "keyhold kv get"?\n'],
  [['kv', 'metadata', 'pt'], 1, 'did you mean "keyhold kv metadata put"?\n'],
  [['xxxxxxxx'], 127, 'there is no command "keyhold xxxxxxxx"\nhint: "keyhold -h" lists'],
  [['list', '-detaild', 'a'], 1, 'not defined: -detaild\nhint: did you mean -detailed?\n'],
])('%j names the nearest', async (args, code, text) => {
  const { exitCode, err, out } = await run(...args)
  expect([exitCode, out]).toEqual([code, ''])
  expect(err).toContain(text)
})

test.each([[[]], [['kv']], [['kv', 'metadata']]])('%j alone shows what there is', async (args) => {
  expect((await run(...args)).err).toMatch(/^Usage: keyhold/)
})
