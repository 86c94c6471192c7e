import { decodeProtectedHeader, decodeJwt } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startCluster, type Answer, type Cluster } from '../../test/support/kit.ts'
import { keysBelow, putPolicy, tokenWith } from '../../test/support/records.ts'

async function start(): Promise<Cluster> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  return cluster
}

const TTL = { 'x-vault-wrap-ttl': '60s' }

async function wrapped(
  cluster: Cluster,
  body: object = { a: 1 },
  headers: object = TTL,
): Promise<string> {
  const answer = await cluster.write('sys/wrapping/wrap', body, { headers: { ...headers } })
  expect(answer.status).toBe(200)
  return infoOf(answer, 'token')
}

function infoOf(answer: Answer, name: string): string {
  return String(Reflect.get(Object(answer.json['wrap_info']), name))
}

const unwrap = (cluster: Cluster, token: string): Promise<Answer> =>
  cluster.write('sys/wrapping/unwrap', {}, { token })
const unwrapByBody = (cluster: Cluster, token: string, by: string): Promise<Answer> =>
  cluster.write('sys/wrapping/unwrap', { token }, { token: by })

const NOT_VALID = { status: 400, errors: ['wrapping token is not valid or does not exist'] }

test('an answer is opened once, and is what it would have been', async () => {
  const cluster = await start()
  const token = await wrapped(cluster, { b: 1, a: { n: '<x>' } })
  const opened = await unwrap(cluster, token)
  expect(opened).toMatchObject({
    status: 200,
    data: { a: { n: '<x>' }, b: 1 },
    json: { wrap_info: null },
  })
  expect(await unwrap(cluster, token)).toMatchObject(NOT_VALID)
  expect(await unwrapByBody(cluster, token, cluster.rootToken)).toMatchObject(NOT_VALID)
})

test.each([
  ['with the wrapping token alone', (cluster: Cluster, token: string) => unwrap(cluster, token)],
  [
    'by another token',
    (cluster: Cluster, token: string) => unwrapByBody(cluster, token, cluster.rootToken),
  ],
])(
  'of 100 that open it at once %s one gets it, the others are told that it is not valid',
  async (_how, open) => {
    const cluster = await start()
    const token = await wrapped(cluster, { secret: 'x' })
    const answers = await Promise.all(Array.from({ length: 100 }, () => open(cluster, token)))
    const winners = answers.filter(({ status }) => status === 200)
    expect(winners).toHaveLength(1)
    expect(winners[0]?.data).toEqual({ secret: 'x' })
    for (const answer of answers) if (answer !== winners[0]) expect(answer).toMatchObject(NOT_VALID)
    expect(cluster.failures).toEqual([])
  },
)

test('lookup shows when and where it was made, and leaves it whole', async () => {
  const cluster = await start()
  const token = await wrapped(cluster)
  for (const by of [null, cluster.rootToken]) {
    const looked = await cluster.write('sys/wrapping/lookup', { token }, { token: by })
    expect(looked.data).toEqual({
      creation_path: 'sys/wrapping/wrap',
      creation_time: '2026-01-01T00:00:00Z',
      creation_ttl: 60,
    })
  }
  expect((await unwrap(cluster, token)).status).toBe(200)
})

test('rewrap gives a new token for the old, which is none any more', async () => {
  const cluster = await start()
  const token = await wrapped(cluster, { secret: 'x' })
  cluster.clock.advance('50s')
  const again = await cluster.write('sys/wrapping/rewrap', { token })
  const next = infoOf(again, 'token')
  expect(again.json['wrap_info']).toMatchObject({ ttl: 60, creation_path: 'sys/wrapping/wrap' })
  expect(await unwrap(cluster, token)).toMatchObject(NOT_VALID)
  cluster.clock.advance('50s')
  expect((await unwrap(cluster, next)).data).toEqual({ secret: 'x' })
})

test('it ends with its time, and then nothing is left of it', async () => {
  const cluster = await start()
  const token = await wrapped(cluster)
  cluster.clock.advance('60s')
  expect(await unwrap(cluster, token)).toMatchObject(NOT_VALID)
  expect((await cluster.write('sys/wrapping/lookup', { token })).status).toBe(400)
  for (const node of cluster.nodes) await node.runDuties()
  expect(await keysBelow(cluster, 'cubbyhole/')).toEqual([])
})

test('what was opened leaves nothing behind', async () => {
  const cluster = await start()
  await unwrap(cluster, await wrapped(cluster))
  await unwrapByBody(cluster, await wrapped(cluster), cluster.rootToken)
  for (const node of cluster.nodes) await node.runDuties()
  expect(await keysBelow(cluster, 'cubbyhole/')).toEqual([])
  expect(await keysBelow(cluster, 'ns/root/token/')).toHaveLength(1)
})

describe('a wrapping token is good for nothing else', () => {
  test.each([
    ['GET', 'auth/token/lookup-self'],
    ['POST', 'auth/token/create'],
    ['POST', 'auth/token/renew-self'],
    ['POST', 'sys/wrapping/wrap'],
    ['GET', 'sys/mounts'],
  ])('%s %s', async (method, path) => {
    const cluster = await start()
    const token = await wrapped(cluster)
    expect((await cluster.request(method, path, { token, headers: TTL })).status).toBe(403)
  })
})

test('a token that is none of wrapping opens nothing', async () => {
  const cluster = await start()
  await putPolicy(cluster, 'u', 'path "sys/wrapping/unwrap" { capabilities = ["update"] }')
  const token = await tokenWith(cluster, ['u'])
  for (const text of [
    token,
    cluster.rootToken,
    'hvs.x',
    'x',
    'ey.x.y',
    'hvb.x',
    `hvs.${'x'.repeat(9000)}`,
  ]) {
    expect(await unwrapByBody(cluster, text, cluster.rootToken)).toMatchObject(NOT_VALID)
  }
  for (const bad of [{ a: 1 }, ['x'], 5]) {
    const answer = await cluster.write('sys/wrapping/unwrap', { token: bad })
    expect(answer.status).toBe(403)
  }
})

describe('the span', () => {
  test.each([
    ['60', 60],
    ['1h', 3600],
    ['1500ms', 2],
    ['10ms', 1],
  ])('%j is %d s', async (ttl, seconds) => {
    const cluster = await start()
    const answer = await cluster.read('auth/token/lookup-self', {
      headers: { 'x-vault-wrap-ttl': ttl },
    })
    expect(answer.json['wrap_info']).toMatchObject({ ttl: seconds })
    expect(answer.json['data']).toBeNull()
    expect(answer.text).not.toContain(cluster.rootToken)
  })

  test.each(['-1', '-1h', 'soon', '1w', '1e3'])('%j is refused', async (ttl) => {
    const cluster = await start()
    const headers = { 'x-vault-wrap-ttl': ttl }
    expect((await cluster.read('auth/token/lookup-self', { headers })).status).toBe(400)
  })
})

test('a wrapped token is alive, and its accessor is told', async () => {
  const cluster = await start()
  const made = await cluster.write('auth/token/create', { ttl: '1h' }, { headers: TTL })
  const opened = await unwrap(cluster, infoOf(made, 'token'))
  expect(infoOf(made, 'wrapped_accessor')).toBe(opened.auth['accessor'])
  const token = String(opened.auth['client_token'])
  expect((await cluster.read('auth/token/lookup-self', { token })).status).toBe(200)
})

test('what fails is not wrapped', async () => {
  const cluster = await start()
  const answer = await cluster.write('auth/token/create', { ttl: 'x' }, { headers: TTL })
  expect(answer).toMatchObject({ status: 400, json: { errors: [expect.any(String)] } })
  expect(await keysBelow(cluster, 'cubbyhole/')).toEqual([])
})

describe('as a JWT', () => {
  const JWT = { ...TTL, 'x-vault-wrap-format': 'jwt' }

  test('the token lies in it, signed, and opens as the token itself does', async () => {
    const cluster = await start()
    const jwt = await wrapped(cluster, { a: 'x' }, JWT)
    expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'ES512', typ: 'JWT' })
    expect(decodeJwt(jwt)).toMatchObject({ type: 'wrapping', exp: 1_767_225_660 })
    expect((await unwrapByBody(cluster, jwt, cluster.rootToken)).data).toEqual({ a: 'x' })
  })

  test('opens what it wraps with itself as the calling token, once', async () => {
    const cluster = await start()
    const jwt = await wrapped(cluster, { a: 'x' }, JWT)
    expect((await unwrap(cluster, jwt)).data).toEqual({ a: 'x' })
    expect(await unwrap(cluster, jwt)).toMatchObject(NOT_VALID)
    expect(await unwrapByBody(cluster, jwt, cluster.rootToken)).toMatchObject(NOT_VALID)
    const { jti } = decodeJwt(await wrapped(cluster, { a: 'y' }, JWT))
    expect((await unwrap(cluster, String(jti))).data).toEqual({ a: 'y' })
  })

  test('opens what it wraps where it is both the calling token and the one asked for', async () => {
    const cluster = await start()
    const jwt = await wrapped(cluster, { a: 'x' }, JWT)
    const { jti } = decodeJwt(jwt)
    const opened = await unwrapByBody(cluster, String(jti), jwt)
    expect(opened.data).toEqual({ a: 'x' })
  })

  test('is looked up and wrapped anew as the calling token', async () => {
    const cluster = await start()
    const jwt = await wrapped(cluster, { a: 'x' }, JWT)
    const looked = await cluster.write('sys/wrapping/lookup', {}, { token: jwt })
    expect(looked.data).toMatchObject({ creation_path: 'sys/wrapping/wrap', creation_ttl: 60 })
    const again = await cluster.write('sys/wrapping/rewrap', {}, { token: jwt })
    expect(again.json['wrap_info']).toMatchObject({ ttl: 60, creation_path: 'sys/wrapping/wrap' })
    expect(await unwrap(cluster, jwt)).toMatchObject(NOT_VALID)
    expect((await unwrap(cluster, infoOf(again, 'token'))).data).toEqual({ a: 'x' })
  })

  test('is no token where it wraps nothing', async () => {
    const cluster = await start()
    const jwt = await wrapped(cluster, { a: 'x' }, JWT)
    for (const path of ['auth/token/lookup-self', 'cubbyhole/response', 'sys/mounts']) {
      expect((await cluster.read(path, { token: jwt })).status).toBe(403)
    }
    expect((await cluster.write('sys/wrapping/wrap', { a: 1 }, { token: jwt })).status).toBe(403)
    expect((await unwrap(cluster, jwt)).status).toBe(200)
  })

  test('ends with its time', async () => {
    const cluster = await start()
    const jwt = await wrapped(cluster, { a: 'x' }, JWT)
    cluster.clock.advance('60s')
    expect(await unwrap(cluster, jwt)).toMatchObject(NOT_VALID)
    expect((await cluster.write('sys/wrapping/lookup', {}, { token: jwt })).status).toBe(400)
  })

  test('another signature is none', async () => {
    const cluster = await start()
    const jwt = await wrapped(cluster, { a: 'x' }, JWT)
    const [head, body, signature = ''] = jwt.split('.')
    const forged = [
      `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${body}.`,
    ]
    for (const one of forged)
      for (const answer of [
        await unwrapByBody(cluster, one, cluster.rootToken),
        await unwrap(cluster, one),
      ])
        expect(answer).toMatchObject(NOT_VALID)
  })
})
