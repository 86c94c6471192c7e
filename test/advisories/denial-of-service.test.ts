/** Requests that cost more than they should, or bring the server down. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { createApi } from '../../core/api.ts'
import { startCluster, type Cluster } from '../support/kit.ts'
import { keysBelow, putMount, putPolicy, tokenWith } from '../support/records.ts'

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await putMount(cluster, { path: 'kv/', type: 'kv', options: { version: '1' } })
  return cluster
}

const BODIES: Readonly<Record<string, string>> = {
  '100,000 empty objects': `{"a":[${'{},'.repeat(99_999)}{}]}`,
  '10,000 levels of lists': `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  '10,000 levels of objects': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  'lists that do not end': '['.repeat(1_000_000),
  '1,000,000 names': `{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`).join(',')}}`,
  '1,000,000 strings': `{"a":[${'"",'.repeat(999_999)}""]}`,
  'a number of a million digits': `{"a":${'9'.repeat(1_000_000)}}`,
  'a fraction of a million digits': `{"a":0.${'9'.repeat(1_000_000)}}`,
  'an exponent of a million digits': `{"a":1e${'9'.repeat(1_000_000)}}`,
  '200,000 numbers that are kept by their text': `{"a":[${'1.0,'.repeat(200_000)}1.0]}`,
}

test.each(Object.entries(BODIES))(
  'row 59 (CVE-2025-6203): %s are refused before they are parsed, with a token and without',
  async (_what, text) => {
    const cluster = await start()
    for (const token of [cluster.rootToken, null]) {
      for (const path of ['kv/x', 'auth/token/create', 'sys/unseal', 'sys/init']) {
        const answer = await cluster.write(path, undefined, { text, token })
        expect([path, answer.status]).toEqual([path, 400])
        expect(answer.text.length).toBeLessThan(400)
      }
    }
    expect(await keysBelow(cluster, 'mount/')).toEqual([])
  },
)

test('row 59: deep texts in a field are the client’s mistake', async () => {
  const cluster = await start()
  await putMount(cluster, { path: 'auth/approle/', type: 'approle', kind: 'auth' })
  await cluster.write('auth/approle/role/r', {})
  const deep = `${'['.repeat(200_000)}1.0`
  const closed = `${'['.repeat(100_000)}1.0${']'.repeat(100_000)}`
  for (const text of [deep, closed]) {
    for (const body of [
      { metadata: text },
      { cidr_list: text },
      { ttl: text },
      { num_uses: text },
    ]) {
      const answer = await cluster.write('auth/approle/role/r/secret-id', body)
      expect([Object.keys(body), answer.status]).toEqual([Object.keys(body), 400])
    }
  }
  expect(cluster.failures).toEqual([])
})

test('row 62 (CVE-2023-5954): requests that are refused leave no memory behind', async () => {
  const cluster = await start()
  await putPolicy(cluster, 'p', 'path "kv/a" { capabilities = ["read"] }')
  const token = await tokenWith(cluster, ['p'])
  let n = 0
  const refuse = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const which = n++ % 3 === 0 ? `hvs.${n % 500}` : token
      await cluster.read(`kv/refused/${n}`, { token: which })
      await cluster.write(
        'auth/approle/login',
        { role_id: `${n}`, secret_id: 'x' },
        { token: which },
      )
    }
    return heapBytes()
  }
  // Caches fill and drop their older half: the most over one such round is compared with the most over the next.
  const most = async () => Math.max(...(await inTurn(4, () => refuse(15_000))))
  const full = await most()
  expect(await most()).toBeLessThan(full * 1.05)
})

test('row 65 (CVE-2021-45042): no name and no value of a secret brings the server down', async () => {
  const cluster = await start()
  await putMount(cluster, { path: 'kv2/', type: 'kv', options: { version: '2' } })
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  const api = createApi(node)
  const names = [
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    '.',
    '..',
    'a\u0000b',
    '\u0000',
    '\ud800',
    'a\nb',
    'x'.repeat(600),
    'é'.repeat(600),
    'x'.repeat(65_536),
    'a/'.repeat(500),
    '%',
    ' ',
    '\u{1f600}',
    '__proto__',
    'constructor',
  ]
  const bodies = [
    '{}',
    '{"a":null}',
    '{"":""}',
    '{"__proto__":{"a":1}}',
    '{"data":{"__proto__":1}}',
    '{"data":null}',
    '{"data":"x"}',
    `{"data":{"a":"${'x'.repeat(2_000_000)}"}}`,
    `{"a":"${'x'.repeat(5_000_000)}"}`,
    'null',
    '[]',
    '"x"',
    '',
  ]
  for (const mount of ['kv/', 'kv2/data/', 'kv2/metadata/', 'kv2/delete/', 'cubbyhole/']) {
    for (const name of names) {
      for (const [method, body] of [
        ['GET', ''],
        ['LIST', ''],
        ['DELETE', ''],
        ...bodies.map((one) => ['POST', one] as const),
      ] as const) {
        const { status } = await api({
          method,
          path: `/v1/${mount}${name}`,
          query: new Map(),
          headers: { 'x-vault-token': cluster.rootToken },
          body: Buffer.from(body),
          client: { address: '127.0.0.1', port: 1 },
        })
        expect([mount, method, name.slice(0, 20), body.slice(0, 30), status < 500]).toEqual([
          mount,
          method,
          name.slice(0, 20),
          body.slice(0, 30),
          true,
        ])
      }
    }
  }
  expect(cluster.failures).toEqual([])
  expect((await cluster.read('auth/token/lookup-self')).status).toBe(200)
})

async function inTurn<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const done: T[] = []
  for (let i = 0; i < times; i++) done.push(await work())
  return done
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc()')
  return process.memoryUsage().heapUsed
}

test('row 63 (CVE-2024-8185): what comes before anybody has a token is bounded, however much of it comes', async () => {
  const cluster = await startCluster({ bare: true, nodes: 1 })
  onTestFinished(() => cluster.close())
  const body = { secret_shares: 5, secret_threshold: 3 }
  const { json } = await cluster.write('sys/init', body, { token: null })
  const shares = Array.isArray(json['keys']) ? json['keys'].map(String) : []
  const progress = new Set<unknown>()
  for (let i = 1; i <= 5_000; i++) {
    const share = Buffer.alloc(33, 1)
    share.writeUInt32BE(i)
    const answer = await cluster.write(
      'sys/unseal',
      { key: share.toString('hex') },
      { token: null },
    )
    progress.add(answer.json['progress'] ?? 'refused')
  }
  expect([...progress].toSorted()).toEqual([1, 2, 'refused'])

  await cluster.write('sys/unseal', { reset: true }, { token: null })
  for (const key of shares.slice(0, 3)) await cluster.write('sys/unseal', { key }, { token: null })
  expect((await cluster.read('sys/seal-status', { token: null })).json['sealed']).toBe(false)
})
