import { expect, onTestFinished, test } from 'vitest'
import { isJsonObject } from '../../core/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import type { VersionUses } from './records.ts'
import { USERS_OF_KEY, USERS_OF_VERSION, withNoted, type Noted } from './uses-record.ts'

const HELLO = Buffer.from('hello').toString('base64')
const namesIn = (value: unknown) => (isJsonObject(value) ? Object.keys(value) : [])
const POLICY = 'path "transit/*" { capabilities = ["create", "update"] }'

async function started(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  await cluster.write('transit/keys/k')
  return cluster
}

async function written(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.drain()))
}

/** A token that a role of AppRole grants. */
async function login(cluster: Cluster, role: string): Promise<string> {
  await cluster.write('sys/policies/acl/uses', { policy: POLICY })
  await cluster.write('sys/auth/approle', { type: 'approle' })
  const place = `auth/approle/role/${role}`
  await cluster.write(place, { token_policies: 'uses' })
  const { data: id } = await cluster.read(`${place}/role-id`)
  const { data: secret } = await cluster.write(`${place}/secret-id`)
  const { auth } = await cluster.write(
    'auth/approle/login',
    { role_id: id['role_id'], secret_id: secret['secret_id'] },
    { token: null },
  )
  return String(auth['client_token'])
}

const encrypt = (cluster: Cluster, token?: string) =>
  cluster.write('transit/encrypt/k', { plaintext: HELLO }, token === undefined ? {} : { token })

test('the report says who used which version, for what and when last, over all nodes', async () => {
  const cluster = await started()
  const token = await login(cluster, 'shop')
  const { data } = await encrypt(cluster, token)
  await encrypt(cluster, token)
  await cluster.write('transit/keys/k/rotate')
  cluster.clock.advance('10s')
  await cluster.write('transit/decrypt/k', { ciphertext: data['ciphertext'] })
  await encrypt(cluster, token)
  await written(cluster)
  const { json, text } = await cluster.read('transit/usage/k')
  const times = { first: '2026-01-01T00:00:00Z', last: '2026-01-01T00:00:10Z' }
  expect(json['data']).toMatchObject({
    name: 'k',
    latest_version: 2,
    versions: {
      1: {
        last_used_time: times.last,
        operations: {
          encrypt: { count: 2, last_time: times.first },
          decrypt: { count: 1, last_time: times.last },
        },
        users: [
          { display_name: 'root', role: '', operations: { decrypt: { count: 1 } } },
          { display_name: 'approle', role: 'shop', operations: { encrypt: { count: 2 } } },
        ],
        more_users: false,
      },
      2: { last_used_time: times.last, operations: { encrypt: { count: 1 } } },
    },
  })
  expect(text).not.toContain(token)
})

test('it is written within a minute, and before that no request has to', async () => {
  const cluster = await started()
  await encrypt(cluster)
  const last = async () => (await cluster.read('transit/usage/k')).text
  expect(await last()).toContain('"last_used_time":null')
  cluster.clock.advance('1m')
  await expect.poll(last).toContain('"last_used_time":"2026-01-01T00:00:00Z"')
})

test('all keys are reported in pages, by name', async () => {
  const cluster = await started()
  await cluster.write('transit/keys/a')
  await encrypt(cluster)
  await written(cluster)
  const names = async (query: string) => {
    const { data } = await cluster.read(`transit/usage${query}`)
    return namesIn(data['keys'])
  }
  expect(await names('')).toEqual(['a', 'k'])
  expect(await names('?limit=1')).toEqual(['a'])
  expect(await names('?after=a')).toEqual(['k'])
  expect((await cluster.read('transit/usage/none')).status).toBe(404)
})

test('what is gathered of a key that is gone, or of a version that was destroyed, is not kept', async () => {
  const cluster = await started()
  await encrypt(cluster)
  await cluster.write('transit/keys/k/rotate')
  const settings = { deletion_allowed: true, min_decryption_version: 2, min_encryption_version: 2 }
  await cluster.write('transit/keys/k/config', settings)
  await cluster.write('transit/keys/k/trim', { min_available_version: 2 })
  await written(cluster)
  const { data } = await cluster.read('transit/usage/k')
  expect(namesIn(data['versions'])).toEqual(['2'])
  await encrypt(cluster)
  await cluster.remove('transit/keys/k')
  await written(cluster)
  expect(cluster.failures).toEqual([])
})

test('a role in the metadata of a token that no auth method granted is not believed', async () => {
  const cluster = await started()
  await cluster.write('sys/policies/acl/uses', { policy: POLICY })
  const body = { policies: ['uses'], meta: { role_name: 'shop', role: 'shop' } }
  const { auth } = await cluster.write('auth/token/create', body)
  await encrypt(cluster, String(auth['client_token']))
  await written(cluster)
  expect((await cluster.read('transit/usage/k')).text).toContain('"role":""')
})

const user = (entityId: string, atMs: number, count = 1): [string, Noted] => [
  entityId,
  {
    who: { entityId, namespaceId: 'root', role: '', displayName: 'd' },
    operations: { encrypt: { count, lastAtMs: atMs } },
  },
]
const version: VersionUses = { operations: {}, users: [], more: false }
const keyOf = (...numbers: readonly number[]) => ({
  versions: Object.fromEntries(
    numbers.map((number) => [
      number,
      { createdAtMs: 0, hasPrivate: true, certificates: [], convergentVersion: 0 },
    ]),
  ),
})

test('of a version the users that were seen last are kept, and the sums count all', () => {
  const many = new Map(Array.from({ length: USERS_OF_VERSION + 5 }, (_, i) => user(`e${i}`, i)))
  const after = withNoted({ 1: version }, new Map([[1, many]]), keyOf(1))
  expect(after[1]?.users).toHaveLength(USERS_OF_VERSION)
  expect(after[1]).toMatchObject({
    more: true,
    operations: { encrypt: { count: USERS_OF_VERSION + 5, lastAtMs: USERS_OF_VERSION + 4 } },
    users: { 0: { entityId: `e${USERS_OF_VERSION + 4}` } },
  })
  const again = withNoted(after, new Map([[1, new Map([user('e54', 900, 3)])]]), keyOf(1))
  expect(again[1]?.users[0]?.operations.encrypt).toEqual({ count: 4, lastAtMs: 900 })
})

test('of a key no more users are kept than fit a small record', () => {
  const numbers = Array.from({ length: 30 }, (_, i) => i + 1)
  const noted = new Map(
    numbers.map((number) => [
      number,
      new Map(Array.from({ length: USERS_OF_VERSION }, (_, i) => user(`e${i}`, number * 100 + i))),
    ]),
  )
  const after = withNoted({}, noted, keyOf(...numbers))
  const kept = Object.values(after).flatMap(({ users }) => users)
  expect(kept).toHaveLength(USERS_OF_KEY)
  expect(after[1]).toMatchObject({ users: [], more: true })
})
