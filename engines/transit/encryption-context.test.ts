import { createDecipheriv } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isJsonObject, parseJson, type Json } from '../../core/json.ts'
import { startCluster, type Answer, type Cluster } from '../../test/support/kit.ts'
import { contextBytes } from './encryption-context.ts'

const HELLO = Buffer.from('hello').toString('base64')
const TENANT = { tenant: 'a', purpose: 'invoices' }

async function started(key: object = {}): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  await cluster.write('transit/keys/k', { exportable: true, ...key })
  return cluster
}

const encrypt = (cluster: Cluster, more: object, token?: string) =>
  cluster.write(
    'transit/encrypt/k',
    { plaintext: HELLO, ...more },
    token === undefined ? {} : { token },
  )
const decrypt = (cluster: Cluster, { data }: Answer, more: object) =>
  cluster.write('transit/decrypt/k', { ciphertext: data['ciphertext'], ...more })

test('what was encrypted with a context is decrypted with the same one only', async () => {
  const cluster = await started()
  const made = await encrypt(cluster, { encryption_context: TENANT })
  const opened = async (more: object) => (await decrypt(cluster, made, more)).data['plaintext']
  expect(await opened({ encryption_context: TENANT })).toBe(HELLO)
  const turned = { purpose: 'invoices', tenant: 'a' }
  expect(await opened({ encryption_context: turned })).toBe(HELLO)
  for (const other of [
    { ...TENANT, tenant: 'b' },
    { tenant: 'a' },
    { ...TENANT, more: '' },
    { tenant: 'ainvoices', purpose: '' },
    { TENANT: 'a', purpose: 'invoices' },
  ]) {
    expect(await opened({ encryption_context: other })).toBeUndefined()
  }
  expect(await opened({})).toBeUndefined()
  expect(await opened({ encryption_context: null })).toBeUndefined()
})

test('the associated data is as it is written down, so that others can open it', async () => {
  const cluster = await started()
  const { data } = await encrypt(cluster, { encryption_context: { tenant: 'ä', a: '' } })
  const exported = await cluster.read('transit/export/encryption-key/k')
  const keys = exported.data['keys']
  const key = Buffer.from(String(isJsonObject(keys) ? keys['1'] : ''), 'base64')
  const sealed = Buffer.from(String(data['ciphertext']).slice('vault:v1:'.length), 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
  const pairs = '\0\0\0\x01a\0\0\0\0' + '\0\0\0\x06tenant\0\0\0\x02ä'
  decipher.setAAD(Buffer.from(`keyhold encryption context 1\0${pairs}`))
  decipher.setAuthTag(sealed.subarray(-16))
  expect(decipher.update(sealed.subarray(12, -16)).toString()).toBe('hello')
  decipher.final()
})

test('batches, data keys, pairs and rewrapping take one too', async () => {
  const cluster = await started()
  const own = { encryption_context: { tenant: 'b' } }
  const batch = await encrypt(cluster, {
    plaintext: undefined,
    encryption_context: TENANT,
    batch_input: [{ plaintext: HELLO }, { plaintext: HELLO, ...own }],
  })
  const results = batch.data['batch_results']
  const [first, second] = (Array.isArray(results) ? results : []).map((one: Json) =>
    isJsonObject(one) ? { ciphertext: one['ciphertext'] } : {},
  )
  const opened = await cluster.write('transit/decrypt/k', {
    encryption_context: TENANT,
    batch_input: [first, { ...second, ...own }],
  })
  expect(opened.status).toBe(200)
  expect(
    (await cluster.write('transit/decrypt/k', { encryption_context: TENANT, ...second })).status,
  ).toBe(400)
  for (const path of ['datakey/wrapped', 'datakey-pair/wrapped']) {
    const made = await cluster.write(`transit/${path}/k`, { encryption_context: TENANT })
    expect((await decrypt(cluster, made, { encryption_context: TENANT })).status).toBe(200)
    expect((await decrypt(cluster, made, {})).status).toBe(400)
  }
  await cluster.write('transit/keys/k/rotate')
  const rewrapped = await cluster.write('transit/rewrap/k', {
    ...first,
    encryption_context: TENANT,
  })
  expect(rewrapped.data['key_version']).toBe(2)
  expect((await decrypt(cluster, rewrapped, { encryption_context: TENANT })).status).toBe(200)
  expect((await cluster.write('transit/rewrap/k', { ...first })).status).toBe(400)
})

test('it goes with no associated data, and no associated data passes for one', async () => {
  const cluster = await started()
  const both = { encryption_context: TENANT, associated_data: HELLO }
  expect((await encrypt(cluster, both)).errors).toEqual([
    'give associated_data or encryption_context, not both',
  ])
  const made = await encrypt(cluster, { encryption_context: TENANT })
  const forged = contextBytes(TENANT, []).toString('base64')
  const refused = await decrypt(cluster, made, { associated_data: forged })
  expect(refused.errors[0]).toMatch(/associated_data must not begin as an encryption context/)
  expect((await encrypt(cluster, { associated_data: forged })).status).toBe(400)
  await cluster.write('transit/keys/r', { type: 'rsa-2048' })
  const rsa = { plaintext: HELLO, encryption_context: TENANT }
  expect((await cluster.write('transit/encrypt/r', rsa)).errors[0]).toMatch(/is for AEAD keys/)
})

test.each([
  ['a text', 'tenant=a'],
  ['a list', [['tenant', 'a']]],
  ['nothing in it', {}],
  ['a number', { tenant: 1 }],
  ['an object in it', { tenant: { a: 'b' } }],
  ['a name that is empty', { '': 'a' }],
  ['half a character', { tenant: '\ud800' }],
  ['too much', { tenant: 'a'.repeat(8200) }],
])('%s is no context, and the refusal repeats nothing', async (_what, given) => {
  const cluster = await started()
  for (const body of [
    { encryption_context: given },
    { batch_input: [{ plaintext: HELLO, encryption_context: given }] },
  ]) {
    const { status, text } = await encrypt(cluster, body)
    expect(status).toBe(400)
    expect(text).not.toContain('tenant=a')
  }
})

test.each([
  ['encryption_context', (name: string) => ({ tenant: name })],
  ['associated_data', (name: string) => Buffer.from(name).toString('base64')],
])(
  'a convergent key gives one ciphertext for one %s, and another nonce for another',
  async (field, value) => {
    const cluster = await started({ derived: true, convergent_encryption: true })
    const made = async (name?: string) => {
      const more = name === undefined ? {} : { [field]: value(name) }
      const { data } = await encrypt(cluster, { context: HELLO, ...more })
      return String(data['ciphertext'])
    }
    const [none, a, b] = [await made(), await made('a'), await made('b')]
    expect(await made('a')).toBe(a)
    const nonces = [none, a, b].map((text) => text.slice('vault:v1:'.length).slice(0, 16))
    expect(new Set(nonces).size).toBe(3)
    const opened = { ciphertext: a, context: HELLO, [field]: value('a') }
    expect((await cluster.write('transit/decrypt/k', opened)).data['plaintext']).toBe(HELLO)
  },
)

describe('a key that demands a context', () => {
  test('encrypts with those names only', async () => {
    const cluster = await started()
    const old = await encrypt(cluster, {})
    await cluster.write('transit/keys/k/config', { required_context: ['tenant', 'purpose'] })
    for (const more of [{}, { associated_data: HELLO }, { encryption_context: { tenant: 'a' } }]) {
      const { status, errors } = await encrypt(cluster, more)
      expect([status, errors[0]]).toEqual([
        400,
        expect.stringMatching(/^the key demands an encryption_context with .*purpose$/),
      ])
    }
    expect((await encrypt(cluster, { encryption_context: TENANT })).status).toBe(200)
    expect((await cluster.write('transit/datakey/wrapped/k')).status).toBe(400)
    expect((await cluster.read('transit/keys/k')).data['required_context']).toEqual([
      'tenant',
      'purpose',
    ])
    // What was encrypted before is not lost.
    expect((await decrypt(cluster, old, {})).status).toBe(200)
  })

  test('is one that authenticates associated data', async () => {
    const cluster = await started({ type: 'rsa-2048' })
    const body = { required_context: 'tenant' }
    expect((await cluster.write('transit/keys/k/config', body)).status).toBe(400)
  })
})

test('a policy decides which contexts, in batches too', async () => {
  const cluster = await started()
  const token = await cluster.tokenWith(`
    path "transit/encrypt/k" {
      capabilities = ["update"]
      required_parameters = ["encryption_context.tenant"]
      allowed_parameters = {
        "encryption_context" = [{ tenant = "a", "*" = [] }]
        "*" = []
      }
    }`)
  const status = async (body: object) => (await encrypt(cluster, body, token)).status
  const batch = (...contexts: readonly (object | null)[]) => ({
    batch_input: contexts.map((one) => ({ plaintext: HELLO, encryption_context: one })),
  })
  expect(await status({ encryption_context: TENANT })).toBe(200)
  expect(await status(batch({ tenant: 'a' }, TENANT))).toBe(200)
  expect(await status({ encryption_context: { tenant: 'a' }, ...batch(null) })).toBe(200)
  for (const body of [
    {},
    { encryption_context: { tenant: 'b' } },
    { encryption_context: { purpose: 'a' } },
    { encryption_context: null },
    batch({ tenant: 'a' }, { tenant: 'b' }),
    batch({ tenant: 'a' }, null),
    { encryption_context: { tenant: 'a' }, ...batch({ tenant: 'b' }) },
  ]) {
    expect([body, await status(body)]).toEqual([body, 403])
  }
})

test('the audit log shows contexts as they are, and nothing else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keyhold-audit-'))
  const cluster = await startCluster({ auditDirectory: directory })
  onTestFinished(async () => {
    await cluster.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const file = join(directory, 'audit.log')
  await cluster.write('sys/audit/file', { type: 'file', options: { file_path: file } })
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  await cluster.write('sys/mounts/kv', { type: 'kv' })
  await cluster.write('transit/encrypt/k', {
    encryption_context: TENANT,
    associated_data: 'hidden1',
    other: { encryption_context: 'hidden2' },
  })
  await cluster.write('transit/encrypt/k', {
    batch_input: [{ plaintext: HELLO, encryption_context: { tenant: 'batched' } }],
  })
  await cluster.write('transit/encrypt/k', { encryption_context: { tenant: ['hidden3'] } })
  await cluster.write('kv/a', { encryption_context: { tenant: 'hidden4' } })
  const text = readFileSync(file, 'utf8')
  for (const line of text.trim().split('\n')) expect(isJsonObject(parseJson(line))).toBe(true)
  expect(text).toContain('"encryption_context":{"purpose":"invoices","tenant":"a"}')
  expect(text).toContain('"encryption_context":{"tenant":"batched"}')
  expect(text).not.toContain('hidden')
  expect(text).not.toContain(HELLO)
})

const contexts = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 4, unit: 'binary' }),
  fc.string({ maxLength: 4, unit: 'binary' }),
  { minKeys: 1, maxKeys: 4 },
)

test('no two contexts are the same bytes', () => {
  const sorted = (of: object) => JSON.stringify(Object.entries(of).toSorted())
  fc.assert(
    fc.property(contexts, contexts, (one, other) => {
      const same = sorted(one) === sorted(other)
      expect(contextBytes(one, []).equals(contextBytes(other, []))).toBe(same)
    }),
  )
})
