/** Signatures, HMACs and CMACs that are none of the key's: for each type of key, alone and beside a good one in a batch. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { objectsOf } from '../../test/support/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { KEY_TYPES } from './key-types.ts'

const INPUT = Buffer.from('the quick brown fox').toString('base64')
const HEAD = 'vault:v1:'
const TYPES = [...KEY_TYPES.values()]
const SIGNING = TYPES.filter(({ signs }) => signs).map(({ name }) => name)
const CMAC = TYPES.filter(({ family }) => family === 'cmac').map(({ name }) => name)

/** RSA keys take a while. */
const KEYS_MS = 60_000

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.write('sys/mounts/transit', { type: 'transit' })
  for (const { name: type } of TYPES) {
    for (const key of [type, `other-${type}`]) {
      await cluster.write(`transit/keys/${key}`, { type, ...(type === 'hmac' && { key_size: 32 }) })
    }
  }
}, KEYS_MS)
afterAll(() => cluster.close())

type Kind = 'signature' | 'hmac' | 'cmac'
const PATHS = { signature: 'sign', hmac: 'hmac', cmac: 'cmac' } as const

async function made(kind: Kind, name: string): Promise<string> {
  const answer = await cluster.write(`transit/${PATHS[kind]}/${name}`, { input: INPUT })
  return String(answer.data[kind])
}

/** What becomes of one: whether it is valid, or what is said; a batch says the same of it, and of a good one beside it that it is valid. */
async function verdict(kind: Kind, name: string, text: string): Promise<unknown> {
  const alone = await cluster.write(`transit/verify/${name}`, { input: INPUT, [kind]: text })
  const items = [text, await made(kind, name)].map((one) => ({ input: INPUT, [kind]: one }))
  const both = await cluster.write(`transit/verify/${name}`, { batch_input: items })
  const [first, second] = objectsOf(both.data['batch_results'])
  expect([both.status, second?.['valid']]).toEqual([200, true])
  expect(first?.['valid'] ?? false).toBe(alone.data['valid'] ?? false)
  expect(first?.['error']).toBe(alone.errors[0])
  expect(alone.status).toBe(alone.errors[0] === undefined ? 200 : 400)
  return alone.errors[0] ?? alone.data['valid']
}

const FORMS = [
  ['vault', 'no prefix'],
  ['vault:v1', 'wrong number of fields'],
  ['vault:vx:AAAA', 'version number could not be decoded'],
  ['vault:v9:AAAA', 'version is too new'],
  ['vault:v-1:AAAA', 'too old'],
  ['vault:v1:!!!', 'base64'],
] as const

const KEYS: readonly (readonly [Kind, string])[] = [
  ...SIGNING.map((name) => ['signature', name] as const),
  ...TYPES.map(({ name }) => ['hmac', name] as const),
  ...CMAC.map((name) => ['cmac', name] as const),
]

describe.each(KEYS)('a %s of %s', (kind, name) => {
  test('is refused for its form', async () => {
    for (const [text, words] of FORMS) expect(await verdict(kind, name, text)).toContain(words)
  })

  test('is not valid where it was altered or cut short, or is of another key', async () => {
    const whole = Buffer.from((await made(kind, name)).slice(HEAD.length), 'base64')
    const last = Buffer.from(whole)
    last[whole.length - 1] = (last.at(-1) ?? 0) ^ 1
    const zeroes = Buffer.alloc(whole.length)
    const longer = Buffer.concat([whole, Buffer.alloc(1)])
    const bad = [last, zeroes, longer, whole.subarray(1), whole.subarray(0, -1), Buffer.alloc(0)]
    for (const bytes of bad) {
      const said = await verdict(kind, name, HEAD + bytes.toString('base64'))
      // What is no DER at all is told apart, as in Vault.
      expect([false, 'supplied signature is invalid']).toContain(said)
    }
    expect(await verdict(kind, name, await made(kind, `other-${name}`))).toBe(false)
  })

  test('is not valid for another version or another message', async () => {
    const key = `versions-${kind}-${name}`
    await cluster.write(`transit/keys/${key}`, {
      type: name,
      ...(name === 'hmac' && { key_size: 32 }),
    })
    const first = await made(kind, key)
    await cluster.write(`transit/keys/${key}/rotate`)
    expect(await verdict(kind, key, first)).toBe(true)
    expect(await verdict(kind, key, first.replace('v1', 'v2'))).toBe(false)
    const other = { input: 'AAAA', [kind]: first }
    expect((await cluster.write(`transit/verify/${key}`, other)).data).toEqual({ valid: false })
    await cluster.write(`transit/keys/${key}/config`, { min_decryption_version: 2 })
    expect(await verdict(kind, key, first)).toContain('too old')
  })
})

test.each(TYPES.filter(({ signs }) => !signs).map(({ name }) => name))(
  'a key of the type %s neither signs nor verifies signatures',
  async (name) => {
    const signature = await made('signature', 'ed25519')
    const signed = await cluster.write(`transit/sign/${name}`, { input: INPUT })
    const verified = await cluster.write(`transit/verify/${name}`, { input: INPUT, signature })
    const words = `key type ${name} does not support`
    expect(signed).toMatchObject({ status: 400, errors: [`${words} signing`] })
    expect(verified).toMatchObject({ status: 400, errors: [`${words} verification`] })
  },
)

test.each(TYPES.filter(({ name }) => !CMAC.includes(name)).map(({ name }) => name))(
  'a key of the type %s makes no CMACs',
  async (name) => {
    const text = { status: 400, errors: [`key type ${name} does not support CMAC`] }
    const cmac = await made('cmac', 'aes128-cmac')
    expect(await cluster.write(`transit/cmac/${name}`, { input: INPUT })).toMatchObject(text)
    expect(await cluster.write(`transit/verify/${name}`, { input: INPUT, cmac })).toMatchObject(
      text,
    )
  },
)
