/** Ciphertexts that are none of the key's: for each type of key, one by one and as an item of a batch beside a good one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { objectsOf } from '../../test/support/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { KEY_TYPES } from './key-types.ts'

const PLAINTEXT = Buffer.from('the quick brown fox').toString('base64')
const CONTEXT = Buffer.from('tenant 1').toString('base64')
const HEAD = 'vault:v1:'
const TYPES = [...KEY_TYPES.values()]
const ENCRYPTING = TYPES.filter(({ encrypts }) => encrypts)

/** RSA keys take a while. */
const KEYS_MS = 60_000

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  for (const { name } of TYPES) {
    for (const key of [name, `other-${name}`]) await make(key, { type: name })
  }
}, KEYS_MS)
afterAll(() => cluster.close())

const make = (name: string, more: { readonly type: string } & Record<string, unknown>) =>
  cluster.write(`transit/keys/${name}`, { ...more, ...(more.type === 'hmac' && { key_size: 32 }) })

async function ciphertextOf(name: string, more: object = {}): Promise<string> {
  const answer = await cluster.write(`transit/encrypt/${name}`, { plaintext: PLAINTEXT, ...more })
  return String(answer.data['ciphertext'])
}

/** What it is refused with, alone and beside a good one; and the good one is decrypted all the same. */
async function refusal(name: string, ciphertext: string, more: object = {}): Promise<string> {
  const alone = await cluster.write(`transit/decrypt/${name}`, { ciphertext, ...more })
  expect(alone.status, ciphertext).toBe(400)
  const good = { ciphertext: await ciphertextOf(name, more), ...more }
  const both = await cluster.write(`transit/decrypt/${name}`, {
    batch_input: [{ ciphertext, ...more, reference: 'bad' }, good],
  })
  const [error] = alone.errors
  expect(both.status).toBe(400)
  expect(objectsOf(both.data['batch_results'])).toEqual([
    { plaintext: '', error, reference: 'bad' },
    { plaintext: PLAINTEXT, reference: '' },
  ])
  const rewrapped = await cluster.write(`transit/rewrap/${name}`, { ciphertext, ...more })
  expect(rewrapped).toMatchObject({ status: 400, errors: [error] })
  return String(error)
}

/** What is said of what was altered. */
function failureOf(name: string): string {
  if (name.startsWith('rsa')) {
    return 'failed to RSA decrypt the ciphertext: crypto/rsa: decryption error'
  }
  return `${name.startsWith('aes') ? 'cipher' : 'chacha20poly1305'}: message authentication failed`
}

describe.each(ENCRYPTING.map((type) => [type.name, type] as const))('%s', (name, type) => {
  test.each([
    ['vault', 'invalid ciphertext: no prefix'],
    ['VAULT:v1:AAAA', 'invalid ciphertext: no prefix'],
    ['vault:v1', 'invalid ciphertext: wrong number of fields'],
    ['vault:vx:AAAA', 'invalid ciphertext: version number could not be decoded'],
    ['vault:v:AAAA', 'invalid ciphertext: version number could not be decoded'],
    ['vault:v9:AAAA', 'invalid ciphertext: version is too new'],
    ['vault:v99999999999:AAAA', 'invalid ciphertext: version number could not be decoded'],
    ['vault:v-1:AAAA', 'ciphertext or signature version is disallowed by policy (too old)'],
    ['vault:v1:!!!', 'invalid ciphertext: could not decode base64'],
    ['vault:v1:AAA', 'invalid ciphertext: could not decode base64'],
  ])('%s is refused for its form', async (ciphertext, error) => {
    expect(await refusal(name, ciphertext)).toBe(error)
  })

  test('none, or an empty one, is missing', async () => {
    for (const body of [{}, { ciphertext: '' }]) {
      expect(await cluster.write(`transit/decrypt/${name}`, body)).toMatchObject({
        status: 400,
        errors: ['missing ciphertext to decrypt'],
      })
    }
  })

  test('one that was cut short or made longer is refused', async () => {
    const whole = Buffer.from((await ciphertextOf(name)).slice(HEAD.length), 'base64')
    const least = type.family === 'aead' ? type.nonceBytes + 16 : 0
    for (const length of [0, 1, 12, 27, least, whole.length - 1]) {
      const text = HEAD + whole.subarray(0, length).toString('base64')
      const expected = length < least ? 'invalid ciphertext length' : failureOf(name)
      expect(await refusal(name, text), String(length)).toBe(expected)
    }
    const longer = Buffer.concat([whole, Buffer.alloc(1)]).toString('base64')
    expect(await refusal(name, HEAD + longer)).toBe(failureOf(name))
  })

  test('one that was altered is refused, with one text wherever', async () => {
    const whole = Buffer.from((await ciphertextOf(name)).slice(HEAD.length), 'base64')
    for (const at of [0, 11, 12, 24, whole.length - 17, whole.length - 1]) {
      const altered = Buffer.from(whole)
      altered[at] = (altered[at] ?? 0) ^ 0x80
      expect(await refusal(name, HEAD + altered.toString('base64'))).toBe(failureOf(name))
    }
  })

  test('one of another key is refused, whatever its type', async () => {
    for (const other of ENCRYPTING) {
      const error = await refusal(name, await ciphertextOf(`other-${other.name}`))
      expect(error).toBe(failureOf(name))
    }
  })

  test('one that claims another version, or a version that is too old, is refused', async () => {
    const key = `versions-${name}`
    await make(key, { type: name })
    const first = await ciphertextOf(key)
    await cluster.write(`transit/keys/${key}/rotate`)
    const second = await ciphertextOf(key)
    expect(await refusal(key, first.replace('v1', 'v2'))).toBe(failureOf(name))
    expect(await refusal(key, second.replace('v2', 'v1'))).toBe(failureOf(name))
    await cluster.write(`transit/keys/${key}/config`, { min_decryption_version: 2 })
    expect(await refusal(key, first)).toBe(
      'ciphertext or signature version is disallowed by policy (too old)',
    )
  })
})

describe.each(ENCRYPTING.filter(({ derives }) => derives).map(({ name }) => name))(
  'of a context: %s',
  (name) => {
    test.each([false, true])(
      'another one or none is refused, convergent %s',
      async (convergent) => {
        const key = `derived-${name}-${convergent}`
        await make(key, { type: name, derived: true, convergent_encryption: convergent })
        const ciphertext = await ciphertextOf(key, { context: CONTEXT })

        expect(await refusal(key, ciphertext, { context: 'AAAA' })).toBe(failureOf(name))
        for (const context of ['', undefined]) {
          const answer = await cluster.write(`transit/decrypt/${key}`, { ciphertext, context })
          expect(answer.status).toBe(400)
          expect(answer.errors[0]).toContain("missing 'context' for key derivation")
        }
        const some = [{ ciphertext, context: CONTEXT }, { ciphertext }]
        expect(await cluster.write(`transit/decrypt/${key}`, { batch_input: some })).toMatchObject({
          status: 400,
          errors: ['context should be set either in all the request blocks or in none'],
        })
      },
    )

    test('with other associated data, or none, is refused', async () => {
      const associated = { associated_data: CONTEXT }
      const ciphertext = await ciphertextOf(name, associated)
      for (const other of [{ associated_data: 'AAAA' }, {}]) {
        const answer = await cluster.write(`transit/decrypt/${name}`, { ciphertext, ...other })
        expect(answer).toMatchObject({ status: 400, errors: [failureOf(name)] })
      }
    })
  },
)

test.each(TYPES.filter(({ encrypts }) => !encrypts).map(({ name }) => name))(
  'a key of the type %s neither encrypts nor decrypts',
  async (name) => {
    const ciphertext = await ciphertextOf('aes256-gcm96')
    const cases = [
      ['encrypt', { plaintext: PLAINTEXT }, 'encryption'],
      ['decrypt', { ciphertext }, 'decryption'],
      ['rewrap', { ciphertext }, 'decryption'],
      ['datakey/plaintext', {}, 'encryption'],
    ] as const
    for (const [path, body, what] of cases) {
      expect(await cluster.write(`transit/${path}/${name}`, body)).toMatchObject({
        status: 400,
        errors: [`message ${what} not supported for key type ${name}`],
      })
    }
  },
)
