import { describe, expect, test } from 'vitest'
import { createApi } from '../api.ts'
import { FOREIGN_SHARE, startShared, type SharedCluster } from './sharing.fixture.ts'
import { memberOf, parseObject } from '../../test/support/json.ts'

const ATTEMPT = 'sys/generate-root/attempt'
const UPDATE = 'sys/generate-root/update'
const IDLE = { nonce: '', started: false, progress: 0, complete: false, encoded_token: '', otp: '' }

async function begun(body: Record<string, unknown> = {}) {
  const shared = await startShared()
  const { json } = await shared.post(ATTEMPT, body)
  const nonce = String(json['nonce'])
  const give = (key: string | undefined) => shared.post(UPDATE, { key, nonce })
  return { ...shared, nonce, otp: String(json['otp']), json, give }
}

async function works({ cluster }: Pick<SharedCluster, 'cluster'>, token: string): Promise<boolean> {
  return (await cluster.read('auth/token/lookup-self', { token })).status === 200
}

describe('a new root token', () => {
  test('is made by shares that came to different nodes, and only the password reads it', async () => {
    const { cluster, keys, nonce, otp, give, get, post } = await begun()
    expect(otp).toMatch(/^[0-9A-Za-z]{28}$/)
    expect((await give(keys[0])).json).toMatchObject({ nonce, progress: 1, required: 2 })

    const { json } = await give(keys[2])

    expect(json).toMatchObject({ complete: true, progress: 2, otp: '', otp_length: 0 })
    const encoded = String(json['encoded_token'])
    expect(json['encoded_root_token']).toBe(encoded)
    const decoded = await post('sys/decode-token', { encoded_token: encoded, otp })
    const made = String(decoded.data['token'])
    expect(made).toMatch(/^hvs\./)
    const self = await cluster.read('auth/token/lookup-self', { token: made })
    expect(self.data).toMatchObject({ policies: ['root'], path: 'auth/token/root', ttl: 0 })
    expect((await get(ATTEMPT)).json).toMatchObject(IDLE)
    expect(cluster.warnings).toEqual(['core: key shares made a root token'])
    expect(cluster.failures).toEqual([])
  })

  test('takes a password of one’s own, which is not repeated', async () => {
    const otp = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ12'
    const { keys, give, json } = await begun({ otp })
    expect(json['otp']).toBe('')
    await give(keys[0])
    const encoded = Buffer.from(String((await give(keys[1])).json['encoded_token']), 'base64')
    expect(Buffer.from(encoded.map((byte, i) => byte ^ otp.charCodeAt(i))).toString()).toMatch(
      /^hvs\.[0-9A-Za-z]{24}$/,
    )
  })

  test('in the form with a token, is answered in the envelope', async () => {
    const { keys, get, post } = await startShared()
    const idle = await get('sys/generate-root-token/attempt')
    expect(idle.data).toEqual({
      complete: false,
      otp: '',
      otp_length: 28,
      progress: 0,
      required: 2,
      started: false,
    })
    const { data } = await post('sys/generate-root-token/attempt')
    const nonce = data['nonce']
    const given = await post('sys/generate-root-token/update', { key: keys[0], nonce })
    expect(given.data).toMatchObject({ complete: false, encoded_token: '', nonce, progress: 1 })
  })
})

describe('nothing is made', () => {
  test('by a share of nowhere: the progress is 0 again, the attempt goes on, and right shares then make it', async () => {
    const { keys, nonce, give, get } = await begun()
    await give(keys[0])
    const wrong = await give(FOREIGN_SHARE)
    expect([wrong.status, wrong.errors[0]]).toEqual([
      400,
      expect.stringContaining('root generation aborted'),
    ])
    expect((await get(ATTEMPT)).json).toMatchObject({ nonce, started: true, progress: 0 })
    await give(keys[0])
    expect((await give(keys[1])).json['complete']).toBe(true)
  })

  test('by the same share twice, in whatever coding', async () => {
    const { keys, give, get } = await begun()
    await give(keys[0])
    for (const key of [keys[0], Buffer.from(keys[0] ?? '', 'base64').toString('hex')]) {
      const again = await give(key)
      expect([again.status, again.errors]).toEqual([
        400,
        ['given key has already been provided during this generation operation'],
      ])
    }
    expect((await get(ATTEMPT)).json['progress']).toBe(1)
  })

  test.each([
    [{}, "'key' must be specified in request body as JSON"],
    [{ key: 'AAAA' }, 'invalid key: key is shorter than minimum 16 bytes'],
    [{ key: '?' }, "'key' must be a valid hex or base64 string"],
  ])('by %j', async (body, text) => {
    const { nonce, post, get } = await begun()
    const answer = await post(UPDATE, { ...body, nonce })
    expect([answer.status, answer.errors]).toEqual([400, [text]])
    expect((await get(ATTEMPT)).json['progress']).toBe(0)
  })

  test('by shares for another attempt', async () => {
    const { keys, nonce, post, give, remove } = await begun()
    await give(keys[0])
    await remove(ATTEMPT)
    await post(ATTEMPT)
    expect((await give(keys[1])).errors[0]).toContain('incorrect nonce supplied')
    await remove(ATTEMPT)
    const none = await post(UPDATE, { key: keys[1], nonce })
    expect([none.status, none.errors]).toEqual([400, ['no root generation in progress']])
  })

  test.each(['short', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'é'.repeat(28)])(
    'with the password %j',
    async (otp) => {
      const { get, post } = await startShared()
      const answer = await post(ATTEMPT, { otp })
      expect([answer.status, answer.errors]).toEqual([400, ['OTP string has incorrect length']])
      expect((await get(ATTEMPT)).json).toMatchObject(IDLE)
    },
  )

  test('twice, however many shares come at once', async () => {
    const { keys, give, cluster } = await begun()
    const answers = await Promise.all([...keys, ...keys].map((key) => give(key)))
    expect(answers.filter((answer) => answer.json['complete'] === true)).toHaveLength(1)
    expect(cluster.failures).toEqual([])
  })
})

describe('an attempt', () => {
  test('is the only one, until it is cancelled; that forgets its shares', async () => {
    const { keys, give, get, post, remove } = await begun()
    await give(keys[0])
    expect((await post(ATTEMPT)).errors).toEqual([
      'root generation already in progress for this namespace',
    ])
    expect((await remove(ATTEMPT)).status).toBe(204)
    expect((await get(ATTEMPT)).json).toMatchObject(IDLE)
    expect((await post(ATTEMPT)).json).toMatchObject({ started: true, progress: 0 })
  })

  test('that nobody touches for a day is over', async () => {
    const { keys, give, get, cluster } = await begun()
    cluster.clock.advance('23h')
    await give(keys[0])
    cluster.clock.advance('23h')
    expect((await get(ATTEMPT)).json['progress']).toBe(1)
    cluster.clock.advance('1h')
    expect((await get(ATTEMPT)).json).toMatchObject(IDLE)
    expect((await give(keys[1])).errors).toEqual(['no root generation in progress'])
    for (const node of cluster.nodes) await node.runDuties()
    expect(await cluster.storage.get('core/ceremony/generate-root')).toBeUndefined()
  })

  test('ends when the server is sealed, and its record with it', async () => {
    const { keys, give, get, post, cluster, unsealAll } = await begun()
    await give(keys[0])
    expect(await cluster.storage.get('core/ceremony/generate-root')).toBeDefined()
    await post('sys/seal')
    expect(await cluster.storage.get('core/ceremony/generate-root')).toBeUndefined()
    expect([(await get(ATTEMPT)).status, (await get(ATTEMPT)).status]).toEqual([503, 503])
    await unsealAll(keys.slice(0, 2))
    expect((await get(ATTEMPT)).json).toMatchObject(IDLE)
  })

  test('keeps no share in the clear, neither in the storage nor in what a node has read', async () => {
    const { keys, give, get, cluster } = await begun()
    await give(keys[0])
    await get(ATTEMPT)
    const share = Buffer.from(keys[0] ?? '', 'base64')
    const stored = await cluster.storage.get('core/ceremony/generate-root')
    expect(stored?.value.includes(share)).toBe(false)
    for (const node of cluster.nodes) {
      const cached: unknown = node.unsealed.store.cache.get('core/ceremony/generate-root')?.value
      expect(JSON.stringify(cached ?? '')).not.toContain(keys[0])
    }
  })
})

describe('who may', () => {
  test('with a token: who has the right to it, and sudo to begin and to cancel', async () => {
    const { cluster, keys, token, nonce } = await begun()
    await cluster.write(
      'sys/policies/acl/holder',
      { policy: 'path "sys/generate-root/*" { capabilities = ["read", "update", "delete"] }' },
      { token },
    )
    const made = await cluster.write('auth/token/create', { policies: ['holder'] }, { token })
    const as = { token: String(made.auth['client_token']) }
    expect((await cluster.write(ATTEMPT, {}, as)).status).toBe(403)
    expect((await cluster.remove(ATTEMPT, as)).status).toBe(403)
    expect((await cluster.read(ATTEMPT, as)).status).toBe(200)
    expect((await cluster.write(UPDATE, { key: keys[0], nonce }, as)).status).toBe(200)
  })

  test('without one: nobody', async () => {
    const { cluster } = await startShared()
    for (const token of [null, 'bogus']) {
      for (const path of [ATTEMPT, UPDATE, 'sys/generate-root-token/attempt'])
        expect((await cluster.write(path, {}, { token })).status).toBe(403)
      expect((await cluster.read(ATTEMPT, { token })).status).toBe(403)
      expect((await cluster.remove(ATTEMPT, { token })).status).toBe(403)
    }
  })

  test('everybody at a listener that is opened so, and only this there', async () => {
    const { cluster, keys, token } = await startShared()
    const [node] = cluster.nodes
    if (node === undefined) throw new Error('there is no node')
    const app = createApi(node, [], ['disable_unauthed_generate_root_endpoints'])
    const send = async (method: string, path: string, body: unknown = {}) => {
      // As a listener's request has them, the headers are no own property.
      const request = new (class {
        readonly method = method
        readonly path = `/v1/${path}`
        readonly query = new Map()
        readonly body = Buffer.from(method === 'GET' ? '' : JSON.stringify(body))
        readonly client = { address: '192.0.2.1', port: 1 }
        get headers() {
          return {}
        }
      })()
      const { status, body: answer } = await app(request)
      return { status, json: parseObject(String(answer) || '{}') }
    }
    const { json } = await send('PUT', ATTEMPT)
    await send('PUT', UPDATE, { key: keys[0], nonce: json['nonce'] })
    const last = await send('PUT', UPDATE, { key: keys[1], nonce: json['nonce'] })
    expect(last.json['complete']).toBe(true)
    const decoded = await send('POST', 'sys/decode-token', {
      encoded_token: last.json['encoded_token'],
      otp: json['otp'],
    })
    expect(await works({ cluster }, String(memberOf(decoded.json, 'data', 'token')))).toBe(true)
    expect((await send('GET', 'sys/generate-root-token/attempt')).status).toBe(403)
    expect((await send('GET', 'sys/mounts')).status).toBe(403)
    // The next listener is as closed as before, though the node knows the path by now.
    expect((await cluster.read(ATTEMPT, { token: null, node: 0 })).status).toBe(403)
    expect((await cluster.read(ATTEMPT, { token, node: 0 })).status).toBe(200)
  })
})

test.each([
  [{}, "provided 'encoded_token' or 'otp' is empty"],
  [{ encoded_token: 'AAAA' }, "provided 'encoded_token' or 'otp' is empty"],
  [
    { encoded_token: '!!', otp: 'x' },
    "error decoding base64'd token: illegal base64 data at input byte 0",
  ],
  [
    { encoded_token: 'AAAA', otp: 'abcdef' },
    'error xoring token: length of byte slices is not equivalent: 3 != 6',
  ],
])('%j decodes to nothing', async (body, text) => {
  const answer = await (await startShared()).post('sys/decode-token', body)
  expect([answer.status, answer.errors]).toEqual([400, [text]])
})
