import { describe, expect, onTestFinished, test } from 'vitest'
import { MemoryStorage } from '../storage/memory.ts'
import { startCluster, type Cluster } from '../test/support/kit.ts'
import {
  inStorage,
  namespaceRoot,
  putMount,
  putNamespaces,
  putPolicy,
} from '../test/support/records.ts'
import { removeNamespace } from './namespace/table.ts'
import { findNamespace } from './namespaces.ts'

/** a, a/deep and b; each with its own token method, and a policy `admin` that may do anything in it. */
const NAMESPACES = [
  { id: 'aaaaaa', path: 'a/' },
  { id: 'dddddd', path: 'a/deep/' },
  { id: 'bbbbbb', path: 'b/' },
]

/** A wildcard alone does not reach into namespaces below: they may be made after the policy. */
const ADMIN = ['*', 'deep/*']
  .map(
    (path) =>
      `path "${path}" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }`,
  )
  .join('\n')

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await putNamespaces(cluster, NAMESPACES)
  for (const { id } of NAMESPACES) await putPolicy(cluster, 'admin', ADMIN, id)
  return cluster
}

const within = (namespace: string) => ({ headers: { 'x-vault-namespace': namespace } })

async function adminOf(cluster: Cluster, namespace: string): Promise<string> {
  const body = { policies: ['admin'], ttl: '1h', no_parent: true }
  const made = await cluster.write('auth/token/create', body, within(namespace))
  expect(made.status).toBe(200)
  return String(made.auth['client_token'])
}

const self = (cluster: Cluster, token: string, namespace = '') =>
  cluster.read('auth/token/lookup-self', { token, ...within(namespace) })
/** Something that is of the namespace asked, and not of the token. */
const mounts = (cluster: Cluster, token: string, namespace = '') =>
  cluster.read('sys/mounts', { token, ...within(namespace) })

test('a token names its namespace, and is good there and below', async () => {
  const cluster = await start()
  const token = await adminOf(cluster, 'a')
  expect(token).toMatch(/^hvs\.[0-9A-Za-z]{24}\.aaaaaa$/)
  expect((await self(cluster, token, 'a')).data).toMatchObject({ namespace_path: 'a/' })
  expect((await mounts(cluster, token, 'a')).status).toBe(200)
  expect((await mounts(cluster, token, 'a/deep')).status).toBe(200)
  for (const other of ['', 'b']) expect((await mounts(cluster, token, other)).status).toBe(403)
})

describe('what is about a given token happens in the namespace that it names', () => {
  const ask = (cluster: Cluster, path: string, token: string, given: string, namespace: string) =>
    cluster.write(`auth/token/${path}`, { token: given }, { token, ...within(namespace) })

  test.each([
    // Who holds the token of another tenant has no rights there.
    ['a', 'b', 'a', 403],
    ['a', 'b', 'b', 403],
    // Whichever namespace the request names, the rights in that of the token count.
    ['a', 'a', 'a', 200],
    ['a', 'a', 'a/deep', 200],
    ['a', 'a/deep', 'a', 200],
    ['a/deep', 'a', 'a/deep', 403],
  ])('an administrator of %s, a token of %s, asked in %s: %d', async (of, given, asked, status) => {
    const cluster = await start()
    const admin = await adminOf(cluster, of)
    const victim = await adminOf(cluster, given)
    const looked = await ask(cluster, 'lookup', admin, victim, asked)
    expect(looked.status).toBe(status)
    if (status === 200) expect(looked.data).toMatchObject({ namespace_path: `${given}/` })
    expect((await ask(cluster, 'renew', admin, victim, asked)).status).toBe(status)
    const revoke = of === given ? 'revoke-orphan' : 'revoke'
    const { status: revoked } = await ask(cluster, revoke, admin, victim, asked)
    expect(revoked).toBe(status === 200 ? 204 : 403)
    expect((await self(cluster, victim, given)).status).toBe(status === 200 ? 403 : 200)
  })

  test('by the rules of each, one after another: where it happens is not kept from the one before', async () => {
    const cluster = await start()
    const admin = await adminOf(cluster, 'a')
    for (const [given, status] of [['a', 200] as const, ['b', 403] as const, ['a', 200] as const]) {
      const victim = await adminOf(cluster, given)
      expect((await ask(cluster, 'lookup', admin, victim, 'a')).status).toBe(status)
    }
  })

  test('also for batch tokens', async () => {
    const cluster = await start()
    const body = { policies: ['default'], type: 'batch', ttl: '1h', no_parent: true }
    const made = await cluster.write('auth/token/create', body, within('b'))
    const batch = String(made.auth['client_token'])
    const [ofA, ofB] = [await adminOf(cluster, 'a'), await adminOf(cluster, 'b')]
    expect((await ask(cluster, 'lookup', ofA, batch, 'a')).status).toBe(403)
    const looked = await ask(cluster, 'lookup', ofB, batch, 'a')
    expect(looked.data).toMatchObject({ namespace_path: 'b/' })
  })

  test('without one, that of the caller', async () => {
    const cluster = await start()
    const token = await adminOf(cluster, 'a')
    for (const asked of ['', 'b']) {
      const looked = await cluster.write('auth/token/lookup', {}, { token, ...within(asked) })
      expect(looked.data).toMatchObject({ namespace_path: 'a/' })
      const read = await cluster.read('auth/token/lookup', { token, ...within(asked) })
      expect(read.data).toMatchObject({ namespace_path: 'a/' })
    }
  })

  test('that names a namespace which is none, and that is none: nothing is found', async () => {
    const cluster = await start()
    const admin = await adminOf(cluster, 'a')
    for (const given of ['hvs.x.zzzzzz', 'hvs.x./', 'hvb.x', 'x'.repeat(9000)]) {
      const looked = await ask(cluster, 'lookup', admin, given, 'a')
      expect(looked).toMatchObject({ status: 403, errors: ['bad token'] })
    }
  })
})

describe('what is about the calling token happens in its namespace, whichever is asked', () => {
  test.each(['a', 'a/deep', 'b', ''])('asked in %j', async (namespace) => {
    const cluster = await start()
    const body = { policies: ['default'], ttl: '1h', no_parent: true }
    const made = await cluster.write('auth/token/create', body, within('a'))
    const token = String(made.auth['client_token'])
    const asked = { token, ...within(namespace) }

    expect((await self(cluster, token, namespace)).data).toMatchObject({ namespace_path: 'a/' })
    cluster.clock.advance('30m')
    const renewed = await cluster.write('auth/token/renew-self', {}, asked)
    expect(renewed.auth).toMatchObject({ lease_duration: 3600 })
    expect((await mounts(cluster, token, namespace)).status).toBe(403)
    expect((await cluster.write('auth/token/revoke-self', {}, asked)).status).toBe(204)
    expect((await self(cluster, token, 'a')).status).toBe(403)
  })

  test('by the policies that it has there', async () => {
    const cluster = await start()
    const policy = 'path "deep/auth/token/lookup-self" { capabilities = ["read"] }'
    await putPolicy(cluster, 'elsewhere', policy, 'aaaaaa')
    const body = { policies: ['elsewhere'], no_default_policy: true }
    const made = await cluster.write('auth/token/create', body, within('a'))
    const token = String(made.auth['client_token'])
    for (const namespace of ['a', 'a/deep'])
      expect((await self(cluster, token, namespace)).status).toBe(403)
  })

  test('also for batch tokens, and not in a namespace that is none', async () => {
    const cluster = await start()
    const body = { policies: ['default'], type: 'batch', ttl: '1h', no_parent: true }
    const made = await cluster.write('auth/token/create', body, within('a'))
    const token = String(made.auth['client_token'])
    for (const namespace of ['a', 'a/deep'])
      expect((await self(cluster, token, namespace)).data).toMatchObject({ namespace_path: 'a/' })
    expect((await self(cluster, token, 'c')).status).toBe(404)
  })
})

test.each([
  ['header', 'a', 'auth/token/lookup-self'],
  ['header with slashes', '/a/', 'auth/token/lookup-self'],
  ['path', '', 'a/auth/token/lookup-self'],
  ['path in the deep', '', 'a/deep/auth/token/lookup-self'],
  ['both', 'a', 'deep/auth/token/lookup-self'],
  ['header of both', 'a/deep', 'auth/token/lookup-self'],
])('a request names its namespace by %s', async (_how, header, path) => {
  const cluster = await start()
  const token = await adminOf(cluster, 'a')
  expect((await cluster.read(path, { token, ...within(header) })).status).toBe(200)
})

test.each(['c', 'a/b', 'aa', 'A', 'a/deep/er', '../a', 'a/../b', 'aaaaaa'])(
  '%j is no namespace',
  async (header) => {
    const cluster = await start()
    const answer = await cluster.read('auth/token/lookup-self', within(header))
    expect(answer).toMatchObject({ status: 404, errors: ['namespace not found'] })
  },
)

test('row 18 (CVE-2026-55775): the root namespace has no other name below another', async () => {
  const cluster = await start()
  const token = await adminOf(cluster, 'a')
  for (const [header, path] of [
    ['a/root', 'auth/token/lookup-self'],
    ['a', 'root/auth/token/lookup-self'],
  ] as const) {
    expect((await cluster.read(path, { token, ...within(header) })).status).toBe(404)
  }
  for (const header of ['root', '/', '']) {
    expect((await self(cluster, cluster.rootToken, header)).status).toBe(200)
    expect((await mounts(cluster, token, header)).status).toBe(403)
  }
})

test('policies of the same name are others in each namespace', async () => {
  const cluster = await start()
  await putPolicy(
    cluster,
    'same',
    'path "auth/token/lookup-self" { capabilities = ["read"] }',
    'aaaaaa',
  )
  await putPolicy(
    cluster,
    'same',
    'path "auth/token/lookup-self" { capabilities = ["deny"] }',
    'bbbbbb',
  )
  for (const [namespace, status] of [
    ['a', 200],
    ['b', 403],
  ] as const) {
    const body = { policies: ['same'], no_default_policy: true }
    const made = await cluster.write('auth/token/create', body, within(namespace))
    const token = String(made.auth['client_token'])
    expect((await self(cluster, token, namespace)).status).toBe(status)
  }
})

test('mounts of the same path are others in each namespace', async () => {
  const cluster = await start()
  for (const { id } of NAMESPACES) await putMount(cluster, { path: 'cubby/', type: 'kv' }, id)
  await putMount(cluster, { path: 'cubby/', type: 'kv' })
  await cluster.write('cubby/x', { from: 'root' })
  await cluster.write('cubby/x', { from: 'a' }, within('a'))
  await cluster.write('cubby/x', { from: 'deep' }, within('a/deep'))
  for (const [path, from] of [
    ['cubby/x', 'root'],
    ['a/cubby/x', 'a'],
    ['a/deep/cubby/x', 'deep'],
  ] as const) {
    expect((await cluster.read(path)).data).toEqual({ from })
  }
  expect((await cluster.read('b/cubby/x')).status).toBe(404)
})

test('a policy of a parent reaches a namespace below by the path from itself', async () => {
  const cluster = await start()
  await putPolicy(cluster, 'down', 'path "deep/sys/mounts" { capabilities = ["read"] }', 'aaaaaa')
  const body = { policies: ['down'], no_default_policy: true }
  const made = await cluster.write('auth/token/create', body, within('a'))
  const token = String(made.auth['client_token'])
  expect((await mounts(cluster, token, 'a/deep')).status).toBe(200)
  expect((await mounts(cluster, token, 'a')).status).toBe(403)
})

describe('row 19 (CVE-2026-40264): an accessor of another namespace', () => {
  test.each([
    ['a', 'a', true],
    ['a', 'a/deep', true],
    ['a', 'b', false],
    ['a', '', false],
    ['a/deep', 'a', false],
    ['b', 'a/deep', false],
  ])('an administrator of %j reaches the tokens of %j: %j', async (from, of, reaches) => {
    const cluster = await start()
    const token = await adminOf(cluster, from)
    const victim =
      of === ''
        ? String((await cluster.write('auth/token/create', { ttl: '1h' })).auth['client_token'])
        : await adminOf(cluster, of)
    const accessor = String((await self(cluster, victim, of)).data['accessor'])
    const ask = (path: string) =>
      cluster.write(`auth/token/${path}`, { accessor }, { token, ...within(from) })
    expect((await ask('lookup-accessor')).status).toBe(reaches ? 200 : 400)
    expect((await ask('renew-accessor')).status).toBe(reaches ? 200 : 400)
    await ask('revoke-accessor')
    expect((await self(cluster, victim, of)).status).toBe(reaches ? 403 : 200)
  })

  test('is in no list but its own', async () => {
    const cluster = await start()
    const token = await adminOf(cluster, 'a')
    const listed = await cluster.list('auth/token/accessors', { token, ...within('a') })
    const keys = listed.data['keys']
    expect(keys).toEqual([expect.stringMatching(/\.aaaaaa$/)])
  })
})

test('root within a namespace is root there and below, and nowhere else', async () => {
  const cluster = await start()
  const token = await namespaceRoot(cluster, { id: 'aaaaaa', path: 'a/' })
  expect((await self(cluster, token, 'a')).data).toMatchObject({ policies: ['root'] })
  for (const namespace of ['a', 'a/deep'])
    expect((await mounts(cluster, token, namespace)).status).toBe(200)
  for (const namespace of ['', 'b'])
    expect((await mounts(cluster, token, namespace)).status).toBe(403)
})

test('row 16 (CVE-2020-10661): a wildcard of a parent does not reach into a namespace below', async () => {
  const cluster = await start()
  await putPolicy(cluster, 'wide', 'path "*" { capabilities = ["read"] }', 'aaaaaa')
  const body = { policies: ['wide'], no_default_policy: true }
  const made = await cluster.write('auth/token/create', body, within('a'))
  const token = String(made.auth['client_token'])
  expect((await mounts(cluster, token, 'a')).status).toBe(200)
  expect((await mounts(cluster, token, 'a/deep')).status).toBe(403)
})

test('a request reads the namespaces on its way and no others, however many there are', async () => {
  const storage = new (class extends MemoryStorage {
    readonly read: string[] = []
    override get(key: string) {
      this.read.push(key)
      return super.get(key)
    }
    override list(...what: Parameters<MemoryStorage['list']>) {
      this.read.push(what[0])
      return super.list(...what)
    }
  })()
  const cluster = await startCluster({ storage })
  onTestFinished(() => cluster.close())
  const many = Array.from({ length: 300 }, (_, i) => `n${i}`)
  for (const name of many) await cluster.write(`sys/namespaces/${name}`, {}, { node: 0 })
  await cluster.write('sys/namespaces/deep', {}, { node: 0, ...within('n7') })

  storage.read.length = 0
  expect((await cluster.read('n7/deep/sys/mounts', { node: 1 })).status).toBe(200)

  const read = storage.read.filter((key) => key.startsWith('namespace'))
  const links = read.filter((key) => key.startsWith('namespace-link/'))
  expect(links.map((key) => key.split('/').at(-1))).toEqual(['n7', 'deep'])
  expect(read).toHaveLength(4)
})

test('a token whose namespace is gone may do nothing', async () => {
  const cluster = await start()
  const token = await adminOf(cluster, 'b')
  await inStorage(cluster, async (root) => {
    const record = await findNamespace(root, 'bbbbbb')
    if (record !== undefined) removeNamespace(root, record)
  })
  for (const namespace of ['', 'a'])
    expect((await self(cluster, token, namespace)).status).toBe(403)
  expect((await self(cluster, token, 'b')).status).toBe(404)
})

test('row 22 (CVE-2026-115366): what is about the whole server no tenant does, not even with root of its namespace', async () => {
  const cluster = await start()
  const token = await namespaceRoot(cluster, { id: 'aaaaaa', path: 'a/' })
  const before = await cluster.read('sys/audit')
  for (const [method, path, body] of [
    ['GET', 'audit'],
    ['POST', 'audit/x', { type: 'file', options: { file_path: 'discard' } }],
    ['DELETE', 'audit/x'],
    ['POST', 'audit-hash/x', { input: 'x' }],
    ['GET', 'config/auditing/request-headers'],
    ['POST', 'config/auditing/request-headers/x', { hmac: true }],
    ['GET', 'config/state/sanitized'],
    ['POST', 'config/cors', { allowed_origins: '*' }],
    ['GET', 'host-info'],
    ['GET', 'in-flight-req'],
    ['GET', 'loggers'],
    ['GET', 'metrics'],
    ['GET', 'key-status'],
    ['POST', 'rotate'],
    ['POST', 'step-down'],
    ['POST', 'seal'],
  ] as const) {
    for (const [prefix, header] of [
      ['sys', 'a'],
      ['a/sys', ''],
    ] as const) {
      const answer = await cluster.request(method, `${prefix}/${path}`, {
        token,
        body,
        ...within(header),
      })
      expect([path, answer.status]).toEqual([path, 400])
    }
  }
  expect((await cluster.read('sys/audit')).data).toEqual(before.data)
  expect((await cluster.read('sys/key-status')).data['term']).toBe(1)
  expect((await cluster.list('sys/policies/acl', { token, ...within('a') })).status).toBe(200)
})
