/** `@keyhold/client` against a server process; KEYHOLD_BIN names another server, such as `bao`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, ResponseError } from '../../clients/js/src/main.ts'
import { startDevServer, type RunningServer } from '../support/server-process.ts'

let server: RunningServer
let client: Client

beforeAll(async () => {
  server = await startDevServer()
  client = new Client({ address: server.address, token: server.rootToken })
  await client.write('sys/mounts/kv1', { type: 'kv' })
  await client.write('sys/mounts/transit', { type: 'transit' })
})

afterAll(() => server.stop())

describe('tokens', () => {
  test('a valid one says what it is worth, another one is refused', async () => {
    const other = new Client({ address: server.address })

    expect(await other.auth.token(server.rootToken)).toMatchObject({
      policies: ['root'],
      ttlSeconds: 0,
    })
    await expect(other.auth.token('s.none')).rejects.toMatchObject({ status: 403 })
  })

  test('AppRole logs in, and its token is renewed', async () => {
    await client.write('sys/auth/approle', { type: 'approle' })
    await client.write('auth/approle/role/app', { token_ttl: '1h', token_policies: 'app' })
    const role = await client.read('auth/approle/role/app/role-id')
    const secret = await client.write('auth/approle/role/app/secret-id')
    const app = new Client({ address: server.address })

    const login = await app.auth.approle({
      roleId: String(role?.data['role_id']),
      secretId: String(secret?.data['secret_id']),
    })

    expect(login).toMatchObject({ renewable: true, ttlSeconds: 3600 })
    expect(await app.auth.lookup()).toMatchObject({ policies: ['app', 'default'] })
    expect(await app.auth.renew()).toMatchObject({ ttlSeconds: 3600 })
  })

  test('a token that does not end is kept alive without work', async () => {
    expect(await client.keepAlive().ended).toEqual({ reason: 'endless' })
  })
})

describe('version 1 of the key-value engine', () => {
  test('writes, reads, lists and deletes', async () => {
    const kv = client.kv1('kv1')

    await kv.write('app/one', { password: 's3cr3t', port: 5432 })
    expect(await kv.read('app/one')).toEqual({ password: 's3cr3t', port: 5432 })
    expect(await kv.list()).toEqual(['app/'])
    expect(await kv.list('app')).toEqual(['one'])

    await kv.delete('app/one')
    expect(await kv.read('app/one')).toBeUndefined()
    expect(await kv.list()).toEqual([])
  })
})

describe('version 2 of the key-value engine', () => {
  test('makes versions, if the current one is the one that was meant', async () => {
    const kv = client.kv2()

    expect(await kv.write('cas', { a: 1 }, { cas: 0 })).toMatchObject({ version: 1 })
    await expect(kv.write('cas', { a: 2 }, { cas: 0 })).rejects.toThrow(ResponseError)
    expect(await kv.patch('cas', { b: 2, a: null }, { cas: 1 })).toMatchObject({ version: 2 })

    expect(await kv.read('cas')).toMatchObject({ version: 2, data: { b: 2 } })
    expect(await kv.read('cas', { version: 1 })).toMatchObject({ data: { a: 1 } })
    expect(await kv.list()).toContain('cas')
  })

  test('deletes, brings back and destroys versions', async () => {
    const kv = client.kv2()
    await kv.write('life', { a: 1 })
    await kv.write('life', { a: 2 })

    await kv.delete('life')
    expect(await kv.read('life')).toBeUndefined()
    await kv.undelete('life', [2])
    expect(await kv.read('life')).toMatchObject({ data: { a: 2 } })
    await kv.delete('life', [1])
    await kv.destroy('life', [2])

    const { versions } = (await kv.readMetadata('life')) ?? {}
    expect(versions?.get(1)?.deletionTime).not.toBe('')
    expect(versions?.get(2)?.destroyed).toBe(true)
  })

  test('keeps metadata beside the versions', async () => {
    const kv = client.kv2()
    await kv.write('meta', { a: 1 })

    await kv.writeMetadata('meta', { maxVersions: 3, customMetadata: { owner: 'team' } })

    expect(await kv.readMetadata('meta')).toMatchObject({
      currentVersion: 1,
      maxVersions: 3,
      casRequired: false,
      customMetadata: { owner: 'team' },
    })
    await kv.deleteMetadata('meta')
    expect(await kv.readMetadata('meta')).toBeUndefined()
  })
})

describe('transit', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)

  test('encrypts bytes, decrypts them, and rewraps them with a newer version', async () => {
    const transit = client.transit()
    await client.write('transit/keys/aes')

    const { ciphertext } = await transit.encrypt('aes', bytes)
    await client.write('transit/keys/aes/rotate')
    const rewrapped = await transit.rewrap('aes', ciphertext)

    expect(rewrapped.keyVersion).toBe(2)
    expect(await transit.decrypt('aes', rewrapped.ciphertext)).toEqual(bytes)
  })

  test('binds a ciphertext to its associated data', async () => {
    const transit = client.transit()
    await client.write('transit/keys/bound')
    const associatedData = Buffer.from('row 1')

    const { ciphertext } = await transit.encrypt('bound', bytes, { associatedData })

    expect(await transit.decrypt('bound', ciphertext, { associatedData })).toEqual(bytes)
    await expect(transit.decrypt('bound', ciphertext)).rejects.toMatchObject({ status: 400 })
  })

  test('does batches, and says of each item what became of it', async () => {
    const transit = client.transit()
    await client.write('transit/keys/batch')
    const [one] = await transit.encryptBatch('batch', [{ plaintext: bytes }])
    const ciphertext = one?.isDone ? one.value.ciphertext : ''

    const done = await transit.decryptBatch('batch', [{ ciphertext }, { ciphertext: 'vault:v1:' }])

    expect(done[0]).toEqual({ isDone: true, value: bytes })
    expect(done[1]).toMatchObject({ isDone: false })
    expect(await transit.rewrapBatch('batch', [{ ciphertext }])).toMatchObject([{ isDone: true }])
  })

  test('makes keys for data', async () => {
    const transit = client.transit()
    await client.write('transit/keys/derived', { derived: true })
    const context = Buffer.from('tenant 1')

    const key = await transit.dataKey('derived', { context, bits: 512 })

    expect(key.plaintext).toHaveLength(64)
    expect(await transit.decrypt('derived', key.ciphertext, { context })).toEqual(key.plaintext)
  })

  test('signs and verifies', async () => {
    const transit = client.transit()
    await client.write('transit/keys/signer', { type: 'ecdsa-p256' })
    const options = { hashAlgorithm: 'sha2-512' }

    const signature = await transit.sign('signer', bytes, options)
    const [batched] = await transit.signBatch('signer', [bytes], options)

    expect(await transit.verify('signer', bytes, signature, options)).toBe(true)
    expect(await transit.verify('signer', bytes.subarray(1), signature, options)).toBe(false)
    const items = [
      { input: bytes, signature: batched?.isDone ? batched.value : '' },
      { input: bytes.subarray(1), signature },
    ]
    expect(await transit.verifyBatch('signer', items, options)).toEqual([
      { isDone: true, value: true },
      { isDone: true, value: false },
    ])
  })

  test('makes and verifies HMACs', async () => {
    const transit = client.transit()
    await client.write('transit/keys/mac')

    const hmac = await transit.hmac('mac', bytes, { algorithm: 'sha2-384' })

    expect(await transit.hmacBatch('mac', [bytes], { algorithm: 'sha2-384' })).toEqual([
      { isDone: true, value: hmac },
    ])
    expect(await transit.verifyHmac('mac', bytes, hmac, { algorithm: 'sha2-384' })).toBe(true)
    expect(
      await transit.verifyHmac('mac', bytes.subarray(1), hmac, { algorithm: 'sha2-384' }),
    ).toBe(false)
  })
})
