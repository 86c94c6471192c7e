import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startCluster, type Answer } from '../../test/support/kit.ts'
import { pgpHolder, type PgpHolder } from '../seal/pgp-holder.fixture.ts'
import { startShared } from './sharing.fixture.ts'

let ann: PgpHolder
let bob: PgpHolder
beforeAll(async () => {
  ann = await pgpHolder()
  bob = await pgpHolder()
})

function textsOf({ json }: Pick<Answer, 'json'>, name: string): string[] {
  const texts = json[name]
  return Array.isArray(texts) ? texts.map(String) : []
}

/** What the two holders read: a share each, in hex, as Vault encrypts them. */
async function read(messages: readonly string[]): Promise<string[]> {
  return [await ann.open(messages[0] ?? ''), await bob.open(messages[1] ?? '')]
}

describe('at initialisation', () => {
  async function bare() {
    const cluster = await startCluster({ bare: true })
    onTestFinished(() => cluster.close())
    const init = (body: object) =>
      cluster.write('sys/init', { secret_shares: 2, secret_threshold: 2, ...body }, { token: null })
    return { cluster, init }
  }

  test('each share is readable by its holder alone, and the root token by its owner', async () => {
    const { cluster, init } = await bare()
    const pgp_keys = [ann.publicKey, bob.publicKey]
    const answer = await init({ pgp_keys, root_token_pgp_key: bob.publicKey })
    const messages = textsOf(answer, 'keys_base64')
    expect(textsOf(answer, 'keys')).toEqual(
      messages.map((message) => Buffer.from(message, 'base64').toString('hex')),
    )
    await expect(ann.open(messages[1] ?? '')).rejects.toThrow()
    for (const key of await read(messages))
      await cluster.write('sys/unseal', { key }, { token: null, node: 0 })
    const token = await bob.open(String(answer.json['root_token']))
    const self = await cluster.read('auth/token/lookup-self', { token, node: 0 })
    expect(self.status).toBe(200)
  })

  test('a key that is none makes no server, so that no share is lost', async () => {
    const { cluster, init } = await bare()
    const expired = await pgpHolder({ expired: true })
    const count =
      'invalid seal configuration: count mismatch between number of provided PGP keys and number of shares'
    const cases: [object, string][] = [
      [{ pgp_keys: [ann.publicKey] }, count],
      [{ pgp_keys: [ann.publicKey, 'bad'] }, 'illegal base64 data at input byte 0'],
      [{ pgp_keys: [ann.publicKey, 'AA?A'] }, 'illegal base64 data at input byte 2'],
      [{ pgp_keys: [ann.publicKey, 'AAAA'] }, 'it is no public key that can be encrypted to'],
      [{ pgp_keys: [ann.publicKey, ann.privateKey] }, 'it is a private key'],
      [{ pgp_keys: [ann.publicKey, expired.publicKey] }, 'has not expired'],
      [{ pgp_keys: [ann.publicKey, 'keybase:bob'] }, 'not fetched from keybase'],
      [{ root_token_pgp_key: 'bad' }, 'illegal base64 data at input byte 0'],
    ]
    for (const [body, text] of cases) {
      const answer = await init(body)
      expect([answer.status, answer.errors[0]]).toEqual([400, expect.stringContaining(text)])
      expect(answer.text).not.toContain(ann.privateKey)
    }
    expect((await cluster.read('sys/init', { token: null })).json).toEqual({ initialized: false })
  })
})

describe('a new root token', () => {
  test('is encrypted to the key of who began', async () => {
    const { cluster, keys, post, get } = await startShared()
    const started = await post('sys/generate-root/attempt', { pgp_key: ann.publicKey })
    const { nonce } = started.json
    expect(started.json).toMatchObject({ otp: '', pgp_fingerprint: ann.fingerprint })
    expect((await get('sys/generate-root/attempt')).json['pgp_fingerprint']).toBe(ann.fingerprint)
    await post('sys/generate-root/update', { key: keys[0], nonce })
    const last = await post('sys/generate-root/update', { key: keys[1], nonce })
    const token = await ann.open(String(last.json['encoded_token']))
    expect((await cluster.read('auth/token/lookup-self', { token })).data['policies']).toEqual([
      'root',
    ])
  })

  test('is not begun with a key that is none, or with a password beside it', async () => {
    const { post, get } = await startShared()
    for (const body of [{ pgp_key: 'bad' }, { pgp_key: ann.publicKey, otp: 'x'.repeat(28) }])
      expect((await post('sys/generate-root/attempt', body)).status).toBe(400)
    expect((await get('sys/generate-root/attempt')).json['started']).toBe(false)
  })
})

describe('new shares', () => {
  async function rekeyed(body: object = {}) {
    const shared = await startShared()
    const { keys, post } = shared
    const pgp_keys = [ann.publicKey, bob.publicKey]
    const init = { secret_shares: 2, secret_threshold: 2, pgp_keys, ...body }
    const started = await post('sys/rekey/init', init)
    const { nonce } = started.json
    await post('sys/rekey/update', { key: keys[0], nonce })
    const last = await post('sys/rekey/update', { key: keys[1], nonce })
    return { ...shared, started, last, messages: textsOf(last, 'keys_base64') }
  }
  test('are encrypted each to its holder, and open the server', async () => {
    const { cluster, token, messages, started, last, unsealAll, get } = await rekeyed()
    expect(started.json['pgp_fingerprints']).toEqual([ann.fingerprint, bob.fingerprint])
    expect(last.json).toMatchObject({
      pgp_fingerprints: [ann.fingerprint, bob.fingerprint],
      backup: false,
    })
    for (const node of cluster.nodes) node.close()
    await unsealAll(await read(messages))
    expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(200)
    expect((await get('sys/rekey/backup')).errors).toEqual(['no backed-up keys found'])
  })

  test('are kept, encrypted, where that was asked for, until they are deleted or replaced', async () => {
    const { messages, last, get, remove, post } = await rekeyed({ backup: true })
    const [first = '', second = ''] = messages
    const { data } = await get('sys/rekey/backup')
    expect(data).toMatchObject({
      nonce: last.json['nonce'],
      keys_base64: { [ann.fingerprint]: [first], [bob.fingerprint]: [second] },
    })
    const [key] = await read(messages)
    await post('sys/rekey/init', { secret_shares: 1, secret_threshold: 1 })
    const { nonce } = (await get('sys/rekey/init')).json
    await post('sys/rekey/update', { key, nonce })
    expect((await get('sys/rekey/backup')).status).toBe(200)
    await post('sys/rekey/update', { key: (await read(messages))[1], nonce })
    expect((await get('sys/rekey/backup')).errors).toEqual(['no backed-up keys found'])
    expect((await remove('sys/rekey/backup')).status).toBe(204)
  })

  test('that wait for verification are kept only once they are in force', async () => {
    const { messages, last, get, remove, post } = await rekeyed({
      backup: true,
      require_verification: true,
    })
    expect((await get('sys/rekey/backup')).status).toBe(400)
    const nonce = last.json['verification_nonce']
    for (const key of await read(messages)) await post('sys/rekey/verify', { key, nonce })
    expect((await get('sys/rekey/backup')).data['keys']).toEqual({
      [ann.fingerprint]: [expect.any(String)],
      [bob.fingerprint]: [expect.any(String)],
    })
    await remove('sys/rekey/backup')
    expect((await get('sys/rekey/backup')).status).toBe(400)
  })

  test('need one key each', async () => {
    const { post } = await startShared()
    const pgp_keys = [ann.publicKey]
    const answer = await post('sys/rekey/init', { secret_shares: 2, secret_threshold: 2, pgp_keys })
    expect([answer.status, answer.errors[0]]).toEqual([
      400,
      expect.stringContaining('invalid rekey seal configuration: count mismatch'),
    ])
  })
})
