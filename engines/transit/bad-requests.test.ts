/** Requests that ask for what no key does: nonces, other paddings, small keys, batches that are too large or no batches. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemRandom } from '../../core/random.ts'
import { objectsOf } from '../../test/support/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { KEY_TYPES } from './key-types.ts'
import { wrapKey } from './wrap.ts'

const PLAINTEXT = Buffer.from('the quick brown fox').toString('base64')
const TYPES = [...KEY_TYPES.values()]
const ENCRYPTING = TYPES.filter(({ encrypts }) => encrypts).map(({ name }) => name)
const RSA = TYPES.filter(({ family }) => family === 'rsa').map(({ name }) => name)

let cluster: Cluster
const ciphertexts = new Map<string, string>()
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  for (const type of ENCRYPTING) {
    await cluster.write(`transit/keys/${type}`, { type })
    const made = await cluster.write(`transit/encrypt/${type}`, { plaintext: PLAINTEXT })
    ciphertexts.set(type, String(made.data['ciphertext']))
  }
})
afterAll(() => cluster.close())

/** What each operation takes for a key, and the same of a batch where it has them. */
function requestsOf(type: string) {
  const ciphertext = ciphertexts.get(type) ?? ''
  return [
    ['encrypt', { plaintext: PLAINTEXT }],
    ['decrypt', { ciphertext }],
    ['rewrap', { ciphertext }],
  ] as const
}

describe.each(ENCRYPTING)('%s', (type) => {
  test('takes no nonce, alone or in a batch', async () => {
    const error = 'nonce provided when not allowed'
    const nonce = Buffer.alloc(12).toString('base64')
    const path = `transit/datakey/wrapped/${type}`
    expect(await cluster.write(path, { nonce })).toMatchObject({ status: 400, errors: [error] })
    for (const [operation, body] of requestsOf(type)) {
      const alone = await cluster.write(`transit/${operation}/${type}`, { ...body, nonce })
      expect(alone).toMatchObject({ status: 400, errors: [error] })
      const batch_input = [{ ...body, nonce }, body, { ...body, nonce: '' }]
      const both = await cluster.write(`transit/${operation}/${type}`, { batch_input })
      const results = objectsOf(both.data['batch_results'])
      expect(results.map((one) => one['error'])).toEqual([error, undefined, undefined])
    }
  })
})

describe.each(RSA)('%s', (type) => {
  test('takes no padding but OAEP, alone or in a batch', async () => {
    for (const [operation, body] of requestsOf(type)) {
      const names =
        operation === 'rewrap'
          ? ['decrypt_padding_scheme', 'encrypt_padding_scheme']
          : ['padding_scheme']
      for (const name of names) {
        const path = `transit/${operation}/${type}`
        const error = `${name} must be oaep: no other is offered`
        const alone = await cluster.write(path, { ...body, [name]: 'pkcs1v15' })
        expect(alone).toMatchObject({ status: 400, errors: [error] })
        const batch_input = [
          { ...body, [name]: 'pkcs1v15' },
          { ...body, [name]: 'oaep' },
        ]
        const results = objectsOf(
          (await cluster.write(path, { batch_input })).data['batch_results'],
        )
        expect(results.map((one) => one['error'])).toEqual([error, undefined])
      }
    }
  })

  test('encrypts no more than fits, and says so', async () => {
    const most = Number(type.slice('rsa-'.length)) / 8 - 66
    const encrypt = (bytes: number) =>
      cluster.write(`transit/encrypt/${type}`, {
        plaintext: Buffer.alloc(bytes).toString('base64'),
      })
    expect((await encrypt(most)).status).toBe(200)
    expect(await encrypt(most + 1)).toMatchObject({
      status: 400,
      errors: [
        'failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size',
      ],
    })
  })
})

describe('a key that is too small, or of another kind, is not imported', () => {
  async function imported(type: string, target: Buffer): Promise<string> {
    const shown = (await cluster.read('transit/wrapping_key')).data['public_key']
    const blob = wrapKey(createPublicKey(String(shown)), target, 'sha256', systemRandom)
    const body = { type, ciphertext: blob.toString('base64') }
    const answer = await cluster.write('transit/keys/small/import', body)
    expect(answer.status).toBe(400)
    expect((await cluster.read('transit/keys/small')).status).toBe(404)
    return String(answer.errors[0])
  }

  test.each(TYPES.filter(({ family }) => family === 'aead' || family === 'cmac'))(
    'of $name',
    async (type) => {
      const bytes = 'keyBytes' in type ? type.keyBytes : 0
      for (const length of [1, 8, bytes - 1, bytes + 1, bytes === 16 ? 32 : 16]) {
        expect(await imported(type.name, Buffer.alloc(length))).toBe(
          `error importing key: invalid key size ${length} bytes for key type ${type.name}`,
        )
      }
    },
  )

  test('of hmac', async () => {
    for (const length of [1, 31, 513]) {
      expect(await imported('hmac', Buffer.alloc(length))).toContain(`size ${length} bytes`)
      const made = await cluster.write('transit/keys/small', { type: 'hmac', key_size: length })
      expect(made).toMatchObject({
        status: 400,
        errors: ['invalid key_size: it is 32 to 512 bytes'],
      })
    }
  })

  test.each(RSA)('of %s', async (type) => {
    for (const modulusLength of [512, 1024, 2047, type === 'rsa-2048' ? 3072 : 2048]) {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
      const words = `error importing key: invalid key type: expected ${type}`
      expect(await imported(type, privateKey.export({ format: 'der', type: 'pkcs8' }))).toContain(
        words,
      )
      const public_key = publicKey.export({ format: 'pem', type: 'spki' })
      const half = await cluster.write('transit/keys/small/import', { type, public_key })
      expect(half.status).toBe(400)
      expect(half.errors[0]).toContain(words)
    }
  })

  test('of three primes, which no backup could hold', async () => {
    const made = '-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3'
    const pem = execFileSync('openssl', ['genpkey', ...made.split(' ')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })
    expect(await imported('rsa-2048', der)).toBe(
      'error importing key: an RSA key must have two primes, not more',
    )
  })

  test.each(['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'ecdsa-secp256k1'])(
    'of %s',
    async (type) => {
      for (const namedCurve of [
        'P-224',
        'brainpoolP256r1',
        type === 'ecdsa-p256' ? 'P-384' : 'P-256',
      ]) {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve })
        const der = privateKey.export({ format: 'der', type: 'pkcs8' })
        expect(await imported(type, der)).toContain(`invalid key type: expected ${type}`)
      }
    },
  )

  test.each(['ed25519', 'ml-dsa-44'])('of %s', async (type) => {
    const { privateKey } = generateKeyPairSync('x25519')
    const der = privateKey.export({ format: 'der', type: 'pkcs8' })
    expect(await imported(type, der)).toContain(`invalid key type: expected ${type}`)
    expect(await imported(type, Buffer.alloc(32))).toContain('it is no private key in PKCS #8 form')
  })
})

describe('a batch', () => {
  const type = 'aes256-gcm96'

  test.each(['encrypt', 'decrypt', 'rewrap', 'sign', 'verify', 'hmac'])(
    'of %s that is too large is refused, and nothing of it is done',
    async (operation) => {
      const item = { plaintext: '', ciphertext: 'x', input: '', hmac: 'x' }
      const batch_input = Array.from({ length: 10_000 }, () => item)
      const answer = await cluster.write(`transit/${operation}/${type}`, { batch_input })
      expect(answer.status).toBe(400)
      expect(answer.errors[0]).toContain('max_request_json_strings')
    },
  )

  test('that is as large as may be leaves others their turn', async () => {
    const batch_input = Array.from({ length: 24_000 }, () => ({ plaintext: '' }))
    let isDone = false
    const large = cluster
      .write(`transit/encrypt/${type}`, { batch_input })
      .finally(() => (isDone = true))
    let others = 0
    while (!isDone) {
      expect((await cluster.read(`transit/keys/${type}`)).status).toBe(200)
      if (!isDone) others++
      await setImmediate()
    }
    expect(objectsOf((await large).data['batch_results'])).toHaveLength(batch_input.length)
    expect(others).toBeGreaterThan(5)
  })

  test.each([
    [{}, 'source data must be an array or slice'],
    ['x', 'source data must be an array or slice'],
    [[], 'missing batch input to process'],
    [['x'], "[0] expected a map, got 'string'"],
    [[{ plaintext: PLAINTEXT }, null], '[1] expected a map'],
    [[{}], "'[0].plaintext' missing plaintext to encrypt"],
    [[{ plaintext: null }], "'[0].plaintext' expected type 'string'"],
    [[{ plaintext: 1 }], "'[0].plaintext' expected type 'string'"],
    [[{ plaintext: PLAINTEXT, context: 1 }], "'[0].context' expected type 'string'"],
    [[{ plaintext: PLAINTEXT, nonce: 1 }], "'[0].nonce' expected type 'string'"],
    [[{ plaintext: PLAINTEXT, key_version: 'x' }], "'[0].key_version' expected type 'int'"],
  ])('that is %j is refused', async (batch_input, words) => {
    const answer = await cluster.write(`transit/encrypt/${type}`, { batch_input })
    expect(JSON.stringify([answer.status, answer.errors, answer.data])).toContain(words)
    expect(answer.status).toBe(400)
  })
})
