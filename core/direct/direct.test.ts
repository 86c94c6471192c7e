import { describe, expect, onTestFinished, test } from 'vitest'
import type { Storage } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import {
  startCluster,
  type Answer,
  type Cluster,
  type ClusterOptions,
} from '../../test/support/kit.ts'

async function bare(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster({ ...options, bare: true })
  onTestFinished(() => cluster.close())
  return cluster
}

const NOBODY = { token: null }

async function init(cluster: Cluster, secret_shares = 5, secret_threshold = 3) {
  const answer = await cluster.write('sys/init', { secret_shares, secret_threshold }, NOBODY)
  expect(answer.status).toBe(200)
  const keys = answer.json['keys_base64']
  return {
    keys: Array.isArray(keys) ? keys.map(String) : [],
    rootToken: String(answer.json['root_token']),
    answer,
  }
}

const give = (cluster: Cluster, key: string, node: number): Promise<Answer> =>
  cluster.write('sys/unseal', { key }, { ...NOBODY, node })
const status = (cluster: Cluster, node: number): Promise<Answer> =>
  cluster.read('sys/seal-status', { ...NOBODY, node })

describe('before there are keys', () => {
  test('only what says so answers', async () => {
    const cluster = await bare()
    expect((await cluster.read('sys/init', NOBODY)).json).toEqual({ initialized: false })
    expect((await cluster.read('sys/health', NOBODY)).status).toBe(501)
    expect((await status(cluster, 0)).json).toMatchObject({
      initialized: false,
      sealed: true,
      t: 0,
      n: 0,
    })
    expect((await give(cluster, 'A'.repeat(44), 0)).status).toBe(400)
    expect((await cluster.read('auth/token/lookup-self')).status).toBe(503)
  })

  test.each([
    { secret_shares: 0, secret_threshold: 0 },
    { secret_shares: 5, secret_threshold: 6 },
    { secret_shares: 5, secret_threshold: 1 },
    { secret_shares: 256, secret_threshold: 3 },
    { secret_shares: -1, secret_threshold: -1 },
    { secret_shares: '5', secret_threshold: 3 },
    { secret_shares: 5.5, secret_threshold: 3 },
    { secret_shares: 5, secret_threshold: 3, recovery_shares: 1 },
    { secret_shares: 2, secret_threshold: 2, pgp_keys: ['a', 'b'] },
    { secret_shares: 2, secret_threshold: 2, pgp_keys: ['a'] },
  ])('%j makes none', async (body) => {
    const cluster = await bare()
    expect((await cluster.write('sys/init', body, NOBODY)).status).toBe(400)
    expect((await cluster.read('sys/init', NOBODY)).json).toEqual({ initialized: false })
    expect(await cluster.storage.list('', { limit: 10 })).toEqual([])
  })

  test('of two that make them at once, one does', async () => {
    const cluster = await bare()
    const body = { secret_shares: 1, secret_threshold: 1 }
    const answers = await Promise.all(
      [0, 1, 0, 1].map((node) => cluster.write('sys/init', body, { ...NOBODY, node })),
    )
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 400, 400, 400])
    const [winner] = answers.filter((answer) => answer.status === 200)
    const keys = winner?.json['keys_base64']
    const key = Array.isArray(keys) ? String(keys[0]) : undefined
    for (const node of [0, 1])
      expect((await give(cluster, key ?? '', node)).json['sealed']).toBe(false)
    const token = String(winner?.json['root_token'])
    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(200)
  })
})

describe('five shares, any three of which open', () => {
  test('each node by itself', async () => {
    const cluster = await bare()
    const { keys, rootToken, answer } = await init(cluster)
    expect(new Set(keys).size).toBe(5)
    expect(answer.json['keys']).toEqual(
      keys.map((key) => Buffer.from(key, 'base64').toString('hex')),
    )
    expect(
      (await cluster.write('sys/init', { secret_shares: 1, secret_threshold: 1 }, NOBODY)).status,
    ).toBe(400)

    const progress = []
    for (const i of [4, 0, 2])
      progress.push((await give(cluster, keys[i] ?? '', 0)).json['progress'])
    expect(progress).toEqual([1, 2, 0])
    expect((await status(cluster, 0)).json).toMatchObject({
      sealed: false,
      t: 3,
      n: 5,
      progress: 0,
    })
    expect((await status(cluster, 1)).json).toMatchObject({ sealed: true, progress: 0 })
    const lookup = (node: number) =>
      cluster.read('auth/token/lookup-self', { token: rootToken, node })
    expect([(await lookup(0)).status, (await lookup(1)).status]).toEqual([200, 503])

    for (const i of [1, 3, 4]) {
      const hex = Buffer.from(keys[i] ?? '', 'base64').toString('hex')
      await give(cluster, i === 3 ? hex.toUpperCase() : hex, 1)
    }
    expect((await lookup(1)).status).toBe(200)
    expect((await cluster.read('sys/health', { ...NOBODY, node: 1 })).status).toBe(200)
  })

  test('a share given twice counts once, and the nonce lasts from the first to the last', async () => {
    const cluster = await bare()
    const { keys } = await init(cluster)
    const first = await give(cluster, keys[0] ?? '', 0)
    const again = await give(cluster, keys[0] ?? '', 0)
    const second = await give(cluster, keys[1] ?? '', 0)
    expect([first, again, second].map(({ json }) => json['progress'])).toEqual([1, 1, 2])
    expect(new Set([first, again, second].map(({ json }) => json['nonce'])).size).toBe(1)
    expect(first.json['nonce']).not.toBe('')
  })

  test('a reset forgets what was given', async () => {
    const cluster = await bare()
    const { keys } = await init(cluster)
    await give(cluster, keys[0] ?? '', 0)
    const reset = await cluster.write('sys/unseal', { reset: true }, { ...NOBODY, node: 0 })
    expect(reset.json).toMatchObject({ progress: 0, nonce: '', sealed: true })
  })

  test.each([
    ['altered', (keys: string[]) => [flip(keys[0] ?? ''), keys[1], keys[2]]],
    ['of nowhere', (keys: string[]) => [Buffer.alloc(33, 7).toString('base64'), keys[1], keys[2]]],
  ])('a share that is %s opens nothing, and the right ones do afterwards', async (_what, spoil) => {
    const cluster = await bare()
    const { keys, rootToken } = await init(cluster)
    const answers = []
    for (const key of spoil(keys)) answers.push(await give(cluster, key ?? '', 0))
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 400])
    expect((await status(cluster, 0)).json).toMatchObject({ sealed: true, progress: 0, nonce: '' })
    for (const key of keys.slice(0, 3)) await give(cluster, key, 0)
    expect(
      (await cluster.read('auth/token/lookup-self', { token: rootToken, node: 0 })).status,
    ).toBe(200)
  })

  test('those of another server open nothing', async () => {
    const [here, there] = [await bare(), await bare()]
    const [, theirs] = [await init(here), await init(there)]
    const answers = []
    for (const key of theirs.keys.slice(0, 3)) answers.push(await give(here, key, 0))
    expect(answers.at(-1)?.status).toBe(400)
    expect((await status(here, 0)).json).toMatchObject({ sealed: true })
  })

  test.each([
    {},
    { key: '' },
    { key: 'x' },
    { key: 'AAAA' },
    { key: 'A'.repeat(500) },
    { key: 5 },
    { key: ['a'] },
    { reset: 'true' },
  ])('%j is no share, and no answer repeats it', async (body) => {
    const cluster = await bare()
    await init(cluster)
    const answer = await cluster.write('sys/unseal', body, { ...NOBODY, node: 0 })
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('AAAA')
    expect((await status(cluster, 0)).json['progress']).toBe(0)
  })

  test('shares that all come at once open each node once', async () => {
    const cluster = await bare()
    const { keys, rootToken } = await init(cluster, 6, 3)
    const answers = await Promise.all([...keys, ...keys].map((key) => give(cluster, key, 0)))
    expect(answers.every((answer) => answer.status === 200)).toBe(true)
    expect(
      (await cluster.read('auth/token/lookup-self', { token: rootToken, node: 0 })).status,
    ).toBe(200)
    expect((await give(cluster, keys[0] ?? '', 0)).json).toMatchObject({
      sealed: false,
      progress: 0,
    })
    expect(cluster.failures).toEqual([])
  })
})

describe('sealing', () => {
  const ROUTES = [
    ['GET', 'auth/token/lookup-self'],
    ['POST', 'auth/token/create'],
    ['POST', 'auth/approle/login'],
    ['GET', 'sys/mounts'],
    ['GET', 'sys/policies/acl/default'],
    ['POST', 'sys/wrapping/unwrap'],
    ['POST', 'sys/wrapping/lookup'],
    ['GET', 'cubbyhole/x'],
    ['LIST', 'secret/'],
    ['GET', 'sys/internal/ui/mounts'],
    ['GET', 'nowhere'],
    ['GET', 'sys/nowhere?help=1'],
  ] as const

  test('closes every node: but for the few that open it again, all is 503', async () => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.close())
    await cluster.read('auth/token/lookup-self', { node: 1 })
    expect((await cluster.write('sys/seal', {}, { node: 0 })).status).toBe(204)
    for (const node of [0, 1]) {
      for (const [method, path] of ROUTES) {
        for (const token of [undefined, null, 'bogus']) {
          const more = token === undefined ? {} : { token }
          const answer = await cluster.request(method, path, { node, ...more })
          expect([path, answer.status, answer.errors]).toEqual([path, 503, ['Vault is sealed']])
        }
      }
      expect((await cluster.read('sys/health', { ...NOBODY, node })).status).toBe(503)
      expect((await status(cluster, node)).json).toMatchObject({ sealed: true, initialized: true })
      expect((await cluster.read('sys/init', { ...NOBODY, node })).status).toBe(200)
      expect((await cluster.write('sys/seal', {}, { ...NOBODY, node })).status).toBe(204)
    }
    for (const node of [0, 1]) {
      await give(cluster, cluster.unsealKeys[0] ?? '', node)
      expect((await cluster.read('auth/token/lookup-self', { node })).status).toBe(200)
    }
  })

  test('needs a token with the right to it', async () => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.close())
    for (const token of [null, 'bogus']) {
      expect((await cluster.write('sys/seal', {}, { token })).status).toBe(403)
    }
    const made = await cluster.write('auth/token/create', { policies: ['default'] })
    const token = String(made.auth['client_token'])
    expect((await cluster.write('sys/seal', {}, { token })).status).toBe(403)
    expect((await cluster.read('auth/token/lookup-self')).status).toBe(200)
  })

  test('while a node is being opened closes that node too', async () => {
    const storage = new (class extends MemoryStorage {
      onRead: (key: string) => Promise<void> = async () => undefined
      override async get(key: string) {
        const found = await super.get(key)
        await this.onRead(key)
        return found
      }
    })()
    const cluster = await startCluster({ storage: storage satisfies Storage })
    onTestFinished(() => cluster.close())
    cluster.nodes[1]?.close()
    storage.onRead = async (key) => {
      if (key !== 'core/keyring') return
      storage.onRead = async () => undefined
      await cluster.write('sys/seal', {}, { node: 0 })
    }
    await give(cluster, cluster.unsealKeys[0] ?? '', 1)
    expect((await status(cluster, 1)).json['sealed']).toBe(true)
  })
})

test.each([
  ['DELETE', 'sys/init'],
  ['POST', 'sys/seal-status'],
  ['GET', 'sys/unseal'],
  ['POST', 'sys/health'],
])('%s %s is not allowed', async (method, path) => {
  expect((await (await bare()).request(method, path, NOBODY)).status).toBe(405)
})

test('the answers of a health check can be chosen by the caller', async () => {
  const cluster = await bare()
  const code = async (query: string) => (await cluster.read(`sys/health?${query}`, NOBODY)).status
  expect(await code('uninitcode=299')).toBe(299)
  for (const bad of ['x', '', '99', '1000', '-200', '2e2'])
    expect(await code(`uninitcode=${bad}`)).toBe(400)
  await init(cluster, 1, 1)
  expect(await code('sealedcode=299')).toBe(299)
})

test('these endpoints are the root namespace’s', async () => {
  const cluster = await bare()
  const at = (namespace: string) =>
    cluster.read('sys/init', { ...NOBODY, headers: { 'x-vault-namespace': namespace } })
  expect((await at('a')).status).toBe(400)
  expect((await at('root')).status).toBe(200)
})

function flip(key: string): string {
  const bytes = Buffer.from(key, 'base64')
  bytes[3] = (bytes[3] ?? 0) ^ 1
  return bytes.toString('base64')
}
