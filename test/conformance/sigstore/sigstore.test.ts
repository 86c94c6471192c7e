/**
 * sigstore's provider `hashivault`, with which cosign and others sign by keys of transit: the end-to-end tests that it brings,
 * run as its authors run them, against a development server. Those of 1.11 need Go 1.27; ML-DSA, which came with them, is signed
 * and read by Python in `../python`.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing, missingProgram } from '../../support/outside.ts'
import { startDevServer, type RunningServer } from '../../support/server-process.ts'
import { buildGo } from '../go-build.ts'

const PACKAGE = 'github.com/sigstore/sigstore/pkg/signature/kms/hashivault'
/** So many there are: one that is not reached any more does not drop out unnoticed. */
const CASES = 29
const CASE = /^ *--- (?<outcome>PASS|FAIL|SKIP): (?<name>\S+)/gm

const skipReason = missingProgram('go', ['version'], 'Go 1.25 or newer')

describe.skipIf(skipReason !== undefined)(
  `sigstore's provider hashivault 1.10.11${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'keyhold-sigstore-'))
    const program = join(dir, 'e2e.test')
    let unprepared: string | undefined

    beforeAll(async () => {
      const build = { folder: import.meta.dirname, of: PACKAGE, tags: 'e2e', isTest: true }
      const why = await buildGo(build, program)
      if (why !== undefined) unprepared = missing(`sigstore's modules cannot be had: ${why}`)
    })
    afterAll(() => rmSync(dir, { recursive: true, force: true }))

    test('its own end-to-end tests pass', async ({ skip }) => {
      skip(unprepared !== undefined, unprepared)
      const server = await startDevServer()
      try {
        const output = await run(program, server)
        const cases = [...output.matchAll(CASE)].map(({ groups = {} }) => groups)

        expect(
          cases.filter(({ outcome }) => outcome !== 'PASS').map(({ name }) => name),
          output,
        ).toEqual([])
        expect(cases, output).toHaveLength(CASES)
      } finally {
        await server.stop()
      }
    })
  },
)

/** @returns what it printed; a case that fails makes it exit with 1 */
function run(program: string, { address, rootToken, dir }: RunningServer): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: dir, VAULT_ADDR: address, VAULT_TOKEN: rootToken }
  return new Promise((resolve) => {
    execFile(program, ['-test.v'], { cwd: dir, env }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
}
