import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { startServer } from '../../support/server-process.ts'
import { Expectations } from '../expectations.ts'
import { playScenario, stepId } from './golden-runner.ts'
import { readArea, type RequestStep, type Scenario } from './recording.ts'

/** The recorded areas that this release serves. */
const AREAS = [
  'auth-approle',
  'auth-token',
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
    test(`${scenario.name}: ${requests(scenario).length} requests are answered as recorded`, async () => {
      const server = await startServer({
        init: scenario.init,
        apiAudit: scenario.apiAudit,
        legacyRekey: scenario.legacyRekey,
        // One recorded answer shows the log level that the recorder had set.
        logLevel: 'error',
        topLines: ['allow_audit_log_prefixing = true'],
      })
      try {
        const wrong = expectations.check(await playScenario(scenario, server))
        expect(wrong, wrong.join('\n')).toEqual([])
      } finally {
        await server.stop()
      }
    })
  }
})

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
