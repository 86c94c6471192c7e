import { expect, test } from 'vitest'
import { missingProgram } from '../support/outside.ts'
import { serverCommand } from '../support/server-process.ts'
import { run } from './keyhold-process.ts'

const withoutScript = missingProgram('script', ['--version'], 'script (of util-linux)')

/** At a terminal that `script` makes, and that is given `input` and then its end. */
function atTerminal(args: string, input: string) {
  const command = [...serverCommand(), args].join(' ')
  return run([], { command: ['script', '-qec', command, '/dev/null'], input })
}

test.skipIf(withoutScript).each([
  ['operator unseal', 1, 'The input ended before a key was given'],
  ['login', 2, 'the input ended before the token was given'],
])('%s ends with an error when the input of its terminal ends', async (args, code, text) => {
  const ended = await atTerminal(args, '')

  expect(ended.out).toContain(text)
  expect(ended.code).toBe(code)
})

test.skipIf(withoutScript)('a line without an Enter at the end of the input is taken', async () => {
  const { out } = await atTerminal('operator unseal -address=http://127.0.0.1:1', 'c2hhcmU=')

  expect(out).toContain('Error unsealing: ')
})
