import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

const PAGE = 'https://console.example'
const CORS = 'sys/config/cors'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const from = (origin: string, method: string, path: string) =>
  cluster.request(method, path, { headers: { origin } })
const preflight = (origin: string, path: string, wanted = 'PUT') =>
  cluster.request('OPTIONS', path, {
    token: null,
    headers: { origin, 'access-control-request-method': wanted },
  })

describe('pages of other origins', () => {
  test('are no matter until some are allowed: no header, nothing refused', async () => {
    const answer = await from(PAGE, 'GET', 'sys/key-status')
    expect(answer.status).toBe(200)
    expect(answer.headers).not.toHaveProperty('Access-Control-Allow-Origin')
    expect((await cluster.read(CORS)).data).toEqual({ enabled: false })
  })

  // The pipeline answers one, the other works while sealed as well.
  describe.each(['sys/key-status', 'sys/seal-status', 'sys/health'])('that ask for %s', (path) => {
    test('are answered where they are allowed', async () => {
      await cluster.write(CORS, { allowed_origins: [PAGE, 'https://b.example'] })
      const answer = await from(PAGE, 'GET', path)
      expect(answer.status).toBe(200)
      expect(answer.headers).toMatchObject({
        'Access-Control-Allow-Origin': PAGE,
        Vary: 'Origin',
      })
      expect(answer.headers).not.toHaveProperty('Access-Control-Allow-Credentials')
    })

    test('are told beforehand what they may send', async () => {
      await cluster.write(CORS, { allowed_origins: PAGE, allowed_headers: 'X-One,X-Vault-Token' })
      const answer = await preflight(PAGE, path)
      expect([answer.status, answer.text]).toEqual([200, ''])
      expect(answer.headers['Access-Control-Allow-Methods']).toContain('PUT')
      const allowed = answer.headers['Access-Control-Allow-Headers']?.split(',') ?? []
      expect(allowed.filter((name) => name === 'X-Vault-Token')).toHaveLength(1)
      expect(allowed).toContain('X-One')
    })

    test('are refused where others are allowed', async () => {
      await cluster.write(CORS, { allowed_origins: PAGE })
      const answers = [
        await from('https://evil.example', 'GET', path),
        await preflight('https://evil.example', path),
      ]
      for (const { status, errors, headers } of answers) {
        expect([status, errors]).toEqual([403, ['origin not allowed']])
        expect(headers).not.toHaveProperty('Access-Control-Allow-Origin')
      }
    })
  })

  test('learn of errors as of answers', async () => {
    await cluster.write(CORS, { allowed_origins: PAGE })
    const answer = await from(PAGE, 'GET', 'sys/policies/acl/none')
    expect([answer.status, answer.headers['Access-Control-Allow-Origin']]).toEqual([404, PAGE])
  })

  test('may be all there are, with credentials if it is wished', async () => {
    await cluster.write(CORS, { allowed_origins: '*', allow_credentials: true })
    const answer = await from('https://any.example', 'GET', 'sys/key-status')
    expect(answer.headers).toMatchObject({
      'Access-Control-Allow-Origin': 'https://any.example',
      'Access-Control-Allow-Credentials': 'true',
    })
  })

  test('use no method but those of the API', async () => {
    await cluster.write(CORS, { allowed_origins: PAGE })
    expect((await preflight(PAGE, 'sys/mounts', 'COPY')).status).toBe(405)
  })

  test('are no matter any more once the setting is removed', async () => {
    await cluster.write(CORS, { allowed_origins: PAGE })
    await cluster.remove(CORS)
    expect((await from('https://evil.example', 'GET', 'sys/key-status')).status).toBe(200)
  })

  test('are let in by no sealed node, and shut out by none', async () => {
    await cluster.write(CORS, { allowed_origins: PAGE })
    await cluster.write('sys/seal')
    const answer = await from('https://evil.example', 'GET', 'sys/seal-status')
    expect(answer.json['sealed']).toBe(true)
    expect(answer.headers).not.toHaveProperty('Access-Control-Allow-Origin')
  })
})

describe('the setting', () => {
  test('is shown with the headers that are always allowed', async () => {
    await cluster.write(CORS, { allowed_origins: 'a,b', allowed_headers: ['X-One'] })
    const { data } = await cluster.read(CORS)
    expect(data).toMatchObject({ enabled: true, allowed_origins: ['a', 'b'] })
    expect(data['allowed_headers']).toEqual(expect.arrayContaining(['X-Vault-Token', 'X-One']))
  })

  const NO_ORIGIN = 'at least one origin or the wildcard must be provided'
  test.each([
    [{}, NO_ORIGIN],
    [{ enable: false }, NO_ORIGIN],
    [
      { allowed_origins: ['*', PAGE] },
      "to allow all origins the '*' must be the only value for allowed_origins",
    ],
  ])('is not made of %j', async (body, text) => {
    const refused = await cluster.write(CORS, body)
    expect([refused.status, refused.errors]).toEqual([400, [`1 error occurred:\n\t* ${text}\n\n`]])
  })

  test.each(['X-A\r\nSet-Cookie: a=b', 'X A', 'X-Ä'])(
    'holds no header %j that could not be sent',
    async (name) => {
      const body = { allowed_origins: PAGE, allowed_headers: [name] }
      expect((await cluster.write(CORS, body)).status).toBe(400)
    },
  )

  test('is for who has sudo', async () => {
    const token = await cluster.tokenWith(
      `path "${CORS}" { capabilities = ["read", "create", "update", "delete"] }`,
    )
    for (const method of ['GET', 'POST', 'DELETE']) {
      const body = { allowed_origins: PAGE }
      expect((await cluster.request(method, CORS, { token, body })).status).toBe(403)
    }
  })
})
