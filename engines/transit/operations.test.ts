import { expect, onTestFinished, test } from 'vitest'
import { mountPrefix } from '../../core/mounts/record.ts'
import { memberOf } from '../../test/support/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { inStorage } from '../../test/support/records.ts'
import { keyNames, nameKey, operationCounts, operationsKey } from './records.ts'

const HELLO = Buffer.from('hello').toString('base64')

async function started(settings: object, type = 'aes256-gcm96'): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  await cluster.write('transit/keys/k', { type })
  const configured = await cluster.write('transit/keys/k/config', settings)
  expect(configured.status).toBe(200)
  return cluster
}

const encrypt = (cluster: Cluster, more: object = {}, node?: number) =>
  cluster.write(
    'transit/encrypt/k',
    { plaintext: HELLO, ...more },
    node === undefined ? {} : { node },
  )

/** The versions that so many encryptions took; 0: refused. */
async function versions(cluster: Cluster, count: number): Promise<number[]> {
  const taken: number[] = []
  for (let i = 0; i < count; i++) {
    taken.push(Number((await encrypt(cluster)).data['key_version'] ?? 0))
  }
  return taken
}

test('two nodes together do as many operations as the limit says, and not one more', async () => {
  const cluster = await started({ max_operations: 7, on_limit: 'refuse' })
  expect(await versions(cluster, 9)).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 0])
})

test('under load no version does more than its limit, whichever node is asked', async () => {
  const cluster = await started({ max_operations: 500 })
  const answers = await Promise.all(Array.from({ length: 1800 }, () => encrypt(cluster)))
  const done = new Map<unknown, number>()
  for (const { data } of answers) {
    done.set(data['key_version'], (done.get(data['key_version']) ?? 0) + 1)
  }
  expect(done.has(undefined)).toBe(false)
  expect(done.size).toBeGreaterThanOrEqual(4)
  for (const count of done.values()) expect(count).toBeLessThanOrEqual(500)
})

test('a refusal says what to do, and decryption goes on', async () => {
  const cluster = await started({ max_operations: 1, on_limit: 'refuse' })
  const { data } = await encrypt(cluster)
  const refused = await encrypt(cluster)
  expect(refused.status).toBe(400)
  expect(refused.errors).toEqual([
    'version 1 of the key has no operations left; rotate the key (keys/NAME/rotate) and use its newest version, or raise its max_operations',
  ])
  const opened = await cluster.write('transit/decrypt/k', { ciphertext: data['ciphertext'] })
  expect(opened.data['plaintext']).toBe(HELLO)
  await cluster.write('transit/keys/k/rotate')
  expect(await versions(cluster, 2)).toEqual([2, 0])
  await cluster.write('transit/keys/k/config', { max_operations: 2 })
  expect(await versions(cluster, 2)).toEqual([2, 0])
  await cluster.write('transit/keys/k/config', { on_limit: 'rotate', max_operations: 3 })
  expect(await versions(cluster, 3)).toEqual([2, 3, 3])
})

test('at its limit a key is rotated by itself, and the request that met it is answered', async () => {
  const cluster = await started({ max_operations: 3 })
  expect(await versions(cluster, 7)).toEqual([1, 1, 1, 2, 2, 2, 3])
  const asked = await encrypt(cluster, { key_version: 1 })
  expect(asked.errors[0]).toMatch(/version 1 of the key has no operations left/)
  const { data } = await cluster.read('transit/keys/k')
  expect(data).toMatchObject({ latest_version: 3, max_operations: 3 })
})

test('each item of a batch, data key and rewrapping counts', async () => {
  const cluster = await started({ max_operations: 5, on_limit: 'refuse' })
  const item = { plaintext: HELLO }
  const { json } = await encrypt(cluster, { batch_input: [item, item], plaintext: undefined })
  expect(json).toMatchObject({ data: { batch_results: [{ key_version: 1 }, { key_version: 1 }] } })
  const dataKey = await cluster.write('transit/datakey/wrapped/k')
  const pair = await cluster.write('transit/datakey-pair/wrapped/k')
  expect([dataKey.status, pair.status]).toEqual([200, 200])
  const ciphertext = dataKey.data['ciphertext']
  expect((await cluster.write('transit/rewrap/k', { ciphertext })).status).toBe(200)
  const mixed = await encrypt(cluster, { batch_input: [item] })
  expect(mixed.status).toBe(400)
})

test('signatures, HMACs and CMACs count where the key has a limit of its own', async () => {
  const cluster = await started({ max_operations: 3, on_limit: 'refuse' }, 'ecdsa-p256')
  const body = { input: HELLO }
  const signed = await cluster.write('transit/sign/k', body)
  const answers = [
    await cluster.write('transit/hmac/k', body),
    await cluster.write('transit/sign/k', body),
    await cluster.write('transit/sign/k', body),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400])
  const { signature } = signed.data
  expect((await cluster.write('transit/verify/k', { ...body, signature })).data['valid']).toBe(true)
  await cluster.write('transit/keys/c', { type: 'aes256-cmac' })
  await cluster.write('transit/keys/c/config', { max_operations: 1, on_limit: 'refuse' })
  expect((await cluster.write('transit/cmac/c', body)).status).toBe(200)
  expect((await cluster.write('transit/cmac/c', body)).status).toBe(400)
})

test('convergent keys are counted as others are', async () => {
  const cluster = await started({ max_operations: 1 })
  await cluster.write('transit/keys/v', { derived: true, convergent_encryption: true })
  await cluster.write('transit/keys/v/config', { max_operations: 1, on_limit: 'refuse' })
  const body = { plaintext: HELLO, context: HELLO }
  expect((await cluster.write('transit/encrypt/v', body)).status).toBe(200)
  expect((await cluster.write('transit/encrypt/v', body)).status).toBe(400)
})

test('a key that is made by encrypting is counted from its first operation on', async () => {
  const cluster = await started({})
  expect((await cluster.write('transit/encrypt/new', { plaintext: HELLO })).status).toBe(200)
  expect((await cluster.write('transit/encrypt/new', { plaintext: HELLO })).status).toBe(200)
  const { data } = await cluster.read('transit/usage/new')
  expect(data).toMatchObject({ versions: { 1: { reserved_operations: 4096 + 4096 } } })
})

test('what a node has reserved and not used is lost with it, so that no restart adds to the limit', async () => {
  const cluster = await started({ max_operations: 320, on_limit: 'refuse' })
  await encrypt(cluster, {}, 0)
  const reserved = async () => (await cluster.read('transit/usage/k')).json
  expect(await reserved()).toMatchObject({ data: { versions: { 1: { reserved_operations: 20 } } } })
  cluster.nodes[0]?.close()
  const key = cluster.unsealKeys[0]
  await cluster.write('sys/unseal', { key }, { node: 0, token: null })
  await encrypt(cluster, {}, 0)
  expect(await reserved()).toMatchObject({ data: { versions: { 1: { reserved_operations: 39 } } } })
})

test('a backup carries what its versions have done, and a restored key goes on from the larger count', async () => {
  const cluster = await started({ max_operations: 3, on_limit: 'refuse', exportable: true })
  await cluster.write('transit/keys/k/config', {
    allow_plaintext_backup: true,
    deletion_allowed: true,
  })
  const early = await cluster.read('transit/backup/k')
  expect(await versions(cluster, 3)).toEqual([1, 1, 1])
  const late = await cluster.read('transit/backup/k')
  await cluster.write('transit/restore/k', { backup: early.data['backup'], force: true })
  expect(await versions(cluster, 1)).toEqual([0])
  await cluster.remove('transit/keys/k')
  await cluster.write('transit/restore/k', { backup: late.data['backup'] })
  expect(await versions(cluster, 1)).toEqual([0])
})

/** As if so much had been done with the first version of the key `k`. */
async function setDone(cluster: Cluster, count: number): Promise<void> {
  const { json } = await cluster.read('sys/mounts')
  const uuid = String(memberOf(json, 'data', 'transit/', 'uuid'))
  await inStorage(cluster, async (root) => {
    const records = root.below(mountPrefix(uuid))
    const named = await records.get(keyNames, nameKey('k'))
    records.put(operationCounts, operationsKey(named?.id ?? ''), { 1: count })
  })
}

test.each(['aes128-gcm96', 'aes256-gcm96', 'chacha20-poly1305', 'xchacha20-poly1305'])(
  'no version of a key of %s encrypts more than 2^32 times, whatever its settings',
  async (type) => {
    const cluster = await started({ on_limit: 'refuse' }, type)
    await setDone(cluster, 2 ** 32 - 3)
    expect(await versions(cluster, 5)).toEqual([1, 1, 1, 0, 0])
    const refused = await encrypt(cluster)
    expect(refused.errors[0]).not.toContain('max_operations')
    expect((await cluster.write('transit/hmac/k', { input: HELLO })).status).toBe(200)
    await cluster.write('transit/keys/k/config', { on_limit: 'rotate' })
    expect(await versions(cluster, 2)).toEqual([2, 2])
  },
)

test('an imported key that may not be rotated refuses, and can be allowed to be', async () => {
  const cluster = await started({})
  const restore = async (AllowImportedKeyRotation: boolean) => {
    await cluster.write('transit/keys/k/config', {
      exportable: true,
      allow_plaintext_backup: true,
      deletion_allowed: true,
      max_operations: 1,
    })
    const { data } = await cluster.read('transit/backup/k')
    const text = Buffer.from(String(data['backup']), 'base64').toString()
    const changed = text
      .replace('"Imported":false', '"Imported":true')
      .replace(
        /"AllowImportedKeyRotation":\w+/,
        `"AllowImportedKeyRotation":${AllowImportedKeyRotation}`,
      )
    const backup = Buffer.from(changed).toString('base64')
    await cluster.write('transit/restore/k', { backup, force: true })
  }
  await restore(false)
  expect(await versions(cluster, 2)).toEqual([1, 0])
  await restore(true)
  expect(await versions(cluster, 2)).toEqual([2, 3])
})

test.each([[-1], [2 ** 32 + 1], ['many']])('max_operations is not %j', async (max) => {
  const cluster = await started({})
  const { status } = await cluster.write('transit/keys/k/config', { max_operations: max })
  expect(status).toBe(400)
})

test('on_limit is rotate or refuse', async () => {
  const cluster = await started({})
  const { status } = await cluster.write('transit/keys/k/config', { on_limit: 'explode' })
  expect(status).toBe(400)
})
