/**
 * `npm test`: the static checks, then the suites, each with its time. Ends with `N passed, N failed`: tests, and one
 * for each check.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { CHECKS, runCheck, TOOLS } from './checks.ts'

const SUITES = ['unit', 'conformance', 'e2e', 'faults']
/** Some ten times what the slowest takes: one that hangs is ended and counts as a failure. */
const SUITE_LIMIT_MS = 15 * 60_000

/** Of what vitest's JSON reporter writes. */
const resultsSchema = z.object({ numPassedTests: z.number(), numFailedTests: z.number() })

interface Count {
  readonly passed: number
  readonly failed: number
}

const folder = mkdtempSync(join(tmpdir(), 'keyhold-results-'))
const counts: Count[] = []
for (const check of CHECKS) {
  counts.push(
    timed(check.name, () =>
      runCheck(check) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 },
    ),
  )
}
for (const suite of SUITES) counts.push(timed(suite, () => runSuite(suite)))
rmSync(folder, { recursive: true, force: true })

const passed = sum(({ passed: one }) => one)
const failed = sum(({ failed: one }) => one)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function sum(of: (count: Count) => number): number {
  return counts.reduce((total, count) => total + of(count), 0)
}

function timed(name: string, stage: () => Count): Count {
  process.stdout.write(`\n== ${name}\n`)
  const startedAt = process.hrtime.bigint()
  const count = stage()
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9
  process.stdout.write(`== ${name}: ${seconds.toFixed(1)} s\n`)
  return count
}

/** A suite that ends without its results or late, or ends badly though no test failed, counts as one failure more. */
function runSuite(suite: string): Count {
  const file = join(folder, `${suite}.json`)
  const args = [
    'run',
    '--project',
    suite,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]
  const { status } = spawnSync('vitest', args, { ...TOOLS, timeout: SUITE_LIMIT_MS })
  const results = readResults(file)
  if (results === undefined) return { passed: 0, failed: 1 }
  const { passed: fine, failed: wrong } = results
  return { passed: fine, failed: status !== 0 && wrong === 0 ? 1 : wrong }
}

function readResults(file: string): Count | undefined {
  try {
    const json = resultsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return { passed: json.numPassedTests, failed: json.numFailedTests }
  } catch (error) {
    process.stderr.write(`no results of the suite: ${String(error)}\n`)
    return undefined
  }
}
