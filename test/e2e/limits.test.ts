/**
 * What bad input gets, down to the bytes of a connection: a clear refusal, and nothing is lost or done by it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type RunningServer } from '../support/server-process.ts'
import { exchangeBytes, openSocket, readToEnd, repliesTo } from './raw-bytes.ts'
import { memberOf } from '../support/json.ts'

const MAX_BODY = 20_000
const SECRET = 'correct-horse'

let server: RunningServer
let token: string

beforeAll(async () => {
  server = await startServer({
    storage: 'sqlite',
    listenerLines: [
      `max_request_size = ${MAX_BODY}`,
      'http_read_header_timeout = "1s"',
      'http_read_timeout = "2s"',
      'max_connections = 600',
    ],
  })
  token = server.rootToken
  await server.api('POST', 'sys/mounts/secret', {
    token,
    body: { type: 'kv', options: { version: '2' } },
  })
  await write('private/key', { data: { value: SECRET } })
})
afterAll(() => server.stop())

function write(path: string, body: unknown) {
  return server.api('POST', `secret/data/${path}`, { token, body })
}

function read(path: string) {
  return server.api('GET', `secret/data/${path}`, { token })
}

/** A request in full. */
function message(
  method: string,
  target: string,
  { headers = '', body = '', as = token }: { headers?: string; body?: string; as?: string } = {},
): string {
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nX-Vault-Token: ${as}\r\n${length}${headers}\r\n${body}`
}

const CLOSE = 'Connection: close\r\n'

async function expectUnharmed(): Promise<void> {
  const kept = await read('private/key')
  expect(kept.json['data']).toMatchObject({
    data: { value: SECRET },
    metadata: { version: 1, destroyed: false },
  })
}

test('a client that passed a rate limit is told so before it has sent its body, and the connection serves on', async () => {
  const limit = { rate: 1, interval: '1h', path: 'secret/data/limited' }
  await server.api('POST', 'sys/quotas/rate-limit/limited', { token, body: limit })
  await read('limited')
  const socket = await openSocket(server.port)
  const answer = new Promise<string>((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')))
  })
  socket.write(
    `POST /v1/secret/data/limited HTTP/1.1\r\nHost: localhost\r\nX-Vault-Token: ${token}\r\nContent-Length: 1000\r\n\r\n`,
  )
  expect(await answer).toMatch(/^HTTP\/1\.1 429 /)
  socket.write('x'.repeat(1000) + message('GET', '/v1/sys/health', { headers: CLOSE }))
  expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 200 /)
  await server.api('DELETE', 'sys/quotas/rate-limit/limited', { token })
})

describe('bodies', () => {
  async function refusedBody(body: string | Buffer): Promise<string> {
    const head = Buffer.from(
      `POST /v1/secret/data/refused HTTP/1.1\r\nHost: localhost\r\nX-Vault-Token: ${token}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n${CLOSE}\r\n`,
    )
    const [reply] = await repliesTo(server.port, Buffer.concat([head, Buffer.from(body)]))
    expect(reply?.status).toBe(400)
    expect((await read('refused')).status).toBe(404)
    const errors = memberOf(JSON.parse(reply?.body ?? ''), 'errors')
    return String(errors)
  }

  test.each([
    ['an object that ends', '{"data":{"value":"hunter2"'],
    ['a member without its value', '{"data": , "x": "hunter2"}'],
    ['text after the object', '{"data":{}} hunter2'],
    ['a word', 'hunter2'],
    ['a single quote', "{'data': 'hunter2'}"],
    ['NaN', '{"data": {"hunter2": NaN}}'],
    ['a comma too many', '{"data":{"hunter2":1},}'],
    ['a control character in a string', '{"data":{"hunter2":"\n"}}'],
  ])('JSON that is none (%s) gets 400 with the place, and never its text', async (_what, body) => {
    const text = await refusedBody(body)
    expect(text).toMatch(/^failed to decode JSON input: line \d+, column \d+: /)
    expect(text).not.toContain('hunter2')
  })

  test.each([
    ['a list', '[1]', 'array'],
    ['a text', '"hunter2"', 'string'],
    ['a number', '17', 'number'],
  ])('JSON that is no object (%s) is named by its kind', async (_what, body, kind) => {
    expect(await refusedBody(body)).toContain(`cannot unmarshal ${kind} into Go value`)
  })

  test('bytes that are no UTF-8', async () => {
    expect(await refusedBody(Buffer.from('{"data":{"a":"\xff"}}', 'latin1'))).toContain(
      'not valid UTF-8',
    )
  })

  test('objects in one another a hundred thousand times', async () => {
    const deep = '['.repeat(9_000) + ']'.repeat(9_000)
    expect(await refusedBody(`{"data":{"a":${deep}}}`)).toMatch(/maximum depth \(max_json_depth/)
  })

  test('a number of ten thousand digits', async () => {
    expect(await refusedBody(`{"data":{"a":${'9'.repeat(10_000)}}}`)).toMatch(/length of a number/)
  })

  test.each([
    ['sys/init', { secret_shares: '1', secret_threshold: 1 }, /secret_shares/],
    ['sys/unseal', { key: 17 }, /key/],
    ['auth/token/create', { num_uses: 'many' }, /field \\"num_uses\\"/],
    ['auth/token/create', { ttl: 'soon' }, /invalid duration; give seconds or/],
    ['auth/token/create', { meta: [1] }, /field \\"meta\\"/],
    ['secret/data/typed', { data: 'text' }, /field \\"data\\"/],
    ['secret/data/typed', { data: {}, options: 7 }, /field \\"options\\"/],
  ])('a wrong type at %s says what would be right', async (path, body, field) => {
    const answer = await server.api('POST', path, { token, body })
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(field)
  })

  test('an unknown field is a warning, and the rest is done', async () => {
    const answer = await server.api('POST', 'auth/token/create', {
      token,
      body: { policies: ['default'], colour: 'blue' },
    })
    expect(answer.status).toBe(200)
    expect(answer.json['warnings']).toEqual([
      'Endpoint ignored these unrecognized parameters: [colour]',
    ])
  })

  test('a body that is too large gets 413, declared or in chunks, and nothing is written', async () => {
    const large = JSON.stringify({ data: { a: 'x'.repeat(MAX_BODY) } })
    const declared = message('POST', '/v1/secret/data/large', { headers: CLOSE, body: large })
    const [first] = await repliesTo(server.port, declared)
    expect(first).toEqual({ status: 413, body: '{"errors":["http: request body too large"]}\n' })

    const chunk = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`
    const chunked = message('POST', '/v1/secret/data/large', {
      headers: `Transfer-Encoding: chunked\r\n${CLOSE}`,
    })
    const [second] = await repliesTo(server.port, chunked + chunk)
    expect(second).toEqual(first)
    expect((await read('large')).status).toBe(404)
  })

  test('a body just within the limit is written', async () => {
    const frame = '{"data":{"a":""}}'.length
    const body = { data: { a: 'x'.repeat(MAX_BODY - frame) } }
    expect((await write('fits', body)).status).toBe(200)
  })
})

describe('slow clients', () => {
  test('headers that do not end are cut off with 408', async () => {
    const socket = await openSocket(server.port)
    socket.write('GET /v1/sys/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    expect(await readToEnd(socket)).toMatch(
      /^HTTP\/1\.1 408 [^]*the request did not arrive in time/,
    )
  })

  test('a body that does not end is cut off with 408, and nothing of it is written', async () => {
    const socket = await openSocket(server.port)
    socket.write(
      message('POST', '/v1/secret/data/slow', { headers: 'Content-Length: 30\r\n' }) +
        '{"data":{"a":1}}',
    )
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 408 /)
    expect((await read('slow')).status).toBe(404)
  })

  test('hundreds of them do not keep others out', async () => {
    const sockets = await Promise.all(Array.from({ length: 500 }, () => openSocket(server.port)))
    for (const socket of sockets) socket.write('GET /v1/sys/health HTTP/1.1\r\n')
    expect((await read('private/key')).status).toBe(200)
    for (const socket of sockets) socket.destroy()
  })

  test('beyond max_connections a connection is closed, and room that is freed is used', async () => {
    const sockets = await Promise.all(Array.from({ length: 600 }, () => openSocket(server.port)))
    const extra = await openSocket(server.port)
    expect(await readToEnd(extra)).toBe('')
    const freed = Promise.all(sockets.map(readToEnd))
    for (const socket of sockets) socket.destroy()
    await freed
    await expectUnharmed()
  })
})

describe('headers', () => {
  test('too long ones get 431', async () => {
    const headers = `X-Long: ${'x'.repeat(70_000)}\r\n`
    const [reply] = await repliesTo(server.port, message('GET', '/v1/sys/health', { headers }))
    expect(reply?.status).toBe(431)
    expect(reply?.body).toContain('the request headers are too large; send fewer or shorter ones')
  })

  test('too many get 431', async () => {
    const headers = Array.from({ length: 2_000 }, (_, i) => `X-${i}: 1\r\n`).join('') + CLOSE
    const [reply] = await repliesTo(server.port, message('GET', '/v1/sys/health', { headers }))
    expect(reply?.status).toBe(431)
  })

  test('a token that is far too long is no token', async () => {
    const as = 'x'.repeat(50_000)
    const [reply] = await repliesTo(
      server.port,
      message('GET', '/v1/secret/data/private/key', { headers: CLOSE, as }),
    )
    expect(reply?.status).toBe(403)
  })

  test('a request without Host is refused', async () => {
    const text = await exchangeBytes(server.port, 'GET /v1/sys/health HTTP/1.1\r\n\r\n')
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('whatever Host says, it leads nowhere else', async () => {
    for (const host of ['evil.example', 'localhost:1', '[::1]', 'a@b', '']) {
      const bytes = `GET /v1/sys/health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
      const [reply] = await repliesTo(server.port, bytes)
      expect(reply?.status, host).toBe(200)
      expect(reply?.body, host).not.toContain('evil')
    }
  })
})

describe('verbs', () => {
  test('LIST and SCAN are verbs, alone and in a pipeline, answered in order', async () => {
    await write('tree/a/b', { data: {} })
    const replies = await repliesTo(
      server.port,
      message('GET', '/v1/sys/health') +
        message('LIST', '/v1/secret/metadata/tree') +
        message('GET', '/v1/secret/data/private/key') +
        message('SCAN', '/v1/secret/metadata/tree') +
        message('GET', '/v1/secret/metadata/tree?list=true') +
        message('POST', '/v1/secret/data/tree/c', { body: '{"data":{}}' }) +
        message('LIST', '/v1/secret/metadata/tree/', { headers: CLOSE }),
    )
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200])
    const keys = (at: number) => memberOf(JSON.parse(replies[at]?.body ?? ''), 'data', 'keys')
    expect([keys(1), keys(3), keys(4), keys(6)]).toEqual([['a/'], ['a/b'], ['a/'], ['a/', 'c']])
    expect(replies[2]?.body).toContain(SECRET)
  })

  test('HEAD of health has a status and no body', async () => {
    const text = await exchangeBytes(
      server.port,
      message('HEAD', '/v1/sys/health', { headers: CLOSE }),
    )
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('')
  })

  test.each(['TRACE', 'CONNECT', 'PROPFIND', 'QUERY', 'M-SEARCH'])(
    '%s is refused, with its token unrepeated',
    async (verb) => {
      const target = verb === 'CONNECT' ? 'localhost:80' : '/v1/secret/data/private/key'
      const text = await exchangeBytes(server.port, message(verb, target, { headers: CLOSE }))
      expect(text).not.toMatch(/^HTTP\/1\.1 2/)
      expect(text).not.toContain(token)
      expect(text).not.toContain(SECRET)
    },
  )

  test.each(['LISTEN', 'L', 'LIS', 'list', 'SCANNER', 'GETX', ''])(
    'the verb "%s" is none',
    async (verb) => {
      const [reply] = await repliesTo(
        server.port,
        message(verb, '/v1/sys/health', { headers: CLOSE }),
      )
      expect(reply?.status).toBe(400)
    },
  )
})

describe('paths', () => {
  const UPS = ['..', '.', '%2e%2e', '%2E%2E', '.%2e', '%2e.', '%2e', '%252e%252e', '..;', '...']
  const UPS_BAD = ['%c0%ae%c0%ae', '%e0%80%ae%e0%80%ae', '%00', '..%00', '%u002e%u002e', '.%0a.']
  const SLASHES = ['/', '//', '%2f', '%2F', '%252f', '\\', '%5c', '%c0%af', '/./', '/;/', '%00/']

  /** From a folder that is allowed to one that is not: 16 names of "up", 11 of "/", before and after. */
  const climbs = [...UPS, ...UPS_BAD].flatMap((up) =>
    SLASHES.flatMap((slash) => [
      `public/${up}${slash}private/key`,
      `public${slash}${up}/private/key`,
      `public/x${slash}${up}${slash}${up}${slash}private/key`,
    ]),
  )

  test(`none of ${climbs.length} ways to write a path leads out of what a policy allows`, async () => {
    const policy =
      'path "secret/+/public/*" { capabilities = ["create","read","update","delete","list","patch"] }'
    await server.api('POST', 'sys/policies/acl/public', { token, body: { policy } })
    const made = await server.api('POST', 'auth/token/create', {
      token,
      body: { policies: ['public'] },
    })
    const as = String(memberOf(made.json, 'auth', 'client_token'))
    const open = message('GET', '/v1/secret/data/public/x', { headers: CLOSE, as })
    expect((await repliesTo(server.port, open))[0]?.status).toBe(404)

    for (const climb of climbs) {
      for (const [verb, engine] of [
        ['GET', 'data'],
        ['DELETE', 'metadata'],
      ] as const) {
        const target = `/v1/secret/${engine}/${climb}`
        const text = await exchangeBytes(server.port, message(verb, target, { headers: CLOSE, as }))
        expect(text, target).toMatch(/^HTTP\/1\.1 (?:400|403|404|204) /)
        expect(text, target).not.toContain(SECRET)
      }
    }
    await expectUnharmed()
  })

  test.each([
    ['/v1/secret/data/../data/private/key', '"." or ".." segment'],
    ['/v1/secret/data/./private/key', '"." or ".." segment'],
    ['/v1/secret//data/private/key', 'empty segment'],
    ['/v1/secret/data/%2e%2e/x', 'relative paths not supported'],
    ['/v1/secret/data/private%2fkey', 'escaped slash (%2F)'],
    ['/v1/secret/data/a%00b', 'control character'],
    ['/v1/secret/data/%ff', 'not valid UTF-8'],
    ['/v1/secret/data/%zz', 'without two hexadecimal digits'],
    ['/v1/secret/data/a\\b', 'backslash; write it as %5C'],
  ])('%s gets 400, also for root, and the text says what would be right', async (target, text) => {
    const [reply] = await repliesTo(server.port, message('GET', target, { headers: CLOSE }))
    expect(reply?.status).toBe(400)
    const errors = memberOf(JSON.parse(reply?.body ?? ''), 'errors')
    expect(String(errors)).toContain(text)
  })

  test('a path that is too long is refused', async () => {
    const target = `/v1/secret/data/${'a'.repeat(3_000)}`
    for (const [verb, body] of [
      ['GET', ''],
      ['POST', '{"data":{}}'],
      ['DELETE', ''],
    ] as const) {
      const [reply] = await repliesTo(server.port, message(verb, target, { headers: CLOSE, body }))
      expect(reply).toEqual({ status: 400, body: '{"errors":["the path is too long"]}\n' })
    }
  })
})

describe('smuggling (CVE-2024-27982)', () => {
  const SMUGGLED = 'secret/data/smuggled'

  /** A request within a request: whoever reads the lengths otherwise than we do would see it. */
  const inner = (): string =>
    message('POST', `/v1/${SMUGGLED}`, { headers: CLOSE, body: '{"data":{}}' })

  const lengths: readonly (readonly [name: string, headers: string, before: string])[] = [
    ['length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['chunks and length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'],
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 4\r\n', ''],
    ['two equal lengths', 'Content-Length: 4\r\nContent-Length: 4\r\n', 'null'],
    ['a list of lengths', 'Content-Length: 4, 4\r\n', 'null'],
    ['a length with a sign', 'Content-Length: +4\r\n', 'null'],
    ['a negative length', 'Content-Length: -1\r\n', ''],
    ['a length in hex', 'Content-Length: 0x4\r\n', 'null'],
    ['a length beyond numbers', 'Content-Length: 99999999999999999999\r\n', ''],
    ['an unknown coding', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
    ['identity', 'Transfer-Encoding: identity\r\nContent-Length: 4\r\n', 'null'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'],
    ['chunked not last', 'Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'],
    ['a blank before the colon', 'Transfer-Encoding : chunked\r\n', '0\r\n\r\n'],
    ['a tab in the name', 'Content-\tLength: 4\r\n', 'null'],
    ['a folded header', 'X-A: b\r\n Content-Length: 4\r\n', ''],
    ['a bare line feed', 'X-A: b\nContent-Length: 4\r\n', 'null'],
    ['a bare carriage return', 'X-A: b\rContent-Length: 4\r\n', 'null'],
    ['NUL in a header', 'X-A: b\0c\r\n', ''],
    ['a chunk without a size', 'Transfer-Encoding: chunked\r\n', '\r\nnull\r\n0\r\n\r\n'],
    ['a chunk size that is none', 'Transfer-Encoding: chunked\r\n', 'zz\r\nnull\r\n0\r\n\r\n'],
    ['a chunk size with a sign', 'Transfer-Encoding: chunked\r\n', '+4\r\nnull\r\n0\r\n\r\n'],
    ['a chunk size in 0x', 'Transfer-Encoding: chunked\r\n', '0x4\r\nnull\r\n0\r\n\r\n'],
    ['a huge chunk size', 'Transfer-Encoding: chunked\r\n', 'fffffffffffffffff\r\nnull\r\n'],
    ['a chunk longer than its size', 'Transfer-Encoding: chunked\r\n', '2\r\nnull\r\n0\r\n\r\n'],
    ['line feeds between chunks', 'Transfer-Encoding: chunked\r\n', '4\nnull\n0\n\n'],
  ]

  test.each(lengths)(
    '%s: refused, and what follows is no request',
    async (_name, headers, body) => {
      const outer = message('POST', '/v1/sys/wrapping/lookup', { headers })
      const text = await exchangeBytes(server.port, outer + body + inner())
      expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
      expect(text).toMatch(/^HTTP\/1\.1 400 /)
      expect((await server.api('GET', SMUGGLED, { token })).status).toBe(404)
    },
  )

  test('where the lengths are right it is one', async () => {
    const target = '/v1/secret/data/pipelined'
    const after = message('POST', target, { headers: CLOSE, body: '{"data":{}}' })
    const chunked = message('POST', '/v1/sys/wrapping/lookup', {
      headers: 'Transfer-Encoding: chunked\r\n',
    })
    const replies = await repliesTo(server.port, `${chunked}4\r\nnull\r\n0\r\n\r\n${after}`)
    expect(replies.map(({ status }) => status)).toEqual([400, 200])
    expect((await read('pipelined')).status).toBe(200)
  })

  test('bytes that are no HTTP at all', async () => {
    for (const bytes of [
      '\r\n\r\n\r\nhello\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01',
      'GET / HTTP/9.9\r\n\r\n',
    ]) {
      expect(await exchangeBytes(server.port, bytes)).toMatch(/^HTTP\/1\.1 400 /)
    }
    await expectUnharmed()
  })
})

test('after all this nothing was logged that is ours, and no secret', () => {
  expect(server.logs()).not.toMatch(/\[ERROR\]/)
  expect(server.logs()).not.toContain(token)
  expect(server.logs()).not.toContain(SECRET)
})
