/** The engine of `docs/plugins.md`, taken out of the page and run. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { wrongWay } from '../../scripts/import-rules.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import type { PluginType } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const MAX_LINES = 80

const source = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/plugins.md'), 'utf8'))?.[1]

let folder: string
let cluster: Cluster
beforeAll(async () => {
  // As deep as `engines/tally/`, so that the page's imports hold as they stand.
  mkdirSync(join(root, '.cache'), { recursive: true })
  folder = mkdtempSync(join(root, '.cache/example-'))
  writeFileSync(join(folder, 'engine.ts'), source ?? '')
  const { tallyEngine }: { tallyEngine: PluginType } = await import(join(folder, 'engine.ts'))
  cluster = await startCluster({ plugins: [tallyEngine] })
  await cluster.write('sys/mounts/tally', { type: 'tally' })
})
afterAll(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

test('it is short', () => {
  expect(source?.split('\n').length).toBeLessThan(MAX_LINES)
})

test('it has no errors of types', () => {
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', include: ['engine.ts'] }),
  )
  const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder])

  expect(stdout.toString()).toBe('')
  expect(status).toBe(0)
})

test('it imports nothing of the core but the contract', () => {
  const targets = [...(source ?? '').matchAll(/ from '(\..*?)'/g)].map(([, target = '']) =>
    normalize(join('engines/tally', target)),
  )

  expect(targets).toContain('core/plugin/path.ts')
  expect(targets.map((target) => wrongWay('engines/tally/engine.ts', target))).toEqual(
    targets.map(() => undefined),
  )
})

test('each request finds what the other node has counted', async () => {
  expect((await cluster.write('tally/visits')).data).toEqual({ count: 1 })
  expect((await cluster.write('tally/visits', { by: '4' })).data).toEqual({ count: 5 })
  expect((await cluster.read('tally/visits')).data).toEqual({ count: 5 })
  expect((await cluster.list('tally')).data).toEqual({ keys: ['visits'] })

  expect((await cluster.remove('tally/visits')).status).toBe(204)
  expect((await cluster.read('tally/visits')).status).toBe(404)
})

test('counts that meet at one record are all counted', async () => {
  await Promise.all(Array.from({ length: 20 }, () => cluster.write('tally/rush')))

  expect((await cluster.read('tally/rush')).data).toEqual({ count: 20 })
})

test('what cannot be counted is refused, and the value is not repeated', async () => {
  const tooFar = await cluster.write('tally/far', { by: 1_000_000_001 })
  const noNumber = await cluster.write('tally/far', { by: 'secret' })

  expect(tooFar).toMatchObject({ status: 400, errors: ['a tally ends at 1000000000'] })
  expect(noNumber.status).toBe(400)
  expect(noNumber.text).not.toContain('secret')
})

test('its declaration decides what policies ask for, and tells its help', async () => {
  const token = await cluster.tokenWith('path "tally/*" { capabilities = ["update"] }')

  expect((await cluster.write('tally/new', {}, { token })).status).toBe(403)
  await cluster.write('tally/new')
  expect((await cluster.write('tally/new', {}, { token })).data).toEqual({ count: 2 })
  expect((await cluster.read('tally/new?help=1')).text).toContain('How many to add')
})
