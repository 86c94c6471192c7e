/** Advisories about leases: who may reach one, and that none outlives what it hangs on. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { Accounts, accountsEngine } from '../support/accounts.ts'
import { objectsOf } from '../support/json.ts'
import { startCluster, type Cluster } from '../support/kit.ts'
import { putNamespaces, putPolicy } from '../support/records.ts'

const NAMESPACES = [
  { id: 'aaaaaa', path: 'a/' },
  { id: 'dddddd', path: 'a/deep/' },
  { id: 'bbbbbb', path: 'b/' },
]
const ADMIN = `path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }`

const within = (namespace: string) => ({ headers: { 'x-vault-namespace': namespace } })

/** A server with an engine in each namespace, an administrator of `a`, and a lease of each namespace. */
async function tenants() {
  const system = new Accounts()
  const cluster = await startCluster({ plugins: [accountsEngine(system)] })
  onTestFinished(() => cluster.close())
  await putNamespaces(cluster, NAMESPACES)
  const leases = new Map<string, string>()
  for (const { id, path } of [{ id: 'root', path: '' }, ...NAMESPACES]) {
    await cluster.write('sys/mounts/acc', { type: 'accounts' }, within(path))
    await putPolicy(cluster, 'admin', ADMIN, id)
    const made = await cluster.read('acc/creds/app', within(path))
    leases.set(path, String(made.json['lease_id']))
  }
  const body = { policies: ['admin'], ttl: '1h', no_parent: true }
  const made = await cluster.write('auth/token/create', body, within('a'))
  const token = String(made.auth['client_token'])
  return { cluster, system, leases, token }
}

type Call = (cluster: Cluster, id: string, token: string) => ReturnType<Cluster['write']>
const byBody =
  (path: string): Call =>
  (cluster, id, token) =>
    cluster.write(path, { lease_id: id }, { token, ...within('a') })
const byPath =
  (path: string): Call =>
  (cluster, id, token) =>
    cluster.write(`${path}/${id}`, {}, { token, ...within('a') })

describe('row 20 (CVE-2026-45808, CVE-2026-55774): a lease is reached from its own namespace and those above', () => {
  test.each<[string, Call]>([
    ['leases/lookup', byBody('sys/leases/lookup')],
    ['leases/renew', byBody('sys/leases/renew')],
    ['leases/renew/ID', byPath('sys/leases/renew')],
    ['renew', byBody('sys/renew')],
    ['renew/ID', byPath('sys/renew')],
    ['leases/revoke', byBody('sys/leases/revoke')],
    ['leases/revoke/ID', byPath('sys/leases/revoke')],
    ['revoke', byBody('sys/revoke')],
    ['revoke/ID', byPath('sys/revoke')],
    ['leases/revoke-prefix', byPath('sys/leases/revoke-prefix')],
    ['revoke-prefix', byPath('sys/revoke-prefix')],
    ['leases/revoke-force', byPath('sys/leases/revoke-force')],
    ['revoke-force', byPath('sys/revoke-force')],
  ])('sys/%s', async (_name, call) => {
    const { cluster, system, leases, token } = await tenants()
    for (const path of ['', 'b/']) {
      await call(cluster, leases.get(path) ?? '', token)
      const own = { lease_id: leases.get(path) }
      const shown = await cluster.write('sys/leases/lookup', own, within(path))
      expect(shown.data).toMatchObject({ last_renewal: null, issue_time: expect.any(String) })
    }
    expect(system.names.size).toBe(4)
    const reached = await call(cluster, leases.get('a/deep/') ?? '', token)
    expect([200, 204]).toContain(reached.status)
  })

  test('a listing holds those of its namespace alone', async () => {
    const { cluster, token } = await tenants()
    const list = (path: string) =>
      cluster.list(`sys/leases/lookup/${path}`, { token, ...within('a') })
    expect((await list('acc/creds/app')).data['keys']).toEqual([
      expect.stringMatching(/^[0-9A-Za-z]{24}\.aaaaaa$/),
    ])
  })

  test('all of a prefix is all of it in one namespace', async () => {
    const { cluster, system, token } = await tenants()
    await cluster.write('sys/leases/revoke-prefix/acc', {}, { token, ...within('a') })
    expect(system.names.size).toBe(3)
  })

  test('what requests have begun is shown to their namespace and those above', async () => {
    const { cluster, system, token } = await tenants()
    system.after = () => Promise.reject(new Error('away'))
    for (const path of ['', 'a', 'a/deep', 'b']) await cluster.read('acc/creds/app', within(path))
    const seen = await cluster.read('sys/intents', { token, ...within('a') })
    const namespaces = objectsOf(seen.data['intents']).map(({ namespace }) => namespace)
    expect(namespaces.toSorted()).toEqual(['a/', 'a/deep/'])
    const all = await cluster.read('sys/intents')
    const foreign = objectsOf(all.data['intents']).find(({ namespace }) => namespace === 'b/')
    const id = String(foreign?.['id'])
    for (const method of ['DELETE', 'POST']) {
      const path = method === 'POST' ? `sys/intents/${id}/retry` : `sys/intents/${id}`
      const answer = await cluster.request(method, path, { token, ...within('a') })
      expect(answer.status).toBe(400)
    }
  })
})

test.each([0, 1, 500, 999, 1000, 1500])(
  'row 77 (CVE-2021-32923): renewed %d ms before its maximum, a lease does not get past it, nor lives for ever',
  async (ms) => {
    const system = new Accounts()
    const cluster = await startCluster({ plugins: [accountsEngine(system)] })
    onTestFinished(() => cluster.close())
    await cluster.write('sys/mounts/new', {
      type: 'accounts',
      config: { max_lease_ttl: '1h' },
    })
    const made = await cluster.read('new/creds/app?ttl=1h')
    cluster.clock.advance(3600 - ms / 1000)
    const body = { lease_id: made.json['lease_id'], increment: '1h' }
    const renewed = await cluster.write('sys/leases/renew', body)
    if (renewed.status === 200) {
      expect(renewed.json['lease_duration']).toBeGreaterThan(0)
      expect(Number(renewed.json['lease_duration']) * 1000).toBeLessThanOrEqual(ms)
    }
    cluster.clock.advance(ms / 1000)
    for (const node of cluster.nodes) await node.runDuties()
    expect(system.names.size).toBe(0)
  },
)

test('row 78 (CVE-2020-25816): a lease of a batch token does not outlive it', async () => {
  const system = new Accounts()
  const cluster = await startCluster({ plugins: [accountsEngine(system)] })
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/acc', { type: 'accounts' })
  await putPolicy(cluster, 'p', 'path "acc/*" { capabilities = ["read"] }')
  const batch = await cluster.write('auth/token/create', {
    type: 'batch',
    policies: ['p'],
    ttl: '5m',
  })
  const made = await cluster.read('acc/creds/app', { token: String(batch.auth['client_token']) })
  expect(made.json['lease_duration']).toBe(300)
  const body = { lease_id: made.json['lease_id'], increment: '10h' }
  expect((await cluster.write('sys/leases/renew', body)).json['lease_duration']).toBe(300)
  cluster.clock.advance('5m')
  for (const node of cluster.nodes) await node.runDuties()
  expect(system.names.size).toBe(0)
})
