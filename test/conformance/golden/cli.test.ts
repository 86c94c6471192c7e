/**
 * The command line: each recorded invocation is run under the recorded name; exit code and output must be as recorded.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { namedBinary } from '../../support/named-binary.ts'
import { startServer, type RunningServer } from '../../support/server-process.ts'
import { Expectations, type CaseResult } from '../expectations.ts'
import { MissingVariable, substitute } from './placeholders.ts'
import { printedDifferences, readTranscript, type Group, type Run } from './transcript.ts'

const RUN_LIMIT_MS = 30_000

const expectations = new Expectations(join(import.meta.dirname, 'cli-expectations.json'))
const groups = readTranscript()
const workplace = mkdtempSync(join(tmpdir(), 'keyhold-cli-'))
const bin = namedBinary({ dir: workplace, name: 'bao' })

for (const group of groups) {
  test(`${group.name} (${group.state}): ${group.runs.length} commands print what was recorded`, async () => {
    const server = await serverFor(group)
    try {
      const wrong = expectations.check(playGroup(group, server))
      expect(wrong, wrong.join('\n')).toEqual([])
    } finally {
      await server?.stop()
    }
  })
}

afterAll(() => {
  rmSync(workplace, { recursive: true, force: true })
  const wrong = expectations.finish(
    groups.flatMap((group) => group.runs.map((run, i) => runId(group, run, i))),
  )
  expect(wrong, wrong.join('\n')).toEqual([])
})

function serverFor(group: Group): Promise<RunningServer> | undefined {
  if (group.state.startsWith('no server')) return undefined
  return startServer({ init: group.state.startsWith('initialised') })
}

/** The number makes it unique, the words after it say what it is. */
function runId(group: Group, run: Run, index: number): string {
  return `cli/${group.name}/${index} ${run.argv.slice(1, 4).join(' ')}`
}

function playGroup(group: Group, server: RunningServer | undefined): CaseResult[] {
  const variables = new Map<string, string>()
  if (server !== undefined && server.rootToken !== '') variables.set('root', server.rootToken)
  return group.runs.map((run, i) => ({
    id: runId(group, run, i),
    title: '',
    failures: playRun(run, server, variables),
  }))
}

function playRun(
  run: Run,
  server: RunningServer | undefined,
  variables: Map<string, string>,
): string[] {
  const dir = mkdtempSync(join(workplace, 'run-'))
  const home = join(dir, 'home')
  const work = join(dir, 'work')
  mkdirSync(home)
  mkdirSync(work)
  const fill = (text: string) => substitute(text, variables)
  try {
    for (const [name, text] of Object.entries(run.files)) writeFileSync(join(work, name), text)
    if (run.tokenFile !== undefined) writeFileSync(join(home, '.vault-token'), fill(run.tokenFile))
    const [program = '', ...args] = run.argv.map(fill)
    const done = spawnSync(join(bin, program), args, {
      cwd: work,
      env: environment(run, server, home, variables),
      input: fill(run.stdin),
      encoding: 'utf8',
      timeout: RUN_LIMIT_MS,
    })
    return printedDifferences(
      run,
      { exit: done.status, stdout: done.stdout, stderr: done.stderr },
      variables,
    )
  } catch (error) {
    if (error instanceof MissingVariable)
      return [`an earlier command gave no \${${error.variable}}`]
    throw error
  }
}

function environment(
  run: Run,
  server: RunningServer | undefined,
  home: string,
  variables: ReadonlyMap<string, string>,
): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: home }
  if (server !== undefined) env['BAO_ADDR'] = server.address
  const root = variables.get('root')
  if (root !== undefined) env['BAO_TOKEN'] = root
  for (const [name, value] of Object.entries(run.env)) {
    if (value === null) delete env[name]
    else env[name] = substitute(value, variables)
  }
  return env
}
