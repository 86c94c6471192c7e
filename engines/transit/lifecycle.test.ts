import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { keysBelow } from '../../test/support/records.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'

const PLAINTEXT = Buffer.from('the quick brown fox').toString('base64')

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  await cluster.write('transit/keys/k')
  return cluster
}

const encrypt = (cluster: Cluster, name = 'k', options: object = {}) =>
  cluster.write(`transit/encrypt/${name}`, { plaintext: PLAINTEXT }, options)
const ciphertextOf = async (cluster: Cluster) => String((await encrypt(cluster)).data['ciphertext'])
const decrypt = async (cluster: Cluster, name: string, ciphertext: string) => {
  const { status, data } = await cluster.write(`transit/decrypt/${name}`, { ciphertext })
  return data['plaintext'] ?? status
}
const shown = async (cluster: Cluster, name = 'k') =>
  (await cluster.read(`transit/keys/${name}`)).data
const recordsOf = async (cluster: Cluster) =>
  (await keysBelow(cluster, 'mount/')).filter((key) =>
    /\/(?:keys|material|names|timed)\//.test(key),
  )

describe('a further name of a key', () => {
  test('leads to the same material, at every node and with every version', async () => {
    const cluster = await start()
    const ciphertext = await ciphertextOf(cluster)
    const { status, data } = await cluster.write('transit/keys/k/aliases/other')
    expect([status, data['aliases']]).toEqual([200, ['other']])
    expect(await decrypt(cluster, 'other', ciphertext)).toBe(PLAINTEXT)
    await cluster.write('transit/keys/other/rotate')
    for (const node of [0, 1]) {
      expect((await encrypt(cluster, 'k', { node })).data['key_version']).toBe(2)
    }
    expect((await shown(cluster, 'other'))['aliases']).toEqual(['k'])
  })

  test('cannot be that of another key, and is taken away without the key', async () => {
    const cluster = await start()
    await cluster.write('transit/keys/taken')
    expect((await cluster.write('transit/keys/k/aliases/taken')).status).toBe(400)
    const ciphertext = await ciphertextOf(cluster)
    await cluster.write('transit/keys/k/aliases/other')
    expect((await cluster.remove('transit/keys/k/aliases/other')).status).toBe(204)
    expect(await decrypt(cluster, 'other', ciphertext)).toBe(400)
    expect(await decrypt(cluster, 'k', ciphertext)).toBe(PLAINTEXT)
    expect((await cluster.remove('transit/keys/k/aliases/k')).status).toBe(400)
  })

  test('goes with the key', async () => {
    const cluster = await start()
    await cluster.write('transit/keys/k/aliases/other')
    await cluster.write('transit/keys/k/config', {
      deletion_allowed: true,
      auto_rotate_period: '2h',
    })
    expect((await cluster.remove('transit/keys/other')).status).toBe(204)
    expect(await recordsOf(cluster)).toEqual([])
  })
})

describe('a key that is renamed', () => {
  test('opens what it made under its new name, and leaves the old one free', async () => {
    const cluster = await start()
    const ciphertext = await ciphertextOf(cluster)
    expect((await cluster.write('transit/keys/k/rename', { to: 'new.name' })).status).toBe(200)
    expect(await decrypt(cluster, 'new.name', ciphertext)).toBe(PLAINTEXT)
    expect((await cluster.read('transit/keys/k')).status).toBe(404)
    await cluster.write('transit/keys/k')
    expect(await decrypt(cluster, 'k', ciphertext)).toBe(400)
  })

  test.each(['', 'a/b', '-a', 'a b', 'taken'])('not to %j', async (to) => {
    const cluster = await start()
    await cluster.write('transit/keys/taken')
    expect((await cluster.write('transit/keys/k/rename', { to })).status).toBe(400)
    expect((await cluster.list('transit/keys')).data['keys']).toEqual(['k', 'taken'])
  })
})

describe('a key that is disabled', () => {
  test('is used by nobody at any node until it is enabled again, and loses nothing', async () => {
    const cluster = await start()
    const ciphertext = await ciphertextOf(cluster)
    await cluster.write('transit/keys/k/config', { state: 'disabled' })
    expect((await shown(cluster))['state']).toBe('disabled')
    for (const node of [0, 1]) {
      const refused = await encrypt(cluster, 'k', { node })
      expect([refused.status, refused.errors]).toEqual([400, ['the key is disabled']])
    }
    for (const path of ['decrypt/k', 'rewrap/k']) {
      expect((await cluster.write(`transit/${path}`, { ciphertext })).status).toBe(400)
    }
    for (const path of ['hmac/k', 'verify/k', 'sign/k']) {
      const body = { input: PLAINTEXT, hmac: 'vault:v1:AAAA' }
      const { errors } = await cluster.write(`transit/${path}`, body)
      expect(errors).toEqual(['the key is disabled'])
    }
    expect((await cluster.write('transit/datakey/plaintext/k')).status).toBe(400)
    await cluster.write('transit/keys/k/config', { state: 'enabled' })
    expect(await decrypt(cluster, 'k', ciphertext)).toBe(PLAINTEXT)
  })

  test('is not by a word that is neither', async () => {
    const cluster = await start()
    expect((await cluster.write('transit/keys/k/config', { state: 'off' })).status).toBe(400)
    expect((await encrypt(cluster)).status).toBe(200)
  })
})

describe('a key with allowed operations', () => {
  test('does these and no others', async () => {
    const cluster = await start()
    const ciphertext = await ciphertextOf(cluster)
    await cluster.write('transit/keys/k/config', { allowed_operations: ['decrypt'] })
    expect(await decrypt(cluster, 'k', ciphertext)).toBe(PLAINTEXT)
    const refusals = {
      encrypt: await encrypt(cluster),
      'encrypt ': await cluster.write('transit/datakey/plaintext/k'),
      'encrypt  ': await cluster.write('transit/rewrap/k', { ciphertext }),
      mac: await cluster.write('transit/hmac/k', { input: PLAINTEXT }),
    }
    for (const [operation, { status, errors }] of Object.entries(refusals)) {
      expect([status, errors.join()]).toEqual([
        400,
        `the key may not be used to ${operation.trim()}; see its allowed_operations`,
      ])
    }
  })

  test('refuses a word that is no operation, and is free again with none', async () => {
    const cluster = await start()
    const wrong = await cluster.write('transit/keys/k/config', { allowed_operations: 'decode' })
    expect(wrong.status).toBe(400)
    await cluster.write('transit/keys/k/config', { allowed_operations: ['sign'] })
    await cluster.write('transit/keys/k/config', { allowed_operations: [] })
    expect((await encrypt(cluster)).status).toBe(200)
  })
})

describe('the end of a key', () => {
  const end = (cluster: Cluster, body: object = {}) =>
    cluster.write('transit/keys/k/schedule-deletion', body)
  const allow = (cluster: Cluster) =>
    cluster.write('transit/keys/k/config', { deletion_allowed: true })
  const rounds = async (cluster: Cluster) => {
    for (const node of cluster.nodes) await node.runDuties()
  }

  test('comes on its day: nobody uses it until then, and nothing is left of it after', async () => {
    const cluster = await start()
    await allow(cluster)
    const { data } = await end(cluster, { window: '168h' })
    expect(data['state']).toBe('pending_deletion')
    expect(Date.parse(String(data['deletion_time']))).toBe(cluster.clock.nowMs() + 7 * 86_400_000)
    expect((await encrypt(cluster)).status).toBe(400)
    cluster.clock.advance('167h')
    await rounds(cluster)
    expect((await cluster.read('transit/keys/k')).status).toBe(200)
    cluster.clock.advance('2h')
    await rounds(cluster)
    expect((await cluster.read('transit/keys/k')).status).toBe(404)
    expect(await recordsOf(cluster)).toEqual([])
  })

  test('can be called off; the key is disabled then, and opens what it made once enabled', async () => {
    const cluster = await start()
    const ciphertext = await ciphertextOf(cluster)
    await allow(cluster)
    await end(cluster)
    const { data } = await cluster.write('transit/keys/k/cancel-deletion')
    expect(data['state']).toBe('disabled')
    expect(await decrypt(cluster, 'k', ciphertext)).toBe(400)
    await cluster.write('transit/keys/k/config', { state: 'enabled' })
    cluster.clock.advance('800h')
    await rounds(cluster)
    expect(await decrypt(cluster, 'k', ciphertext)).toBe(PLAINTEXT)
    expect((await cluster.write('transit/keys/k/cancel-deletion')).status).toBe(400)
  })

  test('is not set where deletion is not allowed, nor for tomorrow, nor for a far day', async () => {
    const cluster = await start()
    expect((await end(cluster)).status).toBe(400)
    await allow(cluster)
    for (const window of ['24h', '721h', '-1h']) {
      expect((await end(cluster, { window })).status).toBe(400)
    }
    expect((await encrypt(cluster)).status).toBe(200)
  })
})

describe('a backup', () => {
  test('keeps what a key may be used for, and its further names where it is put back', async () => {
    const cluster = await start()
    await cluster.write('transit/keys/k/aliases/other')
    const settings = { allowed_operations: ['decrypt'], tags: { team: 'blue' } }
    await cluster.write('transit/keys/k/config', {
      ...settings,
      state: 'disabled',
      exportable: true,
      allow_plaintext_backup: true,
    })
    const { backup } = (await cluster.read('transit/backup/k')).data
    await cluster.write('transit/restore/copy', { backup })
    expect(await shown(cluster, 'copy')).toMatchObject({ ...settings, state: 'disabled' })
    await cluster.write('transit/restore/k', { backup, force: true })
    expect(await shown(cluster)).toMatchObject({ ...settings, aliases: ['other'] })
  })
})

describe('the tags of a key', () => {
  test('are at most 50, and not long; a refusal leaves those that were there', async () => {
    const cluster = await start()
    const write = (tags: object) => cluster.write('transit/keys/k/config', { tags })
    await write({ team: 'blue' })
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`t${at}`, 'x']))
    for (const tags of [many, { ['n'.repeat(129)]: 'x' }, { n: 'x'.repeat(257) }]) {
      expect((await write(tags)).status).toBe(400)
    }
    expect((await shown(cluster))['tags']).toEqual({ team: 'blue' })
    await write({})
    expect((await shown(cluster))['tags']).toBeUndefined()
  })
})

describe('a pair of keys for data', () => {
  test.each(['ecdsa-p256', 'rsa-2048', 'ed25519'])('of %s opens to what was made', async (type) => {
    const cluster = await start()
    const made = await cluster.write('transit/datakey-pair/plaintext/k', { type })
    const { ciphertext, plaintext, public_key: pem } = made.data
    expect(await decrypt(cluster, 'k', String(ciphertext))).toBe(plaintext)
    const secret = createPrivateKey({
      key: Buffer.from(String(plaintext), 'base64'),
      format: 'der',
      type: 'pkcs8',
    })
    expect(pem).toBe(createPublicKey(secret).export({ format: 'pem', type: 'spki' }))
  })

  test('shows the private half only where it was asked for', async () => {
    const cluster = await start()
    const { data } = await cluster.write('transit/datakey-pair/wrapped/k')
    expect(Object.keys(data).toSorted()).toEqual([
      'ciphertext',
      'key_version',
      'public_key',
      'type',
    ])
    for (const body of [{ type: 'aes256-gcm96' }, { type: 'nothing' }]) {
      expect((await cluster.write('transit/datakey-pair/wrapped/k', body)).status).toBe(400)
    }
    expect((await cluster.write('transit/datakey-pair/other/k')).status).toBe(400)
  })
})
