/** Tenants that reach each other, or outlive their end. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { StorageUnavailable } from '../../storage/contract.ts'
import type { Commit, CommitResult, ListOptions, Stored } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { startCluster, type Cluster } from '../support/kit.ts'
import {
  keysBelow,
  namespaceRoot,
  putNamespaces,
  putPolicy,
  tokenWith,
} from '../support/records.ts'
import { declaredRoutes, METHODS } from './routes.fixture.ts'

const within = (namespace: string) => ({ headers: { 'x-vault-namespace': namespace } })

async function start(storage?: MemoryStorage): Promise<Cluster> {
  const cluster = await startCluster(storage === undefined ? {} : { storage })
  onTestFinished(() => cluster.close())
  return cluster
}

/** Fails at one operation of the test's choice, as often as it is tried, until it is told not to. */
class FailingStorage extends MemoryStorage {
  failAt = Infinity
  operations = 0

  #count(): void {
    if (this.operations++ === this.failAt) throw new StorageUnavailable('test: it is gone')
  }

  override get(key: string): Promise<Stored | undefined> {
    return this.#counted(() => super.get(key))
  }

  override list(prefix: string, options: ListOptions): Promise<string[]> {
    return this.#counted(() => super.list(prefix, options))
  }

  override commit(change: Commit): Promise<CommitResult> {
    return this.#counted(() => super.commit(change))
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#count()
    return work()
  }
}

/** Everything that a namespace can hold, of each at least one. */
async function fill(cluster: Cluster, name: string): Promise<string> {
  await cluster.write(`sys/namespaces/${name}`)
  const at = within(name)
  const policy = 'path "*" { capabilities = ["read"] }'
  await cluster.write('sys/policies/acl/p', { policy }, at)
  await cluster.write('sys/policies/acl/ends', { policy, ttl: '5h' }, at)
  await cluster.write('sys/mounts/kv', { type: 'kv-v2' }, at)
  await cluster.write('kv/data/x', { data: { a: 1 } }, at)
  await cluster.write('sys/auth/approle', { type: 'approle' }, at)
  await cluster.write('auth/approle/role/r', { token_policies: ['p'] }, at)
  const made = await cluster.write('auth/token/create', { policies: ['default', 'p'] }, at)
  const token = String(made.auth['client_token'])
  await cluster.write('cubbyhole/x', { a: 1 }, { token, ...at })
  await cluster.write('auth/token/create', {}, { token, ...at })
  return token
}

describe('row 21 (CVE-2026-42186): a namespace whose deletion failed in between', () => {
  test('is not gone before all that it held is, at whichever operation of the storage it fails', async () => {
    let failed = 0
    for (let failAt = 0; ; failAt++) {
      const storage = new FailingStorage()
      const cluster = await startCluster({ storage })
      await cluster.nodes[0]?.runDuties()
      const before = new Set(await keysBelow(cluster, ''))
      const token = await fill(cluster, 'a')
      await cluster.remove('sys/namespaces/a')

      storage.operations = 0
      storage.failAt = failAt
      await cluster.nodes[0]?.runDuties()
      const reached = storage.operations > failAt
      storage.failAt = Infinity
      if (reached) failed += 1

      const there = (await cluster.read('sys/namespaces/a')).status === 200
      const left = (await keysBelow(cluster, 'ns/')).filter((key) => !key.startsWith('ns/root/'))
      expect(there || left.length === 0).toBe(true)
      expect((await cluster.read('kv/data/x', within('a'))).status).toBe(404)
      expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(403)

      await cluster.nodes[0]?.runDuties()
      const kept = (await keysBelow(cluster, '')).filter((key) => !before.has(key))
      expect([failAt, kept]).toEqual([failAt, COUNTERS])
      await cluster.close()
      if (!reached) break
    }
    expect(failed).toBeGreaterThan(20)
  })

  test('goes on after a crash, at another node', async () => {
    const cluster = await start()
    const before = new Set(await keysBelow(cluster, ''))
    await fill(cluster, 'a')
    await cluster.remove('sys/namespaces/a', { node: 0 })
    cluster.nodes[0]?.close()
    await cluster.clock.advance('1m')
    await cluster.nodes[1]?.runDuties()
    const left = (await keysBelow(cluster, '')).filter((key) => !before.has(key))
    expect(left).toEqual([...COUNTERS, 'core/duty-lease'].toSorted())
  })
})

/** What stays of the parent: how often its mounts and namespaces have changed. */
const COUNTERS = ['namespace-changes/root', 'ns/root/mount-changes']

test('row 18 (CVE-2026-55775): no name of a namespace stands for its parent or for the root', async () => {
  const cluster = await start()
  await cluster.write('sys/namespaces/a')
  const outside = await cluster.list('sys/namespaces')
  for (const name of ['root', 'Root', '..', '.', '%2e%2e', 'a/..', 'root/', '%2f', '%00']) {
    for (const method of ['GET', 'POST', 'DELETE', 'PATCH']) {
      const body = { custom_metadata: { was: 'here' } }
      const answer = await cluster.request(method, `sys/namespaces/${name}`, {
        ...(method === 'GET' || method === 'DELETE' ? {} : { body }),
        ...within('a'),
      })
      if (name !== 'Root')
        expect([name, method, answer.status >= 400]).toEqual([name, method, true])
    }
    for (const verb of ['lock', 'unlock']) {
      const at = `sys/namespaces/api-lock/${verb}/${name}`
      const { status } = await cluster.write(at, {}, within('a'))
      expect([name, verb, status]).toEqual([name, verb, 400])
    }
  }
  expect((await cluster.list('sys/namespaces')).data).toEqual(outside.data)
})

test('row 22 (CVE-2026-115366): every operation that is about the whole server is refused to the root of a tenant', async () => {
  const cluster = await start()
  await putNamespaces(cluster, [{ id: 'aaaaaa', path: 'a/' }])
  const token = await namespaceRoot(cluster, { id: 'aaaaaa', path: 'a/' })
  let refused = 0
  for (const { url, operations } of await declaredRoutes(cluster)) {
    for (const [operation, { rootOnly, unauthenticated }] of operations) {
      if (rootOnly === false) continue
      const method = METHODS[operation]
      const body = operation === 'update' || operation === 'patch' ? { body: {} } : {}
      for (const [path, header] of [
        [url, 'a'],
        [`a/${url}`, ''],
      ] as const) {
        const answer = await cluster.request(method, path, { token, ...body, ...within(header) })
        expect([method, path, unauthenticated || answer.status === 400]).toEqual([
          method,
          path,
          true,
        ])
        refused += 1
      }
    }
  }
  expect(refused).toBeGreaterThan(60)
})

test('row 7 (CVE-2026-105820): a policy of one namespace is not found in another by a name that leads there', async () => {
  const cluster = await start()
  await putNamespaces(cluster, [{ id: 'aaaaaa', path: 'a/' }])
  await putPolicy(cluster, 'strong', 'path "*" { capabilities = ["read", "sudo"] }')
  const names = ['../policy/strong', '../../ns/b/policy/strong', 'root', 'root\nstrong']
  for (const name of names) {
    const made = await cluster.write(
      'auth/token/create',
      { policies: [name], no_default_policy: true },
      within('a'),
    )
    const token = String(made.auth['client_token'] ?? 'none')
    for (const namespace of ['', 'a']) {
      const { status } = await cluster.read('sys/mounts', { token, ...within(namespace) })
      expect([name, namespace, status]).toEqual([name, namespace, 403])
    }
  }
  // What was compiled for one namespace is not taken for the same name in another.
  const here = await tokenWith(cluster, ['strong'])
  expect((await cluster.read('sys/mounts', { token: here })).status).toBe(200)
  const made = await cluster.write(
    'auth/token/create',
    { policies: ['strong'], no_default_policy: true },
    within('a'),
  )
  const there = String(made.auth['client_token'])
  expect((await cluster.read('sys/mounts', { token: there, ...within('a') })).status).toBe(403)
})

test('row 66 (CVE-2023-3774): no request to make a namespace brings the server down', async () => {
  const cluster = await start()
  const bodies = ['', 'null', '[]', '"x"', '{"custom_metadata":null}', '{"custom_metadata":[]}']
  const more = [
    '{"seal":{}}',
    '{"seal":null,"pgp_keys":{}}',
    '{"custom_metadata":{"__proto__":"x"}}',
  ]
  const names = [
    'x',
    '%E2%80%AE',
    '__proto__',
    'constructor',
    'x'.repeat(3000),
    '%F0%9F%98%80',
    '%',
    '~',
  ]
  for (const name of names) {
    for (const text of [...bodies, ...more]) {
      for (const method of ['POST', 'PATCH']) {
        const path = `sys/namespaces/${name === '%' ? '%25' : name}`
        const { status } = await cluster.request(method, path, { text })
        expect([name.slice(0, 20), text, status < 500]).toEqual([name.slice(0, 20), text, true])
      }
    }
  }
  expect(cluster.failures).toEqual([])
})
