import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { RequestError } from '../errors.ts'
import { MAX_HEADERS, RequestTimedOut } from './exchange.ts'
import { DEFAULT_LIMITS, type ListenerConfig } from './listener.ts'
import { parseRanges } from './client-address.ts'
import type { App, HttpRequest, HttpResponse } from './message.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { raw, turns, type RawAnswer } from './testing/raw-client.ts'
import { closeListeners, echo, startListener } from './testing/test-listener.ts'
import { memberOf } from '../../test/support/json.ts'

afterEach(closeListeners)

const errorsOf = (answer: RawAnswer | undefined) =>
  memberOf(JSON.parse(answer?.body ?? 'null'), 'errors')
const OK: HttpResponse = { status: 200, headers: {}, body: '{}' }
const SMALL = { ...DEFAULT_LIMITS, maxRequestBytes: 1_000 }

/** An application whose answer the test gives. */
function gate() {
  const requests: HttpRequest[] = []
  const answers: ((response: HttpResponse) => void)[] = []
  let arrived: () => void = () => undefined
  const app: App = (request) =>
    new Promise((resolve) => {
      requests.push(request)
      answers.push(resolve)
      arrived()
    })
  const waiting = async (count: number) => {
    while (requests.length < count) await new Promise<void>((resolve) => (arrived = resolve))
  }
  return { app, requests, answers, waiting }
}

describe.each([
  ['straight to the application', false],
  ['through Hono', true],
] as const)('%s', (_name, viaHono) => {
  const start = (change: Partial<ListenerConfig> = {}, app: App = echo, clock?: ManualClock) =>
    startListener({ viaHono, ...change }, app, clock)

  test('a request reaches the application as it is meant', async () => {
    const client = await (await start()).connect()
    const answer = await client.ask(
      raw(
        'POST',
        '/v1/kv/%C3%BC?a=1+2&a=3',
        '{"x":1}',
        'X-Vault-Token: t',
        'Content-Type: text/plain',
      ),
    )
    expect(JSON.parse(answer?.body ?? '')).toEqual({
      method: 'POST',
      path: '/v1/kv/ü',
      query: { a: ['1 2', '3'] },
      token: 't',
      body: '{"x":1}',
      address: '127.0.0.1',
    })
  })

  test.each(['GET', 'LIST', 'SCAN', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])(
    '%s arrives',
    async (method) => {
      const methods: string[] = []
      const { connect } = await start({}, (request) => {
        methods.push(request.method)
        return Promise.resolve({ status: 204, headers: {}, body: '' })
      })
      expect((await (await connect()).ask(raw(method, '/v1/x')))?.status).toBe(204)
      expect(methods).toEqual([method])
    },
  )

  test('row 105 (CVE-2021-38554): answers carry the headers that every answer has, no-store among them', async () => {
    const { connect } = await start({}, () =>
      Promise.resolve({ ...OK, headers: { 'X-Vault-Namespace': 'a/' } }),
    )
    const answer = await (await connect()).ask(raw('GET', '/v1/x'))
    expect(Object.fromEntries(answer?.headers ?? [])).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'content-length': '2',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-vault-namespace': 'a/',
    })
  })

  test.each([
    ['/', '404 page not found\n', 'text/plain; charset=utf-8'],
    ['/robots.txt', '404 page not found\n', 'text/plain; charset=utf-8'],
    ['/v1', '{"errors":[]}\n', 'application/json'],
    ['/v2/sys/health', '{"errors":[]}\n', 'application/json'],
    ['/foo', '{"errors":[]}\n', 'application/json'],
  ])('%s is not part of the API', async (target, body, type) => {
    const client = await (await start()).connect()
    const answer = await client.ask(raw('GET', target))
    expect(answer).toMatchObject({ status: 404, body })
    expect(answer?.headers.get('content-type')).toBe(type)
    expect(answer?.headers.get('cache-control')).toBe('no-store')
  })

  test('the canonical path decides what is part of the API', async () => {
    const client = await (await start()).connect()
    expect((await client.ask(raw('GET', '/%761/x')))?.body).toContain('"path":"/v1/x"')
  })

  test.each([
    ['/v1/secret/%2e%2e/x', 'relative paths not supported'],
    [
      '/v1/secret/../x',
      'the path holds a "." or ".." segment; send the path that is meant, without it',
    ],
    ['/v1//x', 'the path holds an empty segment ("//"); write one "/" between names'],
    ['/v1/%ff', 'the path is not valid UTF-8; escape the bytes of UTF-8 text'],
    [
      '/v1/\xfc',
      'the path holds bytes that must be escaped (%XX), such as those of letters beyond ASCII',
    ],
    ['/v1/%00', 'the path holds a control character or another that does not print; leave it out'],
    [
      '/foo/../v1/sys/health',
      'the path holds a "." or ".." segment; send the path that is meant, without it',
    ],
  ])('the target %j is refused before the application sees it', async (target, text) => {
    let seen = 0
    const { connect } = await start({}, () => Promise.resolve({ ...OK, body: String(++seen) }))
    const client = await connect()
    client.write(Buffer.from(raw('GET', target), 'latin1'))
    const answer = await client.next()
    expect(answer?.status).toBe(400)
    expect(errorsOf(answer)).toEqual([text])
    expect(seen).toBe(0)
  })

  test('a body that declares itself too large is refused unread', async () => {
    const client = await (await start({ limits: SMALL })).connect()
    client.write('POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n')
    const answer = await client.next()
    expect(answer?.status).toBe(413)
    expect(errorsOf(answer)).toEqual(['http: request body too large'])
  })

  test('row 61 (CVE-2023-6337, CVE-2025-59139): a chunked body is refused once it passes the limit', async () => {
    const { connect } = await start({ limits: SMALL })
    const client = await connect()
    client.write('POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    const chunk = `1f4\r\n${'x'.repeat(500)}\r\n`
    client.write(chunk + chunk)
    await turns()
    client.write(chunk)
    expect((await client.next())?.status).toBe(413)
    client.write(`${chunk}0\r\n\r\n`)
    expect((await client.ask(raw('GET', '/v1/y')))?.status).toBe(200)
  })

  test('a body of exactly the limit is taken', async () => {
    const client = await (await start({ limits: SMALL })).connect()
    const answer = await client.ask(raw('POST', '/v1/x', 'x'.repeat(1_000)))
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ body: 1_000 })
  })

  test('with Expect: 100-continue a body is asked for only if it is small enough', async () => {
    const { connect } = await start({ limits: SMALL })
    const large = await connect()
    const head = (bytes: number) =>
      `POST /v1/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${bytes}\r\n\r\n`
    expect((await large.ask(head(1_001)))?.status).toBe(413)
    const small = await connect()
    expect((await small.ask(head(3)))?.status).toBe(100)
    expect((await small.ask('abc'))?.body).toContain('"body":"abc"')
  })

  test('too many headers get 431, as many as are allowed arrive', async () => {
    const headers = (count: number) => Array.from({ length: count }, (_, i) => `A${i}: x`)
    const client = await (await start()).connect()
    expect((await client.ask(raw('GET', '/v1/x', '', ...headers(MAX_HEADERS - 1))))?.status).toBe(
      200,
    )
    const answer = await client.ask(raw('GET', '/v1/x', '', ...headers(MAX_HEADERS)))
    expect(answer?.status).toBe(431)
    expect(errorsOf(answer)).toEqual([`too many request headers; at most ${MAX_HEADERS} are taken`])
  })

  test('headers that are too long get 431 with a text', async () => {
    const client = await (await start()).connect()
    const answer = await client.ask(raw('GET', '/v1/x', '', `A: ${'x'.repeat(70_000)}`))
    expect(answer?.status).toBe(431)
    expect(errorsOf(answer)).toEqual([
      'the request headers are too large; send fewer or shorter ones',
    ])
  })

  test('a body that does not arrive in time ends with 408', async () => {
    const limits = { ...DEFAULT_LIMITS, readHeaderSeconds: 0.1, readSeconds: 0.2 }
    const client = await (await start({ limits })).connect()
    const answer = await client.ask(
      'POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc',
    )
    expect(answer?.status).toBe(408)
    expect(errorsOf(answer)).toEqual(['the request did not arrive in time'])
    await client.closed()
  })

  test('a request whose time is over is aborted, and its own answer is sent', async () => {
    const clock = new ManualClock()
    const { app, requests, answers, waiting } = gate()
    const client = await (await start({}, app, clock)).connect()
    client.write(raw('GET', '/v1/x'))
    await waiting(1)
    const signal = requests[0]?.signal
    clock.advance(89_000)
    expect(signal?.aborted).toBe(false)
    clock.advance(1_000)
    expect(signal?.reason).toBeInstanceOf(RequestTimedOut)
    answers[0]?.({ ...OK, status: 500 })
    expect((await client.next())?.status).toBe(500)
  })

  test('a request that does not heed that is answered with 503', async () => {
    const clock = new ManualClock()
    const { app, answers, waiting } = gate()
    const { connect } = await start({}, app, clock)
    const client = await connect()
    client.write(raw('GET', '/v1/x'))
    await waiting(1)
    clock.advance(93_000)
    const answer = await client.next()
    expect(answer?.status).toBe(503)
    expect(String(errorsOf(answer))).toContain('max_request_duration')
    answers[0]?.(OK)
    client.write(raw('GET', '/v1/y'))
    await waiting(2)
    answers[1]?.({ ...OK, body: '{"y":1}' })
    expect((await client.next())?.body).toBe('{"y":1}')
  })

  test('a client that hangs up aborts its request', async () => {
    const { app, requests, answers, waiting } = gate()
    const { connect, reported } = await start({}, app)
    const client = await connect()
    client.write(raw('GET', '/v1/x'))
    await waiting(1)
    const signal = requests[0]?.signal
    const aborted = signal === undefined ? undefined : once(signal, 'abort')
    client.socket.destroy()
    await aborted
    expect(signal?.reason).toMatchObject({ name: 'ClientGone' })
    answers[0]?.(OK)
    await turns()
    expect(reported).toEqual([])
  })

  test('a client that hangs up in the middle of its body is forgotten', async () => {
    const { connect, reported } = await start()
    const client = await connect()
    client.write('POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc')
    await turns()
    client.socket.destroy()
    await client.closed()
    await turns()
    expect((await (await connect()).ask(raw('GET', '/v1/x')))?.status).toBe(200)
    expect(reported).toEqual([])
  })

  test('a bug of the application is reported, and the client learns nothing of it', async () => {
    const bug = new Error('CANARY')
    const { connect, reported } = await start({}, () => Promise.reject(bug))
    const answer = await (await connect()).ask(raw('GET', '/v1/x'))
    expect(answer).toMatchObject({ status: 500, body: '{"errors":["internal error"]}\n' })
    expect(reported).toEqual([bug])
  })

  test('an error for the client is rendered with its headers', async () => {
    const error = new RequestError(429, 'slow down', { headers: { 'Retry-After': '3' } })
    const { connect, reported } = await start({}, () => Promise.reject(error))
    const answer = await (await connect()).ask(raw('GET', '/v1/x'))
    expect(answer).toMatchObject({ status: 429, body: '{"errors":["slow down"]}\n' })
    expect(answer?.headers.get('retry-after')).toBe('3')
    expect(reported).toEqual([])
  })

  test('an answer that cannot be sent becomes 500 and is reported', async () => {
    const { connect, reported } = await start({}, () =>
      Promise.resolve({ ...OK, headers: { 'X-A': 'a\nb' } }),
    )
    const answer = await (await connect()).ask(raw('GET', '/v1/x'))
    expect(answer).toMatchObject({ status: 500, body: '{"errors":["internal error"]}\n' })
    expect(reported).toHaveLength(1)
  })

  test('stopping lets a running request finish and closes its connection', async () => {
    const { app, answers, waiting } = gate()
    const { listener, connect } = await start({}, app)
    const idle = await connect()
    const busy = await connect()
    busy.write(raw('LIST', '/v1/x'))
    await waiting(1)
    const stopped = listener.stop(60_000)
    await idle.closed()
    answers[0]?.(OK)
    const answer = await busy.next()
    expect(answer?.status).toBe(200)
    expect(answer?.headers.get('connection')).toBe('close')
    await stopped
    await expect(connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('stopping cuts off what does not finish in time, and says so to the request', async () => {
    const clock = new ManualClock()
    const { app, requests, waiting } = gate()
    const { listener, connect } = await start({}, app, clock)
    const busy = await connect()
    const half = await connect()
    half.write('GET /v1/')
    busy.write(raw('GET', '/v1/x'))
    await waiting(1)
    const signal = requests[0]?.signal
    const stopped = listener.stop(5_000)
    clock.advance(5_000)
    await stopped
    expect(signal?.aborted).toBe(true)
    await busy.closed()
    await half.closed()
  })

  test('a trusted proxy names the client; others are refused', async () => {
    const ranges = parseRanges(['127.0.0.0/8'])
    if ('invalid' in ranges) throw new Error('unreachable')
    const rules = {
      authorized: ranges.list,
      hopSkips: 0,
      rejectNotAuthorized: true,
      rejectNotPresent: true,
    }
    const client = await (await start({ forwardedFor: rules })).connect()
    const answer = await client.ask(
      raw('GET', '/v1/x', '', 'X-Forwarded-For: 9.9.9.9', 'X-Forwarded-For: 192.0.2.7'),
    )
    expect(answer?.body).toContain('"address":"192.0.2.7"')
    const refused = await client.ask(raw('GET', '/v1/x'))
    expect(refused?.status).toBe(400)
    expect(String(errorsOf(refused))).toContain('missing X-Forwarded-For header')
  })

  test('without rules for proxies X-Forwarded-For means nothing', async () => {
    const client = await (await start()).connect()
    expect((await client.ask(raw('GET', '/v1/x', '', 'X-Forwarded-For: 9.9.9.9')))?.body).toContain(
      '"127.0.0.1"',
    )
  })
})

test('beyond the most connections a further one is closed at once', async () => {
  const { connect } = await startListener({ limits: { ...DEFAULT_LIMITS, maxConnections: 1 } })
  const first = await connect()
  await first.ask(raw('GET', '/v1/x'))
  const second = await connect()
  await second.closed()
  expect((await first.ask(raw('GET', '/v1/x')))?.status).toBe(200)
})

test.each(['Host: a\r\nHost: b', 'Host: a\r\nX-A: 1\r\nhost: a', 'HOST: a\r\nhOsT: a\r\nHost: b'])(
  'a request with several hosts is refused: %j',
  async (headers) => {
    const client = await (await startListener()).connect()
    const refused = await client.ask(`GET /v1/x HTTP/1.1\r\n${headers}\r\n\r\n`)
    expect(refused?.status).toBe(400)
    expect(errorsOf(refused)).toEqual(['the request has several Host headers; it must have one'])
    expect((await client.ask(raw('GET', '/v1/x', '', 'X-Host: b')))?.status).toBe(200)
  },
)

test('row 64 (CVE-2024-6468, CVE-2024-32652): whatever bytes clients send, the listener goes on', async () => {
  const { connect, reported } = await startListener()
  const garbage = [
    '\0\0\0',
    '\x16\x03\x01\x02\x00\x01\x00',
    'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /v1/x HTTP/1.1\r\n\r\n',
    'GET /v1/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /v1/x HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ]
  for (const bytes of garbage) {
    const client = await connect()
    client.write(bytes)
    client.socket.end()
    await client.closed()
  }
  for (const host of ['', '[', 'a b', 'x:99999', '\xff', '..']) {
    const client = await connect()
    client.socket.end(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    await client.closed()
  }
  expect((await (await connect()).ask(raw('GET', '/v1/x')))?.status).toBe(200)
  expect(reported).toEqual([])
})
