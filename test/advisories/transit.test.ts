/** Advisories about keys that encrypt and sign. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KEY_TYPES } from '../../engines/transit/key-types.ts'
import { objectsOf } from '../support/json.ts'
import { startCluster, type Cluster } from '../support/kit.ts'

const PLAINTEXT = Buffer.from('the quick brown fox').toString('base64')
const TYPES = [...KEY_TYPES.values()]

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.write('sys/mounts/transit', { type: 'transit' })
})
afterAll(() => cluster.close())

const BOOLEANS = ['derived', 'convergent_encryption', 'exportable', 'allow_plaintext_backup']
/** Every choice of them. */
const CHOICES = Array.from({ length: 2 ** BOOLEANS.length }, (_, bits) =>
  Object.fromEntries(BOOLEANS.map((name, at) => [name, (bits & (1 << at)) !== 0])),
)

test('row 67: whatever a key is asked to be, it is made and usable, or refused and not there', async () => {
  for (const { name: type, derives, family } of TYPES.filter(isQuick)) {
    for (const [at, choice] of CHOICES.entries()) {
      for (const key_size of [0, 32]) {
        const path = `transit/keys/${type}-${at}-${key_size}`
        const isPossible =
          (derives || !choice['derived']) &&
          (!choice['convergent_encryption'] || (choice['derived'] && family === 'aead')) &&
          (key_size === 32) === (family === 'hmac')
        const made = await cluster.write(path, { type, key_size, ...choice })
        expect([made.status, type, choice]).toEqual([isPossible ? 200 : 400, type, choice])
        expect((await cluster.read(path)).status).toBe(isPossible ? 200 : 404)
        if (!isPossible) continue
        expect((await cluster.write(`${path}/rotate`)).status).toBe(200)
      }
    }
  }
})

/** One RSA key is as good as three, and takes a second of work less. */
const isQuick = ({ name }: { readonly name: string }) => !/^rsa-(?:3072|4096)$/.test(name)

test('row 94: who encrypts chooses no nonce, so that none comes twice', async () => {
  const nonce = Buffer.alloc(12).toString('base64')
  const refused = { status: 400, errors: ['nonce provided when not allowed'] }
  for (const { name } of TYPES.filter(({ family }) => family === 'aead')) {
    for (const derived of [false, true]) {
      const path = `${name}-nonce-${derived}`
      await cluster.write(`transit/keys/${path}`, {
        type: name,
        derived,
        convergent_encryption: derived,
      })
      const body = { plaintext: PLAINTEXT, ...(derived && { context: PLAINTEXT }) }
      expect(await cluster.write(`transit/encrypt/${path}`, { ...body, nonce })).toMatchObject(
        refused,
      )
      expect(
        await cluster.write(`transit/datakey/plaintext/${path}`, { ...body, nonce }),
      ).toMatchObject(refused)
      const batch_input = [{ ...body, nonce }]
      const batch = await cluster.write(`transit/encrypt/${path}`, { batch_input })
      expect(objectsOf(batch.data['batch_results'])).toEqual([
        { error: refused.errors[0], reference: '' },
      ])
    }
  }
})

test('CVE-2023-46809: RSA decrypts OAEP alone', async () => {
  await cluster.write('transit/keys/rsa', { type: 'rsa-2048' })
  const { ciphertext } = (await cluster.write('transit/encrypt/rsa', { plaintext: PLAINTEXT })).data
  const body = { ciphertext, padding_scheme: 'pkcs1v15' }
  expect(await cluster.write('transit/decrypt/rsa', body)).toMatchObject({
    status: 400,
    errors: ['padding_scheme must be oaep: no other is offered'],
  })
})

test('CVE-2025-14759: a wrapped data key is opened by the key that wrapped it, for its context, and by no other', async () => {
  for (const name of ['own', 'foreign']) {
    await cluster.write(`transit/keys/${name}`, { derived: true })
  }
  const wrapped = await cluster.write('transit/datakey/wrapped/own', { context: PLAINTEXT })
  const { ciphertext } = wrapped.data
  const open = async (name: string, context: string) =>
    (await cluster.write(`transit/decrypt/${name}`, { ciphertext, context })).status
  expect(await open('own', PLAINTEXT)).toBe(200)
  expect(await open('foreign', PLAINTEXT)).toBe(400)
  expect(await open('own', 'AAAA')).toBe(400)
})
