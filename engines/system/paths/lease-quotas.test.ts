import { describe, expect, onTestFinished, test } from 'vitest'
import { Accounts, accountsEngine } from '../../../test/support/accounts.ts'
import { startCluster, type Answer, type Cluster } from '../../../test/support/kit.ts'
import { keysBelow } from '../../../test/support/records.ts'

async function start() {
  const system = new Accounts()
  const cluster = await startCluster({ plugins: [accountsEngine(system)] })
  onTestFinished(() => cluster.close())
  for (const path of ['acc', 'other']) {
    const config = { default_lease_ttl: '1h', max_lease_ttl: '3h' }
    await cluster.write(`sys/mounts/${path}`, { type: 'accounts', config })
  }
  return { cluster, system }
}

const within = (namespace: string) => ({ headers: { 'x-vault-namespace': namespace } })
const quota = (cluster: Cluster, name: string, body: object) =>
  cluster.write(`sys/quotas/lease-count/${name}`, body)
const counter = async (cluster: Cluster, name: string) =>
  (await cluster.read(`sys/quotas/lease-count/${name}`)).data['counter']
const leaseIdOf = (answer: Answer) => String(answer.json['lease_id'])

/** Statuses of so many new leases, one after the other. */
async function make(cluster: Cluster, count: number, path = 'acc/creds/app', namespace = '') {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) {
    statuses.push((await cluster.read(path, within(namespace))).status)
  }
  return statuses
}

/** One round of the timed duties, on whichever node does them. */
async function round(cluster: Cluster) {
  for (const node of cluster.nodes) await node.runDuties()
}

test('a quota is written, shown with what it counts, listed and removed', async () => {
  const { cluster } = await start()
  expect((await quota(cluster, 'q', { path: 'acc', max_leases: 5 })).status).toBe(204)
  await make(cluster, 2)
  expect((await cluster.read('sys/quotas/lease-count/q')).data).toEqual({
    counter: 2,
    inheritable: false,
    max_leases: 5,
    name: 'q',
    path: 'acc/',
    role: '',
    type: 'lease-count',
  })
  expect((await cluster.list('sys/quotas/lease-count')).data).toEqual({ keys: ['q'] })
  await cluster.remove('sys/quotas/lease-count/q')
  expect((await cluster.list('sys/quotas/lease-count')).status).toBe(404)
  expect(await keysBelow(cluster, 'lease-count/')).toEqual([])
})

describe('where there are as many leases as the quota allows', () => {
  test('another one is refused, and nothing is done in the other system', async () => {
    const { cluster, system } = await start()
    await quota(cluster, 'q', { path: 'acc', max_leases: 2 })
    expect(await make(cluster, 3)).toEqual([200, 200, 429])
    expect((await cluster.read('acc/creds/app')).errors).toEqual([
      'request path "acc/creds/app": lease count quota exceeded',
    ])
    expect(await make(cluster, 1, 'acc/note')).toEqual([429])
    expect([system.names.size, system.removals]).toEqual([2, 0])
    expect(await make(cluster, 1, 'other/creds/app')).toEqual([200])
    expect(await keysBelow(cluster, 'intent/')).toEqual([])
  })

  test('what ends makes room at once, by whichever way it ends', async () => {
    const { cluster } = await start()
    await quota(cluster, 'q', { path: 'acc', max_leases: 1 })
    const first = await cluster.read('acc/creds/app')
    await cluster.write('sys/leases/revoke', { lease_id: leaseIdOf(first), sync: true })
    expect(await make(cluster, 2)).toEqual([200, 429])
    cluster.clock.advance('1h')
    await round(cluster)
    expect(await counter(cluster, 'q')).toBe(0)
    expect(await make(cluster, 2, 'acc/note')).toEqual([200, 429])
    await cluster.write('sys/leases/revoke-prefix/acc', { sync: true })
    expect(await make(cluster, 2)).toEqual([200, 429])
  })

  test('of many at once, on all nodes, no more are made', async () => {
    const { cluster, system } = await start()
    await quota(cluster, 'q', { path: 'acc', max_leases: 5 })
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => cluster.read('acc/creds/app')),
    )
    const made = answers.filter(({ status }) => status === 200)
    expect(made.length).toBeLessThanOrEqual(5)
    expect(
      new Set(answers.map(({ status }) => status)).difference(new Set([200, 429, 503])),
    ).toEqual(new Set())
    expect(await counter(cluster, 'q')).toBe(made.length)
    expect(await make(cluster, 5 - made.length + 1)).toEqual([
      ...Array.from({ length: 5 - made.length }, () => 200),
      429,
    ])
    await round(cluster)
    expect(system.names.size).toBe(5)
  })

  test('a renewal is no new lease', async () => {
    const { cluster } = await start()
    await quota(cluster, 'q', { path: 'acc', max_leases: 1 })
    const lease_id = leaseIdOf(await cluster.read('acc/creds/app'))
    expect((await cluster.write('sys/leases/renew', { lease_id })).status).toBe(200)
    expect(await counter(cluster, 'q')).toBe(1)
  })
})

describe('leases that were there before', () => {
  test('are counted soon after the quota was made, and refused is what would be too many', async () => {
    const { cluster } = await start()
    await make(cluster, 3)
    await make(cluster, 2, 'other/note')
    await quota(cluster, 'q', { path: 'acc', max_leases: 4 })
    expect(await make(cluster, 1)).toEqual([200])
    await round(cluster)
    expect(await counter(cluster, 'q')).toBe(4)
    expect(await make(cluster, 1)).toEqual([429])
    expect(await keysBelow(cluster, 'core/')).not.toContain('core/lease-recount')
  })

  test('go from quota to quota as these change, and are counted once', async () => {
    const { cluster } = await start()
    await quota(cluster, 'all', { max_leases: 100 })
    await make(cluster, 3, 'acc/creds/app')
    await make(cluster, 2, 'acc/note')
    await make(cluster, 4, 'other/note')
    const counts = async () => {
      await round(cluster)
      const names = (await cluster.list('sys/quotas/lease-count')).data['keys']
      if (!Array.isArray(names)) throw new Error('there are quotas')
      const all = new Map<string, unknown>()
      for (const name of names) all.set(String(name), await counter(cluster, String(name)))
      return Object.fromEntries(all)
    }
    expect(await counts()).toEqual({ all: 9 })
    await quota(cluster, 'acc', { path: 'acc', max_leases: 100 })
    expect(await counts()).toEqual({ all: 4, acc: 5 })
    await quota(cluster, 'creds', { path: 'acc/creds*', max_leases: 100 })
    expect(await counts()).toEqual({ all: 4, acc: 2, creds: 3 })
    await quota(cluster, 'acc', { path: 'acc', max_leases: 50 })
    expect(await counts()).toEqual({ all: 4, acc: 2, creds: 3 })
    await quota(cluster, 'acc', { path: 'other', max_leases: 50 })
    expect(await counts()).toEqual({ all: 2, acc: 4, creds: 3 })
    await cluster.remove('sys/quotas/lease-count/all')
    expect(await counts()).toEqual({ acc: 4, creds: 3 })
    cluster.clock.advance('3h')
    expect(await counts()).toEqual({ acc: 0, creds: 0 })
    expect(await keysBelow(cluster, 'lease-end/')).toEqual([])
  })
})

test('the quota of a mount goes with it when it moves, and ends with it', async () => {
  const { cluster } = await start()
  await quota(cluster, 'q', { path: 'acc', max_leases: 2 })
  await make(cluster, 1)
  await cluster.write('sys/remount', { from: 'acc', to: 'moved' })
  expect(await make(cluster, 2, 'moved/creds/app')).toEqual([200, 429])
  expect((await cluster.read('sys/quotas/lease-count/q')).data).toMatchObject({
    path: 'moved/',
    counter: 2,
  })
  await cluster.remove('sys/mounts/moved')
  expect((await cluster.list('sys/quotas/lease-count')).status).toBe(404)
  await round(cluster)
  expect(await keysBelow(cluster, 'lease-end/')).toEqual([])
  expect(await keysBelow(cluster, 'lease-count/')).toEqual([])
})

test('a namespace has its own, or inherits', async () => {
  const { cluster } = await start()
  for (const name of ['a', 'b']) {
    await cluster.write(`sys/namespaces/${name}`)
    await cluster.write('sys/mounts/acc', { type: 'accounts' }, within(name))
  }
  await quota(cluster, 'all', { max_leases: 2 })
  await quota(cluster, 'a', { path: 'a/', max_leases: 1 })
  expect(await make(cluster, 2, 'acc/note', 'a')).toEqual([200, 429])
  expect(await make(cluster, 1, 'b/acc/note')).toEqual([200])
  expect(await make(cluster, 2, 'acc/note')).toEqual([200, 429])
  await cluster.remove('sys/namespaces/a')
  await round(cluster)
  // It waits for its secrets to be revoked.
  await round(cluster)
  expect((await cluster.list('sys/quotas/lease-count')).data).toEqual({ keys: ['all'] })
})

test.each([
  [{ max_leases: 0 }, "'max_leases' must be greater than zero"],
  [{ max_leases: -1 }, "'max_leases' must be greater than zero"],
  [{ max_leases: 1, path: 'none' }, 'invalid mount path "none/"'],
  [
    { max_leases: 1, path: 'acc', role: 'r' },
    "'role' is not offered: logins make tokens, and this quota counts leases",
  ],
  [
    { max_leases: 1, path: 'other' },
    'quota rule with similar properties exists under the name "before"',
  ],
])('%j is refused', async (body, text) => {
  const { cluster } = await start()
  await quota(cluster, 'before', { max_leases: 1, path: 'other' })
  expect(await quota(cluster, 'q', body)).toMatchObject({ status: 400, errors: [text] })
})
