import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { noPostgresql, startPostgresql } from '../../support/postgresql.ts'
import { startServer } from '../../support/server-process.ts'
import { Expectations } from '../expectations.ts'
import { playScenario, stepId } from './golden-runner.ts'
import { readArea, type RequestStep, type Scenario } from './recording.ts'

/** The recorded areas that this release serves. */
const AREAS = [
  'auth-approle',
  'auth-token',
  'database',
  'auth-userpass',
  'identity',
  'kv-v1',
  'kv-v2',
  'sys-audit',
  'sys-lifecycle',
  'sys-mounts',
  'sys-namespaces',
  'sys-policies',
  'sys-quotas',
  'sys-rekey',
  'sys-ui',
  'sys-wrapping',
  'transit',
]

const expectations = new Expectations(join(import.meta.dirname, 'expectations.json'))
const scenarios = AREAS.flatMap((area) => readArea(area))

describe.each(AREAS)('recorded answers of %s', (area) => {
  for (const scenario of scenarios.filter((candidate) => candidate.area === area)) {
    test(`${scenario.name}: ${requests(scenario).length} requests are answered as recorded`, async ({
      skip,
    }) => {
      const outside = await startNeeded(scenario)
      if (outside === undefined) {
        skip('PostgreSQL is not here')
        return
      }
      const server = await startServer({
        init: scenario.init,
        apiAudit: scenario.apiAudit,
        legacyRekey: scenario.legacyRekey,
        // One recorded answer shows the log level that the recorder had set.
        logLevel: 'error',
        topLines: ['allow_audit_log_prefixing = true'],
      })
      try {
        const wrong = expectations.check(await playScenario(scenario, server, outside.variables))
        expect(wrong, wrong.join('\n')).toEqual([])
      } finally {
        await server.stop()
        await outside.stop()
      }
    })
  }
})

/** What a scenario needs beside the server, and its names for it; `undefined`: it is not here. */
async function startNeeded({ needs = '' }: Scenario) {
  if (needs === '') return { variables: [], stop: () => Promise.resolve() }
  expect(needs).toMatch(/^PostgreSQL/)
  if (noPostgresql !== undefined) return undefined
  const database = await startPostgresql()
  for (const name of ['static1', 'static2']) await database.query(`CREATE ROLE ${name} LOGIN`)
  const variables = [['pg', `127.0.0.1:${database.port}`]] as const
  return { variables, stop: () => database.stop() }
}

function requests(scenario: Scenario): readonly RequestStep[] {
  return scenario.steps.filter((step) => step.kind === 'request')
}

afterAll(() => {
  const ids = scenarios.flatMap((scenario) =>
    requests(scenario).map((step) => stepId(scenario, step)),
  )
  const wrong = expectations.finish(ids)
  expect(wrong, wrong.join('\n')).toEqual([])
})
