import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { isJsonObject } from '../../core/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { sharedSecret } from './agree.ts'

async function started(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  return cluster
}

async function publicKeyOf(cluster: Cluster, name: string, version = 1): Promise<string> {
  const keys = (await cluster.read(`transit/keys/${name}`)).data['keys']
  const found = isJsonObject(keys) ? keys[String(version)] : undefined
  return String(isJsonObject(found) ? found['public_key'] : '')
}

const X25519_PKCS8 = '302e020100300506032b656e04220420'
const X25519_SPKI = '302a300506032b656e032100'
const privateKey = (hex: string) =>
  createPrivateKey({ key: Buffer.from(X25519_PKCS8 + hex, 'hex'), format: 'der', type: 'pkcs8' })
const publicKey = (hex: string) =>
  createPublicKey({ key: Buffer.from(X25519_SPKI + hex, 'hex'), format: 'der', type: 'spki' })
const pem = (key: ReturnType<typeof publicKey>) =>
  String(key.export({ format: 'pem', type: 'spki' }))

/** Section 5.2. */
test('X25519 is as RFC 7748 has it', () => {
  const scalar = 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'
  const point = 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'
  expect(sharedSecret(privateKey(scalar), publicKey(point)).toString('hex')).toBe(
    'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  )
})

test.each([
  ['x25519', () => generateKeyPairSync('x25519')],
  ['ecdsa-p256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['ecdsa-p521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ['ecdsa-secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
])('a key of %s and one of a client give both the same secret', async (type, generate) => {
  const cluster = await started()
  await cluster.write('transit/keys/k', { type })
  await cluster.write('transit/keys/k/rotate')
  const own = generate()
  for (const [asked, version] of [
    [0, 2],
    [1, 1],
  ]) {
    const body = { peer_public_key: pem(own.publicKey), key_version: asked }
    const { data } = await cluster.write('transit/derive-shared-secret/k', body)
    const theirs = createPublicKey(await publicKeyOf(cluster, 'k', version))
    const secret = diffieHellman({ privateKey: own.privateKey, publicKey: theirs })
    expect(data).toEqual({ shared_secret: secret.toString('base64'), key_version: version })
  }
})

test('two servers agree on a key for encryption by X25519', async () => {
  const cluster = await started()
  const plaintext = Buffer.from('hello').toString('base64')
  for (const name of ['a', 'b']) await cluster.write(`transit/keys/${name}`, { type: 'x25519' })
  for (const [own, peer] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const body = { base_key_name: own, peer_public_key: await publicKeyOf(cluster, peer) }
    expect((await cluster.write(`transit/derive-key/of-${own}`, body)).status).toBe(204)
  }
  const { data } = await cluster.write('transit/encrypt/of-a', { plaintext })
  const opened = await cluster.write('transit/decrypt/of-b', { ciphertext: data['ciphertext'] })
  expect(opened.data).toEqual({ plaintext })
})

test('what gives no secret is refused, and nothing is told of it', async () => {
  const cluster = await started()
  await cluster.write('transit/keys/k', { type: 'x25519' })
  await cluster.write('transit/keys/s', { type: 'ed25519' })
  const refused = async (name: string, peer: string) => {
    const body = { peer_public_key: peer }
    return (await cluster.write(`transit/derive-shared-secret/${name}`, body)).errors[0]
  }
  expect(await refused('k', pem(publicKey('00'.repeat(32))))).toBe(
    'the peer public key gives no secret',
  )
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  expect(await refused('k', pem(p256.publicKey))).toMatch(/invalid key type: expected x25519/)
  expect(await refused('k', '')).toBe('peer_public_key must be a public key in PEM')
  expect(await refused('k', 'x')).toMatch(/no public key in PEM form/)
  expect(await refused('none', 'x')).toBe('encryption key not found')
  expect(await refused('s', 'x')).toMatch(/agree with no other/)
  expect((await cluster.write('transit/sign/k', { input: '' })).status).toBe(400)
  expect((await cluster.write('transit/encrypt/k', { plaintext: '' })).status).toBe(400)
})

test('a key that may do other things only, agrees with nobody', async () => {
  const cluster = await started()
  await cluster.write('transit/keys/k', { type: 'ecdsa-p256' })
  await cluster.write('transit/keys/k/config', { allowed_operations: 'sign,verify' })
  const { publicKey: peer } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = { peer_public_key: pem(peer) }
  const { errors } = await cluster.write('transit/derive-shared-secret/k', body)
  expect(errors[0]).toMatch(/may not be used to agree/)
})

test('x25519 keys are exported, imported, backed up and restored', async () => {
  const cluster = await started()
  const settings = { type: 'x25519', exportable: true, allow_plaintext_backup: true }
  await cluster.write('transit/keys/k', settings)
  const exported = (await cluster.read('transit/export/agreement-key/k')).data['keys']
  const key = createPrivateKey(String(isJsonObject(exported) ? exported['1'] : ''))
  const shown = await publicKeyOf(cluster, 'k')
  expect(pem(createPublicKey(key))).toBe(shown)
  expect(key.asymmetricKeyType).toBe('x25519')
  const backup = (await cluster.read('transit/backup/k')).data['backup']
  expect((await cluster.write('transit/restore/again', { backup })).status).toBe(204)
  expect(await publicKeyOf(cluster, 'again')).toBe(shown)
  const body = { type: 'x25519', public_key: shown }
  expect((await cluster.write('transit/keys/half/import', body)).status).toBe(204)
  const half = await cluster.write('transit/derive-shared-secret/half', { peer_public_key: shown })
  expect(half.errors[0]).toMatch(/only a public half/)
  expect((await cluster.read('transit/export/agreement-key/half')).status).toBe(400)
})
