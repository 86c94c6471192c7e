/** The client against what `fetch` would bring; the real server is asked in `test/conformance/client.test.ts`. */
import { describe, expect, test } from 'vitest'
import { Client, InvalidArgument, NoAnswer, ResponseError, UnexpectedAnswer } from './main.ts'

interface Sent {
  readonly url: string
  readonly init: RequestInit
}

const ADDRESS = 'https://keyhold.example:8200'

function clientOf(
  answers: readonly (Response | Error)[],
  options: { readonly token?: string; readonly namespace?: string } = {},
) {
  const sent: Sent[] = []
  const client = new Client({
    address: ADDRESS,
    ...options,
    fetch: async (url, init) => {
      const answer = answers[sent.length]
      sent.push({ url, init })
      if (answer instanceof Response) return answer
      throw answer ?? new TypeError('nothing more is answered')
    },
  })
  return { client, sent }
}

describe('a request', () => {
  test('carries token and namespace in headers, and escapes its path', async () => {
    const { client, sent } = clientOf([Response.json({ data: {} })], {
      token: 's.abc',
      namespace: 'team',
    })

    await client.read('secret/data/a b/ä?#', { version: '2' })

    expect(sent[0]?.url).toBe(`${ADDRESS}/v1/secret/data/a%20b/%C3%A4%3F%23?version=2`)
    expect(sent[0]?.init.headers).toMatchObject({
      'X-Vault-Token': 's.abc',
      'X-Vault-Namespace': 'team',
    })
  })

  test.each(['../sys/seal', 'secret/./a', 'secret/..'])('is refused for %s', async (path) => {
    const { client, sent } = clientOf([])

    await expect(client.read(path)).rejects.toThrow(InvalidArgument)
    expect(sent).toEqual([])
  })

  test('follows one redirect, with the token', async () => {
    const { client, sent } = clientOf([
      redirectTo('https://other.example/v1/a'),
      Response.json({ data: { a: 1 } }),
    ])

    expect((await client.read('a'))?.data).toEqual({ a: 1 })
    expect(sent.map(({ url }) => url)).toEqual([`${ADDRESS}/v1/a`, 'https://other.example/v1/a'])
  })

  test('never goes from https to http', async () => {
    const { client, sent } = clientOf([redirectTo('http://other.example/v1/a')], { token: 's.abc' })

    await expect(client.read('a')).rejects.toMatchObject({ status: 307 })
    expect(sent).toHaveLength(1)
  })
})

describe('a login', () => {
  const jwt = 'eyJh.eyJz.c2ln'

  test.each([
    {
      method: 'userpass',
      logIn: ({ auth }: Client) => auth.userpass({ username: 'ada', password: 'pw' }, 'staff'),
      path: 'auth/staff/login/ada',
      body: { password: 'pw' },
    },
    {
      method: 'jwt',
      logIn: ({ auth }: Client) => auth.jwt({ jwt, role: 'ci' }),
      path: 'auth/jwt/login',
      body: { jwt, role: 'ci' },
    },
    {
      method: 'kubernetes',
      logIn: ({ auth }: Client) => auth.kubernetes({ jwt, role: 'app' }),
      path: 'auth/kubernetes/login',
      body: { role: 'app', jwt },
    },
  ])('by $method is one request, and the client has its token', async ({ logIn, path, body }) => {
    const auth = { client_token: 's.new', lease_duration: 60, renewable: true, policies: ['app'] }
    const { client, sent } = clientOf([Response.json({ auth }), Response.json({ data: {} })])

    expect(await logIn(client)).toMatchObject({ policies: ['app'], ttlSeconds: 60 })
    await client.read('a')

    expect(sent[0]).toMatchObject({
      url: `${ADDRESS}/v1/${path}`,
      init: { method: 'POST', body: JSON.stringify(body) },
    })
    expect(sent[1]?.init.headers).toMatchObject({ 'X-Vault-Token': 's.new' })
  })
})

describe('an error', () => {
  test('of the server has its status and texts', async () => {
    const { client } = clientOf([Response.json({ errors: ['permission denied'] }, { status: 403 })])

    const failure = await client
      .write('secret/data/a', { data: {} })
      .catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(ResponseError)
    expect(failure).toMatchObject({
      status: 403,
      errors: ['permission denied'],
      message: 'POST secret/data/a: status 403: permission denied',
    })
  })

  test('of the way there says why no answer came', async () => {
    const cause = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
    const { client } = clientOf([cause])

    await expect(client.read('a')).rejects.toThrow(new NoAnswer('GET a', cause))
    expect(new NoAnswer('GET a', cause).message).toContain('ECONNREFUSED')
  })

  test('tells of a page that is no answer', async () => {
    const { client } = clientOf([new Response('<html>')])

    await expect(client.read('a')).rejects.toThrow(UnexpectedAnswer)
  })
})

test('the token stands nowhere in what a log would show of a client', () => {
  const { client } = clientOf([], { token: 's.secret' })

  expect(JSON.stringify(client)).not.toContain('s.secret')
  expect(Object.values(client).join()).not.toContain('s.secret')
})

test('an address that is none is refused', () => {
  expect(() => new Client({ address: 'keyhold:8200' })).toThrow(InvalidArgument)
})

test('a batch of which an item failed tells so of that item alone', async () => {
  const results = [{ ciphertext: 'vault:v1:x', key_version: 1 }, { error: 'illegal base64' }]
  const body = { data: { batch_results: results } }
  const { client } = clientOf([Response.json(body, { status: 400 })])
  const plaintext = Buffer.from('a')

  expect(await client.transit().encryptBatch('k', [{ plaintext }, { plaintext }])).toEqual([
    { isDone: true, value: { ciphertext: 'vault:v1:x', keyVersion: 1 } },
    { isDone: false, error: 'illegal base64' },
  ])
})

function redirectTo(location: string): Response {
  return new Response(null, { status: 307, headers: { location } })
}
