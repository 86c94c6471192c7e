import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApi } from '../../core/api.ts'
import type { HttpResponse } from '../../core/http/message.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { measuredOf } from './measured.ts'
import { openEndpoints, type OpenMonitoring } from './open-endpoints.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({ nodes: 1 })
})
afterEach(() => cluster.close())

interface Sent {
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
}

/** Asks a listener at which `open` needs no token. */
function ask(open: Partial<OpenMonitoring>, path: string, sent: Sent = {}): Promise<HttpResponse> {
  const { query = {}, headers = {}, method = 'GET' } = sent
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('there is no node')
  const measured = measuredOf(node, { prometheus: true })
  const endpoints = openEndpoints({ metrics: false, inFlightRequests: false, ...open }, measured)
  return createApi(
    node,
    endpoints,
  )({
    method,
    path: `/v1/${path}`,
    query: new Map(Object.entries(query).map(([name, value]) => [name, [value]])),
    headers,
    body: Buffer.alloc(0),
    client: { address: '192.0.2.1', port: 1 },
  })
}

test('metrics need no token where they are open, as JSON and as Prometheus text', async () => {
  const json = await ask({ metrics: true }, 'sys/metrics')
  expect(json).toMatchObject({ status: 200, headers: { 'Content-Type': 'application/json' } })
  expect(JSON.parse(String(json.body))).toHaveProperty('Gauges')

  const byQuery = await ask({ metrics: true }, 'sys/metrics', { query: { format: 'prometheus' } })
  const byHeader = await ask({ metrics: true }, 'sys/metrics', {
    headers: { accept: 'text/plain' },
  })
  for (const text of [byQuery, byHeader])
    expect(String(text.body)).toContain('keyhold_barrier_term 1\n')
})

test('requests in flight need no token where they are open', async () => {
  expect(await ask({ inFlightRequests: true }, 'sys/in-flight-req')).toMatchObject({
    status: 200,
    body: '{}\n',
  })
})

test('one that is open opens nothing else', async () => {
  expect((await ask({ inFlightRequests: true }, 'sys/metrics')).status).toBe(403)
  expect((await ask({ metrics: true }, 'sys/in-flight-req')).status).toBe(403)
  expect((await ask({ metrics: true, inFlightRequests: true }, 'sys/mounts')).status).toBe(403)
})

test('a bad token is no matter there', async () => {
  const headers = { 'x-vault-token': 'hvs.none' }
  expect((await ask({ metrics: true }, 'sys/metrics', { headers })).status).toBe(200)
})

test('a sealed node shows what it has', async () => {
  await cluster.write('sys/seal')
  const { status, body } = await ask({ metrics: true }, 'sys/metrics', {
    query: { format: 'prometheus' },
  })
  expect(status).toBe(200)
  expect(body).toContain('keyhold_memory_resident_bytes')
  expect(body).not.toContain('keyhold_barrier_term')
})

test.each([
  ['another method', { method: 'POST' }, 405],
  ['an unknown format', { query: { format: 'xml' } }, 400],
  ['a namespace', { headers: { 'x-vault-namespace': 'a' } }, 400],
])('%s is refused', async (_what, sent, status) => {
  expect((await ask({ metrics: true }, 'sys/metrics', sent)).status).toBe(status)
})
