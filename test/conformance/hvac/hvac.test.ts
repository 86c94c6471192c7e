/**
 * The integration tests that hvac brings, run as their authors run them: with `vault` on the PATH, which each class
 * starts, initialises (5 shares, 3 needed) and unseals over TLS.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namedBinary } from '../../support/named-binary.ts'
import { missing, missingProgram } from '../../support/outside.ts'
import { blockAfter } from '../../support/page.ts'
import { noPostgresql, startPostgresql } from '../../support/postgresql.ts'
import { startDevServer } from '../../support/server-process.ts'
import { Expectations } from '../expectations.ts'
import { PreparationFailed } from '../python-environment.ts'
import { parseJunit, type JunitCase } from './junit.ts'
import { prepareHvac, type HvacSuite } from './prepare.ts'

/** Of what this release serves. All of `test_lease` needs pki, `test_raft` another storage; hvac skips most of `test_quota` by its version. */
const MODULES = [
  'api/system_backend/test_init.py',
  'api/system_backend/test_seal.py',
  'api/system_backend/test_health.py',
  'api/system_backend/test_leader.py',
  'api/system_backend/test_key.py',
  'api/system_backend/test_mount.py',
  'api/system_backend/test_auth.py',
  'api/system_backend/test_policy.py',
  'api/system_backend/test_policies.py',
  'api/system_backend/test_audit.py',
  'api/system_backend/test_wrapping.py',
  'api/system_backend/test_quota.py',
  'api/auth_methods/test_token.py',
  'api/auth_methods/test_approle.py',
  'api/secrets_engines/test_kv_v1.py',
  'api/secrets_engines/test_kv_v2.py',
  'api/secrets_engines/test_transit.py',
  'v1/test_approle.py',
  'v1/test_integration.py',
  'v1/test_system_backend.py',
]

/** Run by hvac with an Enterprise Vault only, so it is told that this is one. */
const ENTERPRISE_MODULES = ['api/system_backend/test_namespace.py']
const ENTERPRISE = 'Vault v1.21.0+ent'
/** Of the cases that hvac runs, this share may stand in the list of expectations. */
const MOST_EXPECTED = 0.05

const PREFIX = 'tests.integration_tests.'
const skipReason = missingProgram(
  'python3',
  ['-m', 'venv', '--help'],
  'Python 3.8 or newer with venv and pip',
)
const expectations = new Expectations(join(import.meta.dirname, 'expectations.json'))

describe.skipIf(skipReason !== undefined)(
  `integration tests of hvac 2.4.0${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    let cases: readonly JunitCase[] = []
    let firstSteps = ''
    let database: string | undefined
    let unprepared: string | undefined

    beforeAll(async () => {
      try {
        const done = await runSuite()
        cases = done.cases
        firstSteps = done.firstSteps
        database = done.database
      } catch (error) {
        if (!(error instanceof PreparationFailed)) throw error
        unprepared = missing(`hvac's suite cannot be prepared: ${error.message}`)
      }
    })

    test.for([...MODULES, ...ENTERPRISE_MODULES])('%s', (module, { skip }) => {
      skip(unprepared !== undefined, unprepared)
      const className = PREFIX + module.replace(/\.py$/, '.').replaceAll('/', '.')
      const own = cases.filter((found) => found.className.startsWith(className))
      expect(own.length).toBeGreaterThan(0)
      const wrong = expectations.check(
        own.map((found) => ({
          id: caseId(found),
          title: found.outcome,
          failures: found.outcome === 'failed' ? [found.message] : [],
        })),
      )
      expect(wrong, wrong.join('\n')).toEqual([])
    })

    test("the README's first steps", ({ skip }) => {
      skip(unprepared !== undefined, unprepared)
      expect(firstSteps).toBe('s3cr3t\n')
    })

    test('its database module, with a real PostgreSQL', ({ skip }) => {
      skip(unprepared !== undefined, unprepared)
      skip(database === undefined, noPostgresql)
      expect(database).toBe('done\n')
    })

    afterAll(() => {
      if (unprepared !== undefined) return
      const passed = cases.filter(({ outcome }) => outcome === 'passed').length
      const skipped = cases.filter(({ outcome }) => outcome === 'skipped').length
      console.log(`hvac: ${passed} of ${cases.length} passed, ${skipped} skipped by hvac itself`)
      const failed = cases.filter(({ outcome }) => outcome === 'failed').length
      expect(failed / (cases.length - skipped)).toBeLessThanOrEqual(MOST_EXPECTED)
      const wrong = expectations.finish(cases.map(caseId))
      expect(wrong, wrong.join('\n')).toEqual([])
    })
  },
)

function caseId({ className, name }: JunitCase): string {
  return `${className.slice(PREFIX.length)}.${name}`
}

interface Done {
  readonly cases: readonly JunitCase[]
  readonly firstSteps: string
  /** `undefined`: there is no PostgreSQL. */
  readonly database: string | undefined
}

async function runSuite(): Promise<Done> {
  const dir = mkdtempSync(join(tmpdir(), 'keyhold-hvac-'))
  try {
    const suite = prepareHvac(dir)
    const cases = [
      ...(await runModules(suite, MODULES, vaultOnPath(join(dir, 'plain')))),
      ...(await runModules(
        suite,
        ENTERPRISE_MODULES,
        vaultOnPath(join(dir, 'enterprise'), ENTERPRISE),
      )),
    ]
    const firstSteps = await takeFirstSteps(suite)
    return { cases, firstSteps, database: await useDatabases(suite) }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** @param bin the folder with the `vault` that they start */
async function runModules(
  { python, folder }: HvacSuite,
  modules: readonly string[],
  bin: string,
): Promise<readonly JunitCase[]> {
  const report = join(bin, 'report.xml')
  const options = ['-o', 'addopts=', '-q', '-p', 'no:cacheprovider', `--junit-xml=${report}`]
  const files = modules.map((module) => `tests/integration_tests/${module}`)
  const pytest = spawn(python, ['-m', 'pytest', ...options, ...files], {
    cwd: folder,
    env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    stdio: 'ignore',
  })
  await once(pytest, 'exit')
  return parseJunit(readFileSync(report, 'utf8'))
}

/** @returns what the README's program printed, and its errors */
async function takeFirstSteps({ python, folder }: HvacSuite): Promise<string> {
  const server = await startDevServer()
  const { stdout, stderr } = spawnSync(python, ['-'], {
    cwd: folder,
    input: blockAfter('README.md', '**Python**', 'python'),
    env: { ...process.env, VAULT_ADDR: server.address, VAULT_TOKEN: server.rootToken },
    encoding: 'utf8',
  })
  await server.stop()
  return stdout + stderr
}

/** @returns what the program of its database module printed, and its errors */
async function useDatabases({ python, folder }: HvacSuite): Promise<string | undefined> {
  if (noPostgresql !== undefined) return undefined
  const server = await startDevServer()
  const postgresql = await startPostgresql()
  try {
    await postgresql.query('CREATE ROLE billing LOGIN')
    const { url, user, password } = postgresql
    const program = join(import.meta.dirname, 'database.py')
    const { stdout, stderr } = spawnSync(python, [program, url, user, password, 'billing'], {
      cwd: folder,
      env: {
        ...process.env,
        PYTHONPATH: folder,
        VAULT_ADDR: server.address,
        VAULT_TOKEN: server.rootToken,
      },
      encoding: 'utf8',
    })
    return stdout + stderr
  } finally {
    await postgresql.stop()
    await server.stop()
  }
}

/** hvac's configuration says nothing of audit devices, but its tests make one at /tmp/vault.audit.log. */
function vaultOnPath(dir: string, version?: string): string {
  mkdirSync(dir)
  const serverConfig = join(dir, 'suite.hcl')
  writeFileSync(serverConfig, 'unsafe_allow_api_audit_creation = true\naudit_directory = "/tmp"\n')
  return namedBinary({
    dir,
    name: 'vault',
    serverConfig,
    ...(version !== undefined && { version }),
  })
}
