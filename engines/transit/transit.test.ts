import { execFileSync } from 'node:child_process'
import {
  createPublicKey,
  createVerify,
  generateKeyPairSync,
  verify,
  X509Certificate,
} from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { memberOf, objectsOf } from '../../test/support/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { systemRandom } from '../../core/random.ts'
import { keysBelow } from '../../test/support/records.ts'
import { wrapKey } from './wrap.ts'

const PLAINTEXT = Buffer.from('the quick brown fox').toString('base64')
const CONTEXT = Buffer.from('my-context').toString('base64')

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  return cluster
}

const make = (cluster: Cluster, name: string, body: object = {}) =>
  cluster.write(`transit/keys/${name}`, body)
const encrypt = async (cluster: Cluster, name: string, more: object = {}) =>
  String(
    (await cluster.write(`transit/encrypt/${name}`, { plaintext: PLAINTEXT, ...more })).data[
      'ciphertext'
    ],
  )
const decrypt = (cluster: Cluster, name: string, ciphertext: string, more: object = {}) =>
  cluster.write(`transit/decrypt/${name}`, { ciphertext, ...more })

describe('a key', () => {
  test('that was used at one node is used at the other at once, in its newest version', async () => {
    const cluster = await start()
    await make(cluster, 'k')
    const old = await encrypt(cluster, 'k')
    await cluster.write('transit/keys/k/rotate')
    for (const node of [0, 1]) {
      const made = await cluster.write('transit/encrypt/k', { plaintext: PLAINTEXT }, { node })
      expect(made.data['key_version']).toBe(2)
      expect(
        (await cluster.write('transit/decrypt/k', { ciphertext: old }, { node })).data,
      ).toEqual({
        plaintext: PLAINTEXT,
      })
    }
  })

  test('leaves nothing behind when it is deleted', async () => {
    const cluster = await start()
    await make(cluster, 'k')
    await cluster.write('transit/keys/k/rotate')
    await cluster.write('transit/keys/k/config', { deletion_allowed: true })
    expect((await cluster.remove('transit/keys/k')).status).toBe(204)
    const left = (await keysBelow(cluster, 'mount/')).filter((key) =>
      /keys\/|material\/|names\//.test(key),
    )
    expect(left).toEqual([])
  })

  test('rotates by itself when its period is over, and not before', async () => {
    const cluster = await start()
    await make(cluster, 'k', { auto_rotate_period: '2h' })
    await make(cluster, 'never')
    const versions = async (name: string) =>
      (await cluster.read(`transit/keys/${name}`)).data['latest_version']
    const rounds = async () => {
      for (const node of cluster.nodes) await node.runDuties()
    }
    cluster.clock.advance('119m')
    await rounds()
    expect(await versions('k')).toBe(1)
    cluster.clock.advance('2m')
    await rounds()
    expect([await versions('k'), await versions('never')]).toEqual([2, 1])
  })

  test('of versions that are destroyed decrypts nothing of them any more', async () => {
    const cluster = await start()
    await make(cluster, 'k')
    const old = await encrypt(cluster, 'k')
    await cluster.write('transit/keys/k/rotate')
    await cluster.write('transit/keys/k/config', {
      min_decryption_version: 2,
      min_encryption_version: 2,
    })
    await cluster.write('transit/keys/k/trim', { min_available_version: 2 })
    expect((await decrypt(cluster, 'k', old)).status).toBe(400)
    expect(
      (await cluster.write('transit/keys/k/config', { min_decryption_version: 1 })).status,
    ).toBe(400)
    const materials = (await keysBelow(cluster, 'mount/')).filter((key) =>
      key.includes('/material/'),
    )
    expect(materials).toHaveLength(1)
  })

  test('is stored in the clear nowhere', async () => {
    const cluster = await start()
    await make(cluster, 'k', { exportable: true })
    const exported = await cluster.read('transit/export/encryption-key/k')
    const raw = Buffer.from(String(memberOf(exported.data, 'keys', '1')), 'base64')
    for (const key of await keysBelow(cluster, 'mount/')) {
      const { value } = (await cluster.storage.get(key)) ?? { value: Buffer.alloc(0) }
      expect(value.includes(raw)).toBe(false)
      expect(value.includes(raw.toString('base64'))).toBe(false)
    }
  })

  test('is not used while it is deleted for now', async () => {
    const cluster = await start()
    await make(cluster, 'k')
    await make(cluster, 's', { type: 'ed25519' })
    const ciphertext = await encrypt(cluster, 'k')
    for (const name of ['k', 's']) await cluster.remove(`transit/keys/${name}/soft-delete`)
    const uses = [
      await decrypt(cluster, 'k', ciphertext),
      await cluster.write('transit/encrypt/k', { plaintext: PLAINTEXT }),
      await cluster.write('transit/rewrap/k', { ciphertext }),
      await cluster.write('transit/datakey/plaintext/k'),
      await cluster.write('transit/hmac/k', { input: PLAINTEXT }),
      await cluster.write('transit/sign/s', { input: PLAINTEXT }),
      await cluster.write('transit/verify/s', { input: PLAINTEXT, signature: 'vault:v1:AAAA' }),
      await cluster.write('transit/keys/s/csr'),
    ]
    for (const use of uses) {
      expect(use).toMatchObject({ status: 400, errors: ['refusing to use soft-deleted key'] })
    }
    await cluster.write('transit/keys/k/soft-delete-restore')
    expect((await decrypt(cluster, 'k', ciphertext)).status).toBe(200)
  })
})

describe('a ciphertext', () => {
  test.each(['aes256-gcm96', 'aes128-gcm96', 'chacha20-poly1305', 'xchacha20-poly1305'])(
    'of %s is another each time, and opens only whole, with its key, context and data',
    async (type) => {
      const cluster = await start()
      await make(cluster, 'k', { type, derived: true })
      await make(cluster, 'other', { type, derived: true })
      const more = { context: CONTEXT, associated_data: 'bWV0YQ==' }
      const ciphertext = await encrypt(cluster, 'k', more)
      expect(await encrypt(cluster, 'k', more)).not.toBe(ciphertext)
      expect((await decrypt(cluster, 'k', ciphertext, more)).data).toEqual({ plaintext: PLAINTEXT })
      const [head = '', body = ''] = ciphertext.split(/(?<=v1:)/)
      const bytes = Buffer.from(body, 'base64')
      for (let at = 0; at < bytes.length; at++) {
        const altered = Buffer.from(bytes)
        altered[at] = (altered[at] ?? 0) ^ 1
        const text = head + altered.toString('base64')
        expect((await decrypt(cluster, 'k', text, more)).status).toBe(400)
        const short = head + bytes.subarray(0, at).toString('base64')
        expect((await decrypt(cluster, 'k', short, more)).status).toBe(400)
      }
      expect((await decrypt(cluster, 'other', ciphertext, more)).status).toBe(400)
      const wrong = [
        { ...more, context: 'AAAA' },
        { ...more, associated_data: 'AAAA' },
        { context: CONTEXT },
      ]
      for (const circumstances of wrong) {
        expect((await decrypt(cluster, 'k', ciphertext, circumstances)).status).toBe(400)
      }
    },
  )

  test('of RSA fails with one text, whatever is wrong with it', async () => {
    const cluster = await start()
    await make(cluster, 'k', { type: 'rsa-2048' })
    const good = Buffer.from((await encrypt(cluster, 'k')).slice('vault:v1:'.length), 'base64')
    const altered = Buffer.from(good)
    altered[100] = (altered[100] ?? 0) ^ 1
    const bad = [
      altered,
      good.subarray(1),
      Buffer.alloc(256),
      Buffer.alloc(256, 0xff),
      Buffer.from('x'),
    ]
    for (const bytes of bad) {
      const answer = await decrypt(cluster, 'k', `vault:v1:${bytes.toString('base64')}`)
      expect(answer).toMatchObject({
        status: 400,
        errors: ['failed to RSA decrypt the ciphertext: crypto/rsa: decryption error'],
      })
    }
  })

  test('is made with a new key only by who may make one', async () => {
    const cluster = await start()
    const token = await cluster.tokenWith('path "transit/encrypt/*" { capabilities = ["update"] }')
    const body = { plaintext: PLAINTEXT }
    expect((await cluster.write('transit/encrypt/new', body, { token })).status).toBe(403)
    expect((await cluster.write('transit/encrypt/new', body)).status).toBe(200)
    expect((await cluster.write('transit/encrypt/new', body, { token })).status).toBe(200)
  })
})

test('an item of a batch fails alone, and keeps its place and reference', async () => {
  const cluster = await start()
  await make(cluster, 'k')
  const items = Array.from({ length: 64 }, (_, i) => ({
    plaintext: i % 7 === 3 ? '!!' : PLAINTEXT,
    reference: `r${i}`,
  }))
  const answer = await cluster.write('transit/encrypt/k', { batch_input: items })
  expect(answer.status).toBe(400)
  const results = objectsOf(answer.data['batch_results'])
  expect(results.map(({ reference }) => reference)).toEqual(items.map(({ reference }) => reference))
  expect(results.map((one) => 'ciphertext' in one)).toEqual(items.map((_, i) => i % 7 !== 3))
})

describe('a signature', () => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'ecdsa-secp256k1', 'rsa-2048', 'rsa-3072'])(
    'of a digest that is given is one of the message: %s',
    async (type) => {
      const cluster = await start()
      await make(cluster, 'k', { type })
      const input = (await cluster.write('transit/hash', { input: PLAINTEXT, format: 'base64' }))
        .data['sum']
      const shown = await cluster.read('transit/keys/k')
      const publicKey = createPublicKey(String(memberOf(shown.data, 'keys', '1', 'public_key')))
      for (const algorithm of ['pss', 'pkcs1v15']) {
        const options = { signature_algorithm: algorithm, hash_algorithm: 'sha2-256' }
        const made = await cluster.write('transit/sign/k', { input, prehashed: true, ...options })
        const { signature } = made.data
        const check = { input: PLAINTEXT, signature, ...options }
        expect((await cluster.write('transit/verify/k', check)).data).toEqual({ valid: true })
        const again = { input, prehashed: true, signature, ...options }
        expect((await cluster.write('transit/verify/k', again)).data).toEqual({ valid: true })
        const other = { ...again, input: Buffer.alloc(32).toString('base64') }
        expect((await cluster.write('transit/verify/k', other)).data).toEqual({ valid: false })
        const bytes = Buffer.from(String(signature).slice('vault:v1:'.length), 'base64')
        const padding = algorithm === 'pss' ? 6 : 1
        const key = type.startsWith('rsa') ? { key: publicKey, padding, saltLength: -2 } : publicKey
        expect(
          createVerify('sha256').update(Buffer.from(PLAINTEXT, 'base64')).verify(key, bytes),
        ).toBe(true)
      }
    },
  )

  test.each(['auto', 'hash', '20'])(
    'of RSA-PSS of a digest with salt %s is the one of OpenSSL',
    async (salt) => {
      const cluster = await start()
      await make(cluster, 'k', { type: 'rsa-2048' })
      const input = (
        await cluster.write('transit/hash/sha2-512', { input: PLAINTEXT, format: 'base64' })
      ).data['sum']
      const options = { salt_length: salt, hash_algorithm: 'sha2-512' }
      const signature = (
        await cluster.write('transit/sign/k', { input, prehashed: true, ...options })
      ).data['signature']
      const plain = (await cluster.write('transit/sign/k', { input: PLAINTEXT, ...options })).data[
        'signature'
      ]
      for (const one of [signature, plain]) {
        const whole = { input: PLAINTEXT, signature: one, ...options }
        expect((await cluster.write('transit/verify/k', whole)).data).toEqual({ valid: true })
        const digest = { input, prehashed: true, signature: one, ...options }
        expect((await cluster.write('transit/verify/k', digest)).data).toEqual({ valid: true })
        const wrong = await cluster.write('transit/verify/k', { ...digest, salt_length: '21' })
        expect(wrong.data).toEqual({ valid: false })
      }
    },
  )
})

describe('of ML-DSA', () => {
  test.each(['44', '65', '87'])(
    '%s, a signature is valid for its message, and OpenSSL agrees',
    async (set) => {
      const cluster = await start()
      await make(cluster, 'k', {
        type: 'ml-dsa',
        parameter_set: set,
        exportable: true,
        allow_plaintext_backup: true,
      })
      const shown = await cluster.read('transit/keys/k')
      expect(shown.data).toMatchObject({
        type: 'ml-dsa',
        parameter_set: set,
        keys: { 1: { name: `ml-dsa-${set}` } },
        supports_signing: true,
      })
      const { signature } = (await cluster.write('transit/sign/k', { input: PLAINTEXT })).data
      const valid = async (name: string, input: string) =>
        (await cluster.write(`transit/verify/${name}`, { input, signature })).data['valid']
      expect([await valid('k', PLAINTEXT), await valid('k', CONTEXT)]).toEqual([true, false])
      const raw = String(memberOf(shown.data, 'keys', '1', 'public_key'))
      const exported = await cluster.read('transit/export/public-key/k?format=pem')
      const publicKey = createPublicKey(String(memberOf(exported.data, 'keys', '1')))
      const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('hex')
      expect(spki.endsWith(Buffer.from(raw, 'base64').toString('hex'))).toBe(true)
      const bytes = Buffer.from(String(signature).slice('vault:v1:'.length), 'base64')
      expect(verify(null, Buffer.from(PLAINTEXT, 'base64'), publicKey, bytes)).toBe(true)
      const { backup } = (await cluster.read('transit/backup/k')).data
      await cluster.write('transit/restore/copy', { backup })
      expect(await valid('copy', PLAINTEXT)).toBe(true)
      const other = await make(cluster, 'openbao', { type: `mldsa-${set}` })
      expect(other.data).toMatchObject({ type: 'ml-dsa', parameter_set: set })
      expect((await make(cluster, 'x', { type: 'ml-dsa', parameter_set: '1' })).status).toBe(400)
    },
  )
})

describe('a CMAC', () => {
  // NIST SP 800-38B, D.1 and D.3, example 2 of each.
  test.each([
    ['aes128-cmac', '2b7e151628aed2a6abf7158809cf4f3c', '070a16b46b4d4144f79bdd9dd04a287c'],
    [
      'aes256-cmac',
      '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
      '28a7023f452e8f82bd4bf28d8c37c35c',
    ],
  ])('of %s is the one that NIST has', async (type, key, mac) => {
    const cluster = await start()
    await cluster.write('sys/mounts/there', { type: 'transit' })
    const wrapping = createPublicKey(
      String((await cluster.read('transit/wrapping_key')).data['public_key']),
    )
    const blob = wrapKey(wrapping, Buffer.from(key, 'hex'), 'sha256', systemRandom)
    const ciphertext = blob.toString('base64')
    expect((await cluster.write('transit/keys/k/import', { type, ciphertext })).status).toBe(204)
    const input = Buffer.from('6bc1bee22e409f96e93d7e117393172a', 'hex').toString('base64')
    const bytes = Buffer.from(mac, 'hex')
    const cmac = `vault:v1:${bytes.toString('base64')}`
    expect((await cluster.write('transit/cmac/k', { input })).data).toEqual({ cmac })
    const short = `vault:v1:${bytes.subarray(0, 8).toString('base64')}`
    expect((await cluster.write('transit/cmac/k/8', { input })).data).toEqual({ cmac: short })
    const valid = async (body: object) =>
      (await cluster.write('transit/verify/k', body)).data['valid']
    expect(await valid({ input, cmac })).toBe(true)
    expect(await valid({ input, cmac: short, mac_length: 8 })).toBe(true)
    expect(await valid({ input, cmac: short })).toBe(false)
    expect(await valid({ input: CONTEXT, cmac })).toBe(false)
    expect((await cluster.write('transit/cmac/k/7', { input })).status).toBe(400)
    expect((await encryptStatus(cluster)).status).toBe(400)
  })

  const encryptStatus = (cluster: Cluster) =>
    cluster.write('transit/encrypt/k', { plaintext: PLAINTEXT })
})

describe('a certificate request', () => {
  test.each(['rsa-2048', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'ed25519'])(
    'of %s is taken by OpenSSL, and the certificate made of it is kept',
    async (type) => {
      const cluster = await start()
      await make(cluster, 'k', { type })
      const folder = mkdtempSync(join(tmpdir(), 'keyhold-csr-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const file = (name: string) => join(folder, name)
      const openssl = (...args: string[]) =>
        execFileSync('openssl', args, {
          cwd: folder,
          stdio: ['ignore', 'pipe', 'ignore'],
        }).toString()
      openssl(
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        'ca.key',
        '-subj',
        '/CN=template',
        '-addext',
        'subjectAltName=DNS:a.example',
        '-out',
        'template.csr',
      )
      openssl('req', '-x509', '-key', 'ca.key', '-subj', '/CN=ca', '-days', '2', '-out', 'ca.pem')
      const template = openssl('req', '-in', 'template.csr')
      const made = await cluster.write('transit/keys/k/csr', { csr: template })
      writeFileSync(file('own.csr'), String(made.data['csr']))
      expect(openssl('req', '-in', 'own.csr', '-noout', '-subject', '-text', '-verify')).toContain(
        'DNS:a.example',
      )
      openssl(
        'x509',
        '-req',
        '-in',
        'own.csr',
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-days',
        '1',
        '-out',
        'own.pem',
      )
      const chain = openssl('x509', '-in', 'own.pem') + openssl('x509', '-in', 'ca.pem')
      const set = await cluster.write('transit/keys/k/set-certificate', {
        certificate_chain: chain,
      })
      expect(set.status).toBe(200)
      const exported = await cluster.read('transit/export/certificate-chain/k')
      expect(new X509Certificate(String(memberOf(exported.data, 'keys', '1'))).subject).toBe(
        'CN=template',
      )
      const foreign = await cluster.write('transit/keys/k/set-certificate', {
        certificate_chain: openssl('x509', '-in', 'ca.pem'),
      })
      expect(foreign.status).toBe(400)
    },
  )
})

test('two servers agree on a key', async () => {
  const cluster = await start()
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  expect(privateKey.type).toBe('private')
  for (const name of ['a', 'b']) await make(cluster, name, { type: 'ecdsa-p256' })
  const publicOf = async (name: string) =>
    memberOf((await cluster.read(`transit/keys/${name}`)).data, 'keys', '1', 'public_key')
  for (const [own, peer] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const body = { base_key_name: own, peer_public_key: await publicOf(peer) }
    expect((await cluster.write(`transit/derive-key/of-${own}`, body)).status).toBe(204)
  }
  const ciphertext = await encrypt(cluster, 'of-a')
  expect((await decrypt(cluster, 'of-b', ciphertext)).data).toEqual({ plaintext: PLAINTEXT })
  const foreign = String(publicKey.export({ format: 'pem', type: 'spki' }))
  await cluster.write('transit/derive-key/of-c', { base_key_name: 'a', peer_public_key: foreign })
  expect((await decrypt(cluster, 'of-c', ciphertext)).status).toBe(400)
})

test('what another server wrapped for this one is the same key here, and goes on to a third', async () => {
  const cluster = await start()
  await cluster.write('sys/mounts/there', { type: 'transit' })
  await cluster.write('there/keys/k', { type: 'ed25519', exportable: true })
  const wrapping = (await cluster.read('transit/wrapping_key')).data['public_key']
  const asKey = await cluster.write('there/keys/here/import', {
    type: 'rsa-4096',
    public_key: wrapping,
  })
  expect(asKey.status).toBe(204)
  const wrapped = await cluster.read('there/byok-export/here/k')
  const ciphertext = memberOf(wrapped.data, 'keys', '1')
  const taken = await cluster.write('transit/keys/k/import', { type: 'ed25519', ciphertext })
  expect(taken.status).toBe(204)
  const { signature } = (await cluster.write('there/sign/k', { input: PLAINTEXT })).data
  expect((await cluster.write('transit/verify/k', { input: PLAINTEXT, signature })).data).toEqual({
    valid: true,
  })
  const shown = await cluster.read('transit/keys/k')
  const raw = Buffer.from(String(memberOf(shown.data, 'keys', '1', 'public_key')), 'base64')
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
  const bytes = Buffer.from(String(signature).slice('vault:v1:'.length), 'base64')
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  expect(verify(null, Buffer.from(PLAINTEXT, 'base64'), publicKey, bytes)).toBe(true)
})
