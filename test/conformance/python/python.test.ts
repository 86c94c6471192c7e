/**
 * What transit makes is read by an independent program, and the other way round: a program of ours on Python's `cryptography`
 * plays its cases against a server and prints a line for each. Ciphertexts, signatures, HMACs, exports, backups, keys on their
 * way in and out. What OpenBao made is read in `engines/transit/vectors.test.ts`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { missing, missingProgram } from '../../support/outside.ts'
import { startServer, type RunningServer } from '../../support/server-process.ts'
import { parseCases } from '../case-lines.ts'
import { PreparationFailed, preparePython } from '../python-environment.ts'

const PROGRAM = join(import.meta.dirname, 'main.py')
/** So many there are: one that is not reached any more does not drop out unnoticed. */
const CASES = 133

const skipReason = missingProgram(
  'python3',
  ['-m', 'venv', '--help'],
  'Python 3.9 or newer with venv and pip',
)

describe.skipIf(skipReason !== undefined)(
  `Python's cryptography${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    test('every case of the program passes', { timeout: 300_000 }, async ({ skip }) => {
      const python = prepared()
      if (python === undefined) return skip('cryptography cannot be had')
      const server = await startServer()
      try {
        const output = await play(python, server)
        const cases = parseCases('python', output)
        expect(cases.filter(({ failures }) => failures.length > 0)).toEqual([])
        expect(cases, output).toHaveLength(CASES)
      } finally {
        await server.stop()
      }
    })
  },
)

/** The interpreter; `undefined`: there is none with `cryptography`. */
function prepared(): string | undefined {
  try {
    const wanted = { name: 'cryptography', requirements: ['cryptography==50.0.2'] }
    return preparePython(wanted).python
  } catch (error) {
    if (!(error instanceof PreparationFailed)) throw error
    missing(`Python's cryptography cannot be had: ${error.message}`)
    return undefined
  }
}

/** @returns what it printed, and its errors */
async function play(python: string, { address, rootToken }: RunningServer): Promise<string> {
  const program = spawn(python, ['-B', PROGRAM], {
    env: { ...process.env, KEYHOLD_ADDR: address, KEYHOLD_TOKEN: rootToken },
  })
  const [out, errors] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, 'exit'),
  ])
  return out + errors
}
