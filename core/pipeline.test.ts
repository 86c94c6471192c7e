import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { StorageUnavailable } from '../storage/contract.ts'
import { MemoryStorage } from '../storage/memory.ts'
import {
  startCluster,
  type Answer,
  type Cluster,
  type ClusterOptions,
} from '../test/support/kit.ts'
import { damage, keysBelow, putMount, putPolicy, tokenWith } from '../test/support/records.ts'
import { AuditFailed } from './audit/failures.ts'
import { BadRequest, RequestError } from './errors.ts'
import { anything, integer, string } from './plugin/fields.ts'
import { path } from './plugin/path.ts'
import type { PluginType } from './plugin/plugin.ts'
import { kind } from './store/kind.ts'

const CANARY = 'kanarienvogel'
const numbers = kind('probe-number', z.number())

/** How often each handler ran. */
const runs = new Map<string, number>()
const ran = (name: string) => runs.set(name, (runs.get(name) ?? 0) + 1)

const probe: PluginType = {
  type: 'probe',
  kind: 'secret',
  help: 'For tests.',
  create: () => ({
    paths: [
      path('number/:name', {
        summary: 'A number',
        fields: { name: string('').default(''), by: integer('').default(1) },
        operations: {
          async read({ storage, data }) {
            const number = await storage.get(numbers, `number/${data.name}`)
            return number === undefined ? undefined : { data: { number } }
          },
          async update({ storage, data }) {
            const key = `number/${data.name}`
            const number = ((await storage.get(numbers, key)) ?? 0) + data.by
            storage.put(numbers, key, number)
            return { data: { number } }
          },
          delete: ({ storage, data }) => storage.delete(`number/${data.name}`),
        },
      }),
      path('number', {
        summary: 'The numbers',
        operations: {
          list: async ({ storage }) => ({ data: { keys: await storage.list('number/') } }),
        },
      }),
      path('fail/:how', {
        summary: 'Writes, and then fails',
        fields: { how: string('').default(''), secret: anything('') },
        operations: {
          update({ storage, data }) {
            ran('fail')
            storage.put(numbers, 'number/left', 1)
            switch (data.how) {
              case 'bad':
                throw new BadRequest('no')
              case 'teapot':
                throw new RequestError(418, ['a', 'b'], { data: { x: 1 } })
              case 'storage':
                throw new StorageUnavailable(`disk ${CANARY}`, { cause: new Error(CANARY) })
              default:
                throw new TypeError(`bug: ${JSON.stringify(data.secret)} ${CANARY}`)
            }
          },
        },
      }),
      path('open', {
        summary: 'Needs no token',
        unauthenticated: true,
        operations: { read: ({ caller }) => ({ data: { caller: caller?.displayName ?? null } }) },
      }),
      path('late', {
        summary: 'Acts once all is durable',
        operations: {
          update: ({ storage }) => {
            storage.put(numbers, 'number/late', 1)
            return { data: { ok: true }, afterwards: async () => void ran('late') }
          },
        },
      }),
    ],
  }),
}

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  runs.clear()
  const cluster = await startCluster({ ...options, plugins: [probe] })
  onTestFinished(() => cluster.close())
  await putMount(cluster, { path: 'probe/', type: 'probe' })
  await putPolicy(
    cluster,
    'all',
    'path "probe/*" { capabilities = ["create", "read", "update", "delete", "list"] }',
  )
  await putPolicy(cluster, 'reads', 'path "probe/*" { capabilities = ["read"] }')
  return cluster
}

describe('conflicts', () => {
  test('are solved by running the request again: 100 additions at once on two nodes all count', async () => {
    const cluster = await start()
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => cluster.write('probe/number/n', { by: 2 })),
    )
    expect(countOf(answers)).toEqual({ 200: 100 })
    const seen = answers.map(({ data }) => Number(data['number'])).sort((a, b) => a - b)
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => 2 * (i + 1)))
    expect((await cluster.read('probe/number/n')).data).toEqual({ number: 200 })
  })

  test('without an end are given up, with nothing done and a time to come back', async () => {
    const storage = new (class extends MemoryStorage {
      busy = false
      override async commit(change: Parameters<MemoryStorage['commit']>[0]) {
        const [key = ''] = change.put.keys()
        return this.busy && key.includes('number/') ? { conflict: key } : super.commit(change)
      }
    })()
    const cluster = await start({ storage })
    storage.busy = true
    const answer = await cluster.write('probe/number/n')
    expect(answer.status).toBe(503)
    expect(answer.headers['Retry-After']).toBe('1')
    storage.busy = false
    expect((await cluster.read('probe/number/n')).status).toBe(404)
  })

  test('with a change of what was granted: the answer and the audit log are those of the last attempt', async () => {
    const storage = new (class extends MemoryStorage {
      before: () => Promise<unknown> = async () => undefined
      override async commit(change: Parameters<MemoryStorage['commit']>[0]) {
        if ([...change.put.keys()].some((key) => key.includes('number/'))) {
          const before = this.before
          this.before = async () => undefined
          await before()
        }
        return super.commit(change)
      }
    })()
    const cluster = await start({ storage })
    const token = await tokenWith(cluster, ['all'], { num_uses: 2, ttl: '1h' })
    const spies = cluster.nodes.map(({ parts }) => vi.spyOn(parts.audit, 'recordResponse'))
    storage.before = () => putPolicy(cluster, 'all', '')
    expect((await cluster.write('probe/number/n', {}, { token, node: 1 })).status).toBe(403)
    const [entry] = spies[1]?.mock.calls[0] ?? []
    expect(entry?.error).toContain('permission denied')
    expect(entry?.auth.policyResults).toEqual({ allowed: false })
    expect((await cluster.read('probe/number/n')).status).toBe(404)
    await putPolicy(cluster, 'all', 'path "probe/*" { capabilities = ["update"] }')
    expect((await cluster.write('probe/number/n', {}, { token })).status).toBe(200)
    expect((await cluster.write('probe/number/n', {}, { token })).status).toBe(403)
  })

  test('audit the request once', async () => {
    const cluster = await start()
    const spies = cluster.nodes.map(({ parts }) => vi.spyOn(parts.audit, 'recordRequest'))
    await Promise.all(Array.from({ length: 40 }, () => cluster.write('probe/number/n')))
    const ids = spies.flatMap((spy) => spy.mock.calls.map(([entry]) => entry.request.id))
    expect([ids.length, new Set(ids).size]).toEqual([40, 40])
  })
})

describe('a handler that fails', () => {
  test.each([
    ['bad', 400, { errors: ['no'] }],
    ['teapot', 418, { data: { x: 1 }, errors: ['a', 'b'] }],
    ['bug', 500, { errors: ['internal error'] }],
  ])('%s: %d, and nothing that it wrote is there', async (how, status, json) => {
    const cluster = await start()
    const answer = await cluster.write(`probe/fail/${how}`, { secret: CANARY })
    expect([answer.status, answer.json]).toEqual([status, json])
    expect((await cluster.read('probe/number/left')).status).toBe(404)
  })

  test('takes a use of the token all the same', async () => {
    const cluster = await start()
    const token = await tokenWith(cluster, ['all'], { num_uses: 3, ttl: '1h' })
    for (const how of ['bad', 'bug', 'teapot'])
      await cluster.write(`probe/fail/${how}`, {}, { token })
    expect((await cluster.read('probe/number/left', { token })).status).toBe(403)
    expect(await keysBelow(cluster, 'expiry/')).toEqual([])
    expect((await cluster.read('probe/number/left')).status).toBe(404)
  })

  test.each(['bug', 'storage'])(
    '%s: tells the client nothing, and the log the cause',
    async (how) => {
      const cluster = await start()
      const answer = await cluster.write(`probe/fail/${how}`, { secret: { deep: [CANARY] } })
      const { text, headers } = answer
      expect(`${text}${JSON.stringify(headers)}`).not.toMatch(
        new RegExp(`${CANARY}|at |\\.ts|stack`, 'i'),
      )
      expect(answer.status).toBe(how === 'bug' ? 500 : 503)
      expect(cluster.failures).toHaveLength(1)
    },
  )
})

describe('the audit log', () => {
  test('that cannot take the request keeps the handler from running', async () => {
    const cluster = await start()
    const token = await tokenWith(cluster, ['all'], { num_uses: 2, ttl: '1h' })
    for (const { parts } of cluster.nodes) {
      vi.spyOn(parts.audit, 'recordRequest').mockRejectedValue(new AuditFailed('request', []))
    }
    for (const how of ['probe/fail/bad', 'probe/number/n', 'probe/late']) {
      const answer = await cluster.write(how, {}, { token })
      expect(answer.status).toBe(500)
    }
    expect(runs.size).toBe(0)
    vi.restoreAllMocks()
    expect((await cluster.read('probe/number/n', { token })).status).toBe(404)
  })

  test('that cannot take the answer keeps it from the client', async () => {
    const cluster = await start()
    await cluster.write('probe/number/n', { by: 77_777 })
    for (const { parts } of cluster.nodes) {
      vi.spyOn(parts.audit, 'recordResponse').mockRejectedValue(new AuditFailed('response', []))
    }
    const answer = await cluster.read('probe/number/n')
    expect([answer.status, answer.json]).toEqual([500, { errors: ['internal error'] }])
  })

  test('holds a request and an answer for each that was refused', async () => {
    const cluster = await start()
    const token = await tokenWith(cluster, ['reads'], { ttl: '1h' })
    const [node] = cluster.nodes
    if (node === undefined) throw new Error('there is a node')
    const requests = vi.spyOn(node.parts.audit, 'recordRequest')
    const responses = vi.spyOn(node.parts.audit, 'recordResponse')
    await cluster.write('probe/number/n', {}, { token, node: 0 })
    await cluster.read('probe/none', { token: 'bogus', node: 0 })
    await cluster.read('probe/none', { token: null, node: 0 })
    await cluster.read('probe/none', { token, node: 0 })
    expect(requests.mock.calls.map(([{ error }]) => error)).toEqual([
      expect.stringContaining('permission denied'),
      'permission denied',
      'permission denied',
      undefined,
    ])
    expect(responses).toHaveBeenCalledTimes(4)
  })
})

describe('who may', () => {
  test('what a policy does not allow is refused before the handler, and before it is said whether there is one', async () => {
    const cluster = await start()
    const token = await tokenWith(cluster, ['reads'])
    const denied = { status: 403, errors: ['1 error occurred:\n\t* permission denied\n\n'] }
    expect(await cluster.write('probe/fail/bad', {}, { token })).toMatchObject(denied)
    expect(await cluster.write('probe/nonsense', {}, { token })).toMatchObject(denied)
    expect(await cluster.write('nowhere/nonsense', {}, { token })).toMatchObject(denied)
    expect(runs.size).toBe(0)
    expect((await cluster.read('probe/nonsense', { token })).status).toBe(404)
    expect((await cluster.request('PATCH', 'probe/number/n', { body: {} })).status).toBe(405)
    expect((await cluster.read('nowhere/nonsense')).status).toBe(404)
  })

  test('a change of a policy holds for the next request on every node', async () => {
    const cluster = await start()
    const token = await tokenWith(cluster, ['reads'])
    for (const [text, status] of [
      ['path "probe/*" { capabilities = ["update"] }', 200],
      [
        'path "probe/*" { capabilities = ["update"] }\npath "probe/number/n" { capabilities = ["deny"] }',
        403,
      ],
      ['', 403],
      ['path "probe/number/+" { capabilities = ["update"] }', 200],
    ] as const) {
      await putPolicy(cluster, 'reads', text)
      for (const node of [0, 1, 0, 1]) {
        expect((await cluster.write('probe/number/n', {}, { token, node })).status).toBe(status)
      }
    }
  })

  test('a path without authentication takes any token, and knows a good one', async () => {
    const cluster = await start()
    const token = await tokenWith(cluster, ['all'], { num_uses: 1, ttl: '1h', display_name: 'me' })
    for (const bad of [null, 'bogus', 'hvb.bogus']) {
      expect((await cluster.read('probe/open', { token: bad })).data).toEqual({ caller: null })
    }
    for (let i = 0; i < 3; i++) {
      expect((await cluster.read('probe/open', { token })).data).toEqual({ caller: 'token-me' })
    }
  })
})

test('fields that a path does not have, or has itself, are warned of by their names', async () => {
  const cluster = await start()
  const body = { by: 1, strange: CANARY, constructor: 1, toString: 2, name: CANARY }
  const { json, text } = await cluster.write('probe/number/n', body)
  expect(json['warnings']).toEqual([
    'Endpoint ignored these unrecognized parameters: [constructor strange toString]',
    "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [name]",
  ])
  expect(text).not.toContain(CANARY)
  expect((await cluster.read('probe/number/n')).data).toEqual({ number: 1 })
})

test('what a handler does afterwards is done once, when its writes are durable', async () => {
  const cluster = await start()
  expect((await cluster.write('probe/late')).data).toEqual({ ok: true })
  expect(runs.get('late')).toBe(1)
  expect((await cluster.read('probe/number/late')).status).toBe(200)
})

test('a damaged record fails the requests that need it, by name, and no others', async () => {
  const cluster = await start()
  await cluster.write('probe/number/a')
  await cluster.write('probe/number/b')
  const [key = ''] = (await keysBelow(cluster, 'mount/')).filter((one) => one.endsWith('number/a'))
  await damage(cluster, key)
  for (const node of [0, 1]) {
    const answer = await cluster.read('probe/number/a', { node })
    expect(answer.status).toBe(500)
    expect(answer.errors.join()).toContain(key)
    expect((await cluster.read('probe/number/b', { node })).status).toBe(200)
    expect((await cluster.list('probe/number', { node })).data['keys']).toEqual(['a', 'b'])
  }
  expect(String(cluster.failures[0])).toContain(key)
  expect((await cluster.remove('probe/number/a')).status).toBe(204)
  expect((await cluster.read('probe/number/a')).status).toBe(404)
})

test('a record that was put in the place of another is damaged, too', async () => {
  const cluster = await start()
  await cluster.write('probe/number/a', { by: 1 })
  await cluster.write('probe/number/b', { by: 2 })
  const [a = '', b = ''] = (await keysBelow(cluster, 'mount/')).filter((one) =>
    one.includes('number/'),
  )
  const stored = await cluster.storage.get(b)
  if (stored === undefined) throw new Error('b is stored')
  await cluster.storage.commit({
    expect: new Map(),
    put: new Map([[a, stored.value]]),
    delete: new Set(),
  })
  expect((await cluster.read('probe/number/a')).status).toBe(500)
})

test('a storage that fails is no answer, and does no harm', async () => {
  const storage = new (class extends MemoryStorage {
    broken = false
    override async commit(change: Parameters<MemoryStorage['commit']>[0]) {
      if (this.broken) throw new StorageUnavailable(`no route to ${CANARY}`)
      return super.commit(change)
    }
  })()
  const cluster = await start({ storage })
  await cluster.write('probe/number/n')
  storage.broken = true
  const answer = await cluster.write('probe/number/n')
  expect([answer.status, answer.headers['Retry-After']]).toEqual([503, '1'])
  expect(answer.text).not.toContain(CANARY)
  expect((await cluster.read('probe/number/n')).data).toEqual({ number: 1 })
  storage.broken = false
  expect((await cluster.write('probe/number/n')).data).toEqual({ number: 2 })
})

function countOf(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
