/** Requests at the edge of what transit takes: each is answered, and none with an internal error. */
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { beforeAll, afterAll, describe, expect, test } from 'vitest'
import { systemRandom } from '../../core/random.ts'
import { memberOf } from '../../test/support/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { wrapKey } from './wrap.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.write('sys/mounts/transit', { type: 'transit' })
})
afterAll(() => cluster.close())

const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64')

describe('RSA without a hash', () => {
  const options = { hash_algorithm: 'none', prehashed: true, signature_algorithm: 'pkcs1v15' }
  beforeAll(() => cluster.write('transit/keys/none', { type: 'rsa-2048' }))

  test.each([0, 1, 245])('signs an input of %i bytes', async (bytes) => {
    const input = base64(bytes)
    const { signature } = (await cluster.write('transit/sign/none', { input, ...options })).data
    const check = { input, signature, ...options }
    expect((await cluster.write('transit/verify/none', check)).data).toEqual({ valid: true })
  })

  test.each([246, 300, 5000])('refuses one of %i bytes, which does not fit', async (bytes) => {
    const answer = await cluster.write('transit/sign/none', { input: base64(bytes), ...options })
    expect(answer).toMatchObject({
      status: 400,
      errors: ['crypto/rsa: message too long for RSA key size'],
    })
  })
})

describe.each([false, true])('PSS, prehashed %s', (prehashed) => {
  const body = { input: base64(32), prehashed }
  beforeAll(() => cluster.write('transit/keys/salt', { type: 'rsa-2048' }))

  test.each(['-2', '-4', '-5', '-999999999', '223', '999999999'])(
    'neither signs nor verifies with a salt of %s bytes',
    async (salt) => {
      const { signature } = (await cluster.write('transit/sign/salt', body)).data
      const text = { status: 400, errors: [`requested salt length ${salt} is invalid`] }
      const asked = { ...body, salt_length: salt }
      expect(await cluster.write('transit/sign/salt', asked)).toMatchObject(text)
      expect(await cluster.write('transit/verify/salt', { ...asked, signature })).toMatchObject(
        text,
      )
    },
  )

  test.each(['-1', '0', '1', '222', '+20'])('does both with %s', async (salt) => {
    const asked = { ...body, salt_length: salt }
    const { signature } = (await cluster.write('transit/sign/salt', asked)).data
    const check = await cluster.write('transit/verify/salt', { ...asked, signature })
    expect(check.data).toEqual({ valid: true })
  })
})

test.each([
  ['ecdsa-p256', 32],
  ['ecdsa-p384', 48],
  ['ecdsa-p521', 66],
])('of a long digest, %s signs the first %i bytes', async (type, bytes) => {
  await cluster.write(`transit/keys/${type}`, { type })
  const sign = async (digest: Buffer) => {
    const input = digest.toString('base64')
    return (await cluster.write(`transit/sign/${type}`, { input, prehashed: true })).data[
      'signature'
    ]
  }
  const digest = createHash('shake256', { outputLength: 100_000 }).update('x').digest()
  const signature = await sign(digest)
  for (const length of [bytes, bytes + 1, digest.length]) {
    const input = digest.subarray(0, length).toString('base64')
    const check = { input, prehashed: true, signature }
    expect((await cluster.write(`transit/verify/${type}`, check)).data).toEqual({ valid: true })
  }
  const input = digest.subarray(0, bytes - 1).toString('base64')
  const check = { input, prehashed: true, signature }
  expect((await cluster.write(`transit/verify/${type}`, check)).data).toEqual({ valid: false })
})

test('a key that is named one for PSS alone is imported as the RSA key that it is', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
  const shown = (await cluster.read('transit/wrapping_key')).data['public_key']
  const target = privateKey.export({ format: 'der', type: 'pkcs8' })
  const blob = wrapKey(createPublicKey(String(shown)), target, 'sha256', systemRandom)
  const ciphertext = blob.toString('base64')
  const body = { type: 'rsa-2048', ciphertext, exportable: true }
  expect((await cluster.write('transit/keys/pss/import', body)).status).toBe(204)

  const exported = await cluster.read('transit/export/public-key/pss/latest?format=der')
  const spki = String(memberOf(exported.data, 'keys', '1'))
  const imported = createPublicKey({
    key: Buffer.from(spki, 'base64'),
    format: 'der',
    type: 'spki',
  })
  expect(imported.asymmetricKeyType).toBe('rsa')
  expect(imported.export({ format: 'jwk' }).n).toBe(
    modulusOf(publicKey.export({ format: 'der', type: 'spki' })),
  )
})

/** The 256 bytes after the INTEGER's header, near the end of an SPKI with the exponent 65537. */
function modulusOf(spki: Buffer): string {
  return spki.subarray(-256 - 5, -5).toString('base64url')
}

test('no Ed25519 key to derive others from is imported as its public half', async () => {
  const { publicKey } = generateKeyPairSync('ed25519')
  const pem = publicKey.export({ format: 'pem', type: 'spki' })
  const body = { type: 'ed25519', derived: true, public_key: pem }
  const answer = await cluster.write('transit/keys/half/import', body)
  expect(answer.status).toBe(400)
  expect((await cluster.read('transit/keys/half')).status).toBe(404)
})
