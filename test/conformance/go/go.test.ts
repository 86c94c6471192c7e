/**
 * OpenBao's Go client: a program of ours that is built with it plays its cases against a server and prints a line for
 * each.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing, missingProgram } from '../../support/outside.ts'
import { startServer } from '../../support/server-process.ts'
import { parseCases } from '../case-lines.ts'
import { Expectations } from '../expectations.ts'
import { buildGo } from '../go-build.ts'

const skipReason = missingProgram('go', ['version'], 'Go 1.25 or newer')
const expectations = new Expectations(join(import.meta.dirname, 'expectations.json'))

describe.skipIf(skipReason !== undefined)(
  `OpenBao's Go client${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    let dir = ''
    let program = ''
    let unprepared: string | undefined

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'keyhold-go-'))
      program = join(dir, 'conformance')
      const why = await buildGo({ folder: import.meta.dirname, of: '.' }, program)
      if (why !== undefined) unprepared = missing(`the Go modules cannot be had: ${why}`)
    })
    afterAll(() => rmSync(dir, { recursive: true, force: true }))

    test('every case of the program passes', async ({ skip }) => {
      skip(unprepared !== undefined, unprepared)
      const server = await startServer({ init: false })
      try {
        const output = run(program, [], { BAO_ADDR: server.address })
        const cases = parseCases('go', output)
        console.log(
          `Go client: ${cases.filter(({ failures }) => failures.length === 0).length} of ${cases.length} cases pass`,
        )
        expect(cases.length, output).toBeGreaterThan(0)
        const wrong = [
          ...expectations.check(cases),
          ...expectations.finish(cases.map(({ id }) => id)),
        ]
        expect(wrong, wrong.join('\n')).toEqual([])
      } finally {
        await server.stop()
      }
    })
  },
)

/** A case that fails makes the program exit with 1; its output is what counts. */
function run(command: string, args: readonly string[], env: Record<string, string>): string {
  const done = spawnSync(command, args, {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  if (done.status !== 0 && done.stdout === '') throw new Error(`${command}: ${done.stderr}`)
  return done.stdout
}
