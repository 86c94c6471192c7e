import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AuditBroker } from '../../../core/audit/broker.ts'
import { AuditFailed } from '../../../core/audit/failures.ts'
import { createApi } from '../../../core/api.ts'
import { measuredOf } from '../../../cmd/server/measured.ts'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'
import { showMetrics } from './metrics.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({ nodes: 1 })
})
afterEach(() => cluster.close())

/** Lines of Prometheus text by name and labels. */
async function prometheus(): Promise<ReadonlyMap<string, number>> {
  const { text } = await cluster.read('sys/metrics?format=prometheus')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line): [string, number] => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

describe('Prometheus text', () => {
  test.each([
    ['sys/metrics?format=prometheus', '*/*'],
    ['sys/metrics', 'text/plain;version=0.0.4;q=0.3,*/*;q=0.2'],
    ['sys/metrics', 'application/openmetrics-text;version=1.0.0'],
  ])('is the answer to %s with Accept %s', async (path, accept) => {
    const answer = await cluster.read(path, { headers: { accept } })
    expect(answer.headers['Content-Type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.text).toContain('# TYPE keyhold_requests_in_flight gauge\n')
  })

  test('has one type and one help for each name, and only numbers', async () => {
    const { text } = await cluster.read('sys/metrics?format=prometheus')
    const types = text.match(/^# TYPE \S+/gm) ?? []
    expect(new Set(types).size).toBe(types.length)
    expect(text.match(/^# HELP \S+/gm)).toHaveLength(types.length)
    for (const value of (await prometheus()).values()) expect(value).not.toBeNaN()
    expect(text.endsWith('\n')).toBe(true)
  })
})

describe('what is counted', () => {
  test('are requests by their method', async () => {
    const name = 'keyhold_request_duration_milliseconds_count{operation="LIST"}'
    expect((await prometheus()).get(name)).toBeUndefined()
    await cluster.list('sys/policies/acl')
    await cluster.list('sys/policies/acl')
    expect((await prometheus()).get(name)).toBe(2)
  })

  test('is not how long a client takes to send its body', async () => {
    const [node] = cluster.nodes
    if (node === undefined) throw new Error('a cluster has a node')
    await createApi(node)({
      method: 'PUT',
      path: '/v1/cubbyhole/slow',
      query: new Map(),
      headers: { 'x-vault-token': cluster.rootToken },
      body: Buffer.from('{"a":"b"}'),
      receive: async () => cluster.clock.advance('20s'),
      client: { address: '127.0.0.1', port: 1 },
    })
    const name = 'keyhold_request_duration_milliseconds_sum{operation="PUT"}'
    expect((await prometheus()).get(name)).toBe(0)
  })

  test('are the requests that a rate limit refused', async () => {
    await cluster.write('sys/quotas/rate-limit/q', { path: 'cubbyhole', rate: 1, interval: '1h' })
    for (let i = 0; i < 3; i++) await cluster.read('cubbyhole/x')
    expect((await prometheus()).get('keyhold_rate_limited_total')).toBe(2)
  })

  test('is what the barrier has sealed, by term', async () => {
    const before = await prometheus()
    await cluster.write('cubbyhole/a', { b: 'c' })
    const after = await prometheus()
    const sealed = 'keyhold_barrier_encryptions'
    expect(after.get(sealed)).toBeGreaterThan(before.get(sealed) ?? Infinity)
    await cluster.write('sys/rotate')
    expect((await prometheus()).get('keyhold_barrier_term')).toBe(2)
  })

  test('is what the kept records cost', async () => {
    const before = (await prometheus()).get('keyhold_record_cache_bytes') ?? Infinity
    await cluster.write('cubbyhole/a', { b: 'c'.repeat(10_000) })
    const after = (await prometheus()).get('keyhold_record_cache_bytes') ?? 0
    expect(after - before).toBeGreaterThan(10_000)
  })

  test('is the request that asks', async () => {
    expect((await prometheus()).get('keyhold_requests_in_flight')).toBe(1)
  })
})

describe('where Prometheus text is turned off', () => {
  const ask = async (format: string, accept = '*/*') => {
    const [node] = cluster.nodes
    if (node === undefined) throw new Error('there is no node')
    return showMetrics(measuredOf(node, { prometheus: false }), { format, accept, nowMs: 0 })
  }

  test('it is refused, however it is asked for', async () => {
    for (const shown of [await ask('prometheus'), await ask('', 'text/plain')]) {
      expect(shown).toMatchObject({ status: 400, contentType: 'text/plain' })
      expect(shown.body).toMatch(/^prometheus is not enabled; set prometheus_retention_time/)
    }
  })

  test('JSON is answered all the same', async () => {
    expect(await ask('')).toMatchObject({ status: 200, contentType: 'application/json' })
  })
})

describe('JSON', () => {
  test('has the shape that clients of Vault know', async () => {
    await cluster.read('sys/mounts')
    const { json } = await cluster.read('sys/metrics')
    expect(Object.keys(json).toSorted()).toEqual([
      'Counters',
      'Gauges',
      'Points',
      'Samples',
      'Timestamp',
    ])
    expect(json['Counters']).toContainEqual(
      expect.objectContaining({ Name: 'keyhold.audit.failures', Count: 0, Labels: {} }),
    )
    expect(json['Samples']).toContainEqual(
      expect.objectContaining({ Name: 'keyhold.request.duration', Labels: { operation: 'GET' } }),
    )
  })

  test.each(['xml', 'json'])('and text are all the formats there are: not %s', async (format) => {
    const refused = await cluster.read(`sys/metrics?format=${format}`)
    expect(refused.status).toBe(400)
    expect(refused.text).not.toContain(format)
  })
})

test('requests that no audit device took are counted', async () => {
  const name = 'keyhold_audit_failures_total'
  expect((await prometheus()).get(name)).toBe(0)
  const broken = vi
    .spyOn(AuditBroker.prototype, 'recordRequest')
    .mockRejectedValue(new AuditFailed('request', []))
  expect((await cluster.read('sys/mounts')).status).toBe(500)
  broken.mockRestore()
  expect((await prometheus()).get(name)).toBe(1)
})

test('requests in flight are listed with what they ask for, and nothing of what they carry', async () => {
  const { json, text } = await cluster.read('sys/in-flight-req')
  expect(Object.values(json)).toEqual([
    {
      start_time: '2026-01-01T00:00:00Z',
      client_remote_address: '127.0.0.1',
      request_path: '/v1/sys/in-flight-req',
      request_method: 'GET',
      client_id: '',
    },
  ])
  expect(text).not.toContain(cluster.rootToken)
})
