/** Limits that are counted too late, or not at all. */
import { expect, onTestFinished, test } from 'vitest'
import { createApi } from '../../core/api.ts'
import type { HttpRequest } from '../../core/http/message.ts'
import { startCluster, type Cluster } from '../support/kit.ts'

async function limited(rate: number, path = ''): Promise<Cluster> {
  const cluster = await startCluster({ nodes: 1 })
  onTestFinished(() => cluster.close())
  const admin = { address: '10.9.9.9' }
  await cluster.write('sys/mounts/kv', { type: 'kv' }, admin)
  await cluster.write('sys/auth/approle', { type: 'approle' }, admin)
  await cluster.write('sys/quotas/rate-limit/q', { rate, interval: '1h', path }, admin)
  return cluster
}

/** A request whose body is on its way, as a listener has it. */
function arriving(path: string, text: string, token: string) {
  let body = Buffer.alloc(0)
  const seen = { received: 0 }
  const request: HttpRequest = {
    method: 'POST',
    path: `/v1/${path}`,
    query: new Map(),
    headers: { 'x-vault-token': token },
    get body() {
      return body
    },
    async receive() {
      seen.received += 1
      body = Buffer.from(text)
    },
    client: { address: '127.0.0.1', port: 1 },
  }
  return { request, seen }
}

test('row 60 (CVE-2025-12044): a request is counted before its body is read, and a refused one’s never is', async () => {
  const cluster = await limited(3)
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  const api = createApi(node)
  const bodies = ['{"v":1}', '{"v":', `{"v":${'['.repeat(100_000)}`, '{"v":1}', '{"v":', '{}']
  const got: [number, number][] = []
  for (const text of bodies) {
    const { request, seen } = arriving('kv/a', text, cluster.rootToken)
    got.push([(await api(request)).status, Math.min(seen.received, 1)])
  }
  expect(got).toEqual([
    [204, 1],
    [400, 1],
    [400, 1],
    [429, 0],
    [429, 0],
    [429, 0],
  ])
  const { request, seen } = arriving('sys/init', '{"secret_shares":', cluster.rootToken)
  expect([(await api(request)).status, seen.received]).toEqual([429, 0])
})

test('row 60: a limit on a role reads the body of a login to it, and of nothing else', async () => {
  const cluster = await limited(3, 'auth/approle/login')
  const admin = { address: '10.9.9.9' }
  await cluster.write(
    'sys/quotas/rate-limit/role',
    { rate: 1, path: 'auth/approle', role: 'r' },
    admin,
  )
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  const api = createApi(node)
  const got: [number, number][] = []
  for (let i = 0; i < 4; i++) {
    const text = `{"role_id":${'['.repeat(100_000)}`
    const { request, seen } = arriving('auth/approle/login', text, '')
    got.push([(await api(request)).status, Math.min(seen.received, 1)])
  }
  expect(got).toEqual([
    [400, 1],
    [400, 1],
    [400, 1],
    [429, 1],
  ])
})

test('row 62 (CVE-2023-5954): refused requests of ever new addresses leave no memory behind', async () => {
  const cluster = await limited(1, 'kv/')
  const before = cluster.nodes[0]?.unsealed.store.cache.bytes ?? 0
  for (let i = 0; i < 20_000; i++) {
    await cluster.read(`kv/never/${i}`, { token: null, address: `10.1.${i >> 8}.${i & 255}` })
    await cluster.read('kv/a', { token: null, address: `10.1.${i >> 8}.${i & 255}` })
  }
  const after = cluster.nodes[0]?.unsealed.store.cache.bytes ?? 0
  expect(after - before).toBeLessThan(16 * 1024 * 1024)
  expect((await cluster.read('kv/a', { token: null, address: '10.1.78.31' })).status).toBe(429)
})
