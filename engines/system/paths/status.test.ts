import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WIRE_VERSION } from '../../../core/version.ts'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.close())

test('a node knows itself, and that it serves', async () => {
  const { data } = await cluster.read('sys/ha-status')
  expect(data['nodes']).toEqual([
    expect.objectContaining({ active_node: true, version: WIRE_VERSION }),
  ])
})

test('the present release is in the history', async () => {
  const { data } = await cluster.list('sys/version-history')
  expect(data['keys']).toEqual([WIRE_VERSION])
  expect(Object.keys(data['key_info'] ?? {})).toEqual([WIRE_VERSION])
})

test('the machine is described by its processors, disk, memory and load', async () => {
  const { data } = await cluster.read('sys/host-info')
  expect(Object.keys(data).toSorted()).toEqual([
    'cpu',
    'cpu_times',
    'disk',
    'host',
    'load',
    'memory',
    'timestamp',
  ])
  const disks: unknown = data['disk']
  expect(disks).toEqual([expect.objectContaining({ path: '/' })])
})

test('service tokens are counted, batch tokens are not', async () => {
  const total = async () => (await cluster.read('sys/internal/counters/tokens')).data['counters']
  expect(await total()).toEqual({ service_tokens: { total: 1 } })
  await cluster.write('auth/token/create', { policies: ['default'] })
  await cluster.write('auth/token/create', { policies: ['default'], type: 'batch' })
  expect(await total()).toEqual({ service_tokens: { total: 2 } })
})

test.each([
  'GET sys/internal/counters/activity',
  'GET sys/internal/counters/activity/monthly',
  'POST sys/config/reload/license',
  'GET sys/pprof/heap',
  'GET sys/license/status',
  'GET sys/experiments',
  'GET sys/storage/raft/configuration',
])('%s is not served', async (what) => {
  const [method = '', path = ''] = what.split(' ')
  const { status, errors } = await cluster.request(method, path)
  expect([status, errors]).toEqual([404, ['1 error occurred:\n\t* unsupported path\n\n']])
})

test('counting requests was given up, as in Vault; there are no entities yet', async () => {
  const requests = await cluster.read('sys/internal/counters/requests')
  expect(requests.errors).toEqual(['The functionality has been removed on this path'])
  const { data } = await cluster.read('sys/internal/counters/entities')
  expect(data).toEqual({ counters: { entities: { total: 0 } } })
})

test('there is no replication, whoever asks', async () => {
  for (const token of [cluster.rootToken, null]) {
    const answer = await cluster.read('sys/replication/status', { token })
    expect([answer.status, answer.errors]).toEqual([404, ['unsupported path']])
  }
})

describe('the key that seals', () => {
  test('is shown by its term, and a rotation begins the next one for every node', async () => {
    const term = async (node: number) =>
      (await cluster.read('sys/key-status', { node })).data['term']
    const before = Number(await term(0))
    await cluster.write('cubbyhole/old', { a: 'b' })
    for (const path of ['sys/rotate', 'sys/rotate/keyring']) {
      expect((await cluster.write(path)).status).toBe(204)
    }
    await cluster.write('cubbyhole/new', { a: 'c' })
    for (const node of [0, 1]) {
      expect(await term(node)).toBe(before + 2)
      expect((await cluster.read('cubbyhole/old', { node })).data).toEqual({ a: 'b' })
      expect((await cluster.read('cubbyhole/new', { node })).data).toEqual({ a: 'c' })
    }
  })

  const CONFIG = 'sys/rotate/config'
  const DEFAULTS = { enabled: true, max_operations: 3_865_470_566, interval: 0 }

  test('is rotated by itself as the configuration says, whichever node was told', async () => {
    const { clock, nodes } = cluster
    expect((await cluster.read(CONFIG)).data).toEqual(DEFAULTS)
    expect((await cluster.write(CONFIG, { interval: '48h' }, { node: 0 })).status).toBe(204)
    for (const node of [0, 1])
      expect((await cluster.read(CONFIG, { node })).data).toEqual({
        ...DEFAULTS,
        interval: '48h0m0s',
      })
    await cluster.write('sys/rotate')
    const term = async () => Number((await cluster.read('sys/key-status')).data['term'])
    const before = await term()
    clock.advance('47h')
    for (const node of nodes) await node.runDuties()
    expect(await term()).toBe(before)
    clock.advance('1h')
    for (const node of nodes) await node.runDuties()
    expect(await term()).toBe(before + 1)
  })

  test('keeps what a change of the configuration does not name', async () => {
    await cluster.write(CONFIG, { interval: 0, max_operations: 2_000_000 })
    await cluster.write('sys/rotate/keyring/config', { enabled: false })
    const changed = { enabled: false, max_operations: 2_000_000, interval: 0 }
    expect((await cluster.read('sys/rotate/keyring/config')).data).toEqual(changed)
    await cluster.write(CONFIG, DEFAULTS)
  })

  test.each([
    [{ max_operations: 5 }, 'max_operations must be in the range [1000000,3865470566]'],
    [{ max_operations: 3_865_470_567 }, 'max_operations must be in the range [1000000,3865470566]'],
    [{ interval: '1h' }, 'interval must be greater or equal to 24h0m0s'],
    [{ interval: 'x' }, 'time: invalid duration'],
  ])('is not configured by %j', async (body, text) => {
    const answer = await cluster.write(CONFIG, body)
    expect([answer.status, answer.errors[0]]).toEqual([400, expect.stringContaining(text)])
    expect((await cluster.read(CONFIG)).data).toEqual(DEFAULTS)
  })

  test('is rotated only by who has sudo', async () => {
    const path = 'path "sys/rotate*" { capabilities = ["update", "create"'
    const without = await cluster.tokenWith(`${path}] }`)
    const having = await cluster.tokenWith(`${path}, "sudo"] }`)
    expect((await cluster.write('sys/rotate', {}, { token: without })).status).toBe(403)
    expect((await cluster.write('sys/rotate', {}, { token: having })).status).toBe(204)
  })
})
