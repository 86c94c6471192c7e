import { execFile } from 'node:child_process'
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { acceptListVerb } from './list-verb.ts'
import { testCertificate } from './testing/certificate.ts'
import { raw, RawClient, turns } from './testing/raw-client.ts'

const BIG_BYTES = 8 << 20
const pem = testCertificate('localhost')

/** Answers `METHOD target [body]`; `?wait=MS` is slow, `/big` is large. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const wait = /wait=(\d+)/.exec(request.url ?? '')?.[1]
  if (wait !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(wait)))
  const text = `${request.method} ${request.url} [${body}]`
  response.end(request.url === '/big' ? Buffer.alloc(BIG_BYTES, 'x') : text)
}

const REQUESTS: readonly (readonly [method: string, target: string, body?: string])[] = [
  ['GET', '/a'],
  ['LIST', '/b?x=1'],
  ['POST', '/c', '{"a":1}'],
  ['LIST', '/d'],
  ['SCAN', '/e'],
  ['LIST', '/f', 'body'],
  ['PUT', '/g', 'LIST /h HTTP/1.1\r\n'],
  ['LIST', '/i'],
]
const ANSWERS = REQUESTS.map(([method, target, body = '']) => `${method} ${target} [${body}]`)
const ALL = REQUESTS.map((request) => raw(...request)).join('')

const servers: (http.Server | https.Server)[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
    await turns(1)
  }
})

describe.each(['http', 'https'] as const)('%s', (scheme) => {
  async function serve(options: http.ServerOptions = {}) {
    const handler = (request: IncomingMessage, response: ServerResponse) =>
      void answer(request, response)
    const server =
      scheme === 'http'
        ? http.createServer(options, handler)
        : https.createServer({ ...options, cert: pem.cert, key: pem.key }, handler)
    acceptListVerb(server)
    servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const open = () => RawClient.open({ port }, scheme === 'https' ? {} : undefined)
    return { server, port, open }
  }
  const open = async (options: http.ServerOptions = {}) => (await serve(options)).open()
  const bodyOf = async (client: RawClient) => (await client.next())?.body

  test('methods take turns on one connection', async () => {
    const client = await open()
    for (const [i, request] of REQUESTS.entries()) {
      expect((await client.ask(raw(...request)))?.body).toBe(ANSWERS[i])
    }
  })

  test('requests that come in one packet are answered in order', async () => {
    const client = await open()
    client.write(ALL)
    for (const expected of ANSWERS) expect(await bodyOf(client)).toBe(expected)
  })

  test('requests that come one byte a packet are answered in order', async () => {
    const client = await open()
    for (const byte of ALL) {
      client.write(byte)
      await turns(2)
    }
    for (const expected of ANSWERS) expect(await bodyOf(client)).toBe(expected)
  })

  test.each(['LIST', 'SCAN', 'HELP'])(
    '%s may be split at every byte, first or after another',
    async (verb) => {
      const { open: connect } = await serve()
      for (const before of ['', raw('GET', '/a')]) {
        const text = before + raw(verb, '/v1/x', 'abc')
        for (let at = 1; at < text.length; at++) {
          const client = await connect()
          client.write(text.slice(0, at))
          await turns()
          client.write(text.slice(at))
          if (before !== '') expect(await bodyOf(client)).toBe('GET /a []')
          expect(await bodyOf(client)).toBe(`${verb} /v1/x [abc]`)
          expect((await client.ask(raw('GET', '/z')))?.body).toBe('GET /z []')
          client.socket.destroy()
        }
      }
    },
  )

  test('a chunked body, and blank lines before the request, are taken', async () => {
    const client = await open()
    const chunked =
      'LIST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
    expect((await client.ask(`\r\n\r\n${chunked}`))?.body).toBe('LIST /a [abc]')
    expect((await client.ask(raw('LIST', '/b')))?.body).toBe('LIST /b []')
  })

  test('a pipelined LIST waits for slow and large answers before it', async () => {
    const client = await open()
    client.write(
      raw('GET', '/a?wait=100') +
        raw('GET', '/big') +
        raw('LIST', '/b?wait=50') +
        raw('LIST', '/c') +
        raw('GET', '/d'),
    )
    expect(await bodyOf(client)).toBe('GET /a?wait=100 []')
    expect(await bodyOf(client)).toHaveLength(BIG_BYTES)
    for (const expected of ['LIST /b?wait=50 []', 'LIST /c []', 'GET /d []']) {
      expect(await bodyOf(client)).toBe(expected)
    }
  })

  test('a LIST that is slower than the keep-alive timeout is not cut off', async () => {
    const client = await open({ keepAliveTimeout: 50, keepAliveTimeoutBuffer: 0 })
    await client.ask(raw('GET', '/a'))
    expect((await client.ask(raw('LIST', '/b?wait=1200')))?.body).toBe('LIST /b?wait=1200 []')
  })

  test.each([
    'PST',
    'LISTEN',
    'LISX',
    'LI',
    'list',
    'SCAM',
    'SCANS',
    'HELPS',
    'HEL',
    'help',
    'XLIST',
    'LIST\t',
  ])('the unknown method %j gets 400', async (method) => {
    const client = await open()
    const answered = await client.ask(raw(method, '/a'))
    expect(answered).toMatchObject({
      status: 400,
      body: '{"errors":["this is not a valid HTTP/1.1 request"]}\n',
    })
    await client.closed()
  })

  test('headers that are too large get 431', async () => {
    const client = await open()
    const answered = await client.ask(raw('LIST', '/a', '', `A: ${'x'.repeat(70_000)}`))
    expect(answered?.status).toBe(431)
    expect(answered?.body).toContain('the request headers are too large')
  })

  test.each(['LI', 'LIS', 'LIST', 'LIST /a HTTP/1.1\r\n'])(
    'after %j and nothing more the connection ends with 408',
    async (part) => {
      const client = await open({
        headersTimeout: 200,
        requestTimeout: 300,
        connectionsCheckingInterval: 50,
      })
      expect((await client.ask(part))?.status).toBe(408)
    },
  )

  test('half of a method and the end of the stream leave no connection', async () => {
    const { server, open: connect } = await serve()
    const client = await connect()
    client.write('LIS')
    await turns()
    client.socket.end()
    await client.closed()
    await turns()
    expect(await promisify(server.getConnections.bind(server))()).toBe(0)
  })

  test.each(['GET', 'LIST'])('%s is answered to a client that ended its side', async (method) => {
    const client = await open()
    client.socket.end(raw(method, '/a'))
    expect(await bodyOf(client)).toBe(`${method} /a []`)
  })

  test('a thousand on one connection leave no listener behind', async () => {
    const { server, open: connect } = await serve()
    const sockets = new Set<Socket>()
    server.on('request', (request: IncomingMessage) => sockets.add(request.socket))
    const client = await connect()
    const count = () =>
      [...sockets].reduce(
        (sum, socket) =>
          sum + socket.eventNames().reduce((n, name) => n + socket.listenerCount(name), 0),
        0,
      )
    await client.ask(raw('LIST', '/a'))
    const first = count()
    for (let i = 0; i < 1_000; i++) {
      const method = i % 3 === 0 ? 'GET' : 'LIST'
      expect((await client.ask(raw(method, '/a')))?.body).toBe(`${method} /a []`)
    }
    expect(sockets.size).toBe(1)
    expect(count()).toBeLessThanOrEqual(first + 1)
  })

  test('an idle connection is closed with the server', async () => {
    const { server, open: connect } = await serve({ keepAliveTimeout: 60_000 })
    const client = await connect()
    await client.ask(raw('LIST', '/a'))
    await turns()
    const closed = once(server, 'close')
    server.close()
    server.closeIdleConnections()
    await closed
    await client.closed()
  })

  test('http.request and curl send it', async () => {
    const { port } = await serve()
    const library = scheme === 'http' ? http : https
    const agent = new library.Agent({ keepAlive: true, maxSockets: 1 })
    for (const method of ['LIST', 'GET', 'LIST']) {
      const request = library.request({
        port,
        host: '127.0.0.1',
        method,
        path: '/r',
        agent,
        rejectUnauthorized: false,
      })
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve).once('error', reject).end()
      })
      let text = ''
      for await (const chunk of response) text += String(chunk)
      expect(text).toBe(`${method} /r []`)
    }
    agent.destroy()
    const url = `${scheme}://127.0.0.1:${port}/r`
    const { stdout } = await promisify(execFile)('curl', [
      '-sk',
      '--http1.1',
      '-X',
      'LIST',
      url,
      url,
      '-d',
      'q',
    ])
    expect(stdout).toBe('LIST /r [q]LIST /r [q]')
  })
})

test('fetch sends it', async () => {
  const server = http.createServer((request, response) => void answer(request, response))
  acceptListVerb(server)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  for (const method of ['LIST', 'GET', 'SCAN']) {
    const response = await fetch(`http://127.0.0.1:${port}/r`, { method })
    expect(await response.text()).toBe(`${method} /r []`)
  }
})
