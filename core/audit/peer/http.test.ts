import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../clock.ts'
import { BadRequest } from '../../errors.ts'
import { testCertificate } from '../../http/testing/certificate.ts'
import { readHttpSink } from './http-options.ts'
import { openPeerDevice } from './open.ts'
import { portOf } from '../../../test/support/free-port.ts'

interface Posted {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A log server; `answer` says the status, `undefined`: none ever comes. */
async function listen(answer: () => number | undefined, tls?: { cert: string; key: string }) {
  const posts: Posted[] = []
  const take = async (request: IncomingMessage) => {
    const { method, url, headers } = request
    posts.push({ method, url, headers, body: await text(request) })
    return answer()
  }
  const listener: RequestListener = (request, response) => {
    void take(request).then((status) => {
      if (status !== undefined) response.writeHead(status).end('canary of the answer')
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { posts, server, port, uri: `http://127.0.0.1:${port}/in?a=b` }
}

function open(options: Record<string, string>, batch = false) {
  const device = openPeerDevice(readHttpSink(options, batch), systemClock)
  onTestFinished(() => device.close())
  return device
}

test('each line is a POST with the headers that were asked for', async () => {
  const { posts, uri } = await listen(() => 204)

  await open({ uri, headers: '{"Authorization":["Bearer x"],"X-A":["1","2"],"X-None":[]}' }).write(
    '{"a":"ä"}\n{"b":2}\n',
  )

  expect(posts.map(({ body }) => body).toSorted()).toEqual(['{"a":"ä"}\n', '{"b":2}\n'])
  expect(posts[0]).toMatchObject({
    method: 'POST',
    url: '/in?a=b',
    headers: { authorization: 'Bearer x', 'x-a': '1, 2', 'content-type': 'application/json' },
  })
})

test('with "batch" all lines of a write are one POST', async () => {
  const { posts, uri } = await listen(() => 200)

  await open({ uri }, true).write('{"a":1}\n{"b":2}\n')

  expect(posts).toMatchObject([
    { body: '{"a":1}\n{"b":2}\n', headers: { 'content-type': 'application/x-ndjson' } },
  ])
})

test('over TLS, to a server of the authority in "ca_cert"', async () => {
  const { cert, key } = testCertificate('localhost')
  const { posts, port } = await listen(() => 200, { cert, key })
  const uri = `https://127.0.0.1:${port}`

  await open({ uri, ca_cert: cert }).write('{"a":1}\n')
  await expect(open({ uri }).write('{"a":1}\n')).rejects.toThrow('certificate is not trusted')

  expect(posts).toHaveLength(1)
})

test.each([302, 400, 503])('an answer of %i is no record, and is not repeated', async (status) => {
  const { uri } = await listen(() => status)

  const written = open({ uri }).write('{"a":1}\n')

  await expect(written).rejects.toThrow(`the log server answers with status ${status}`)
  await expect(written).rejects.toThrow(/^(?!.*canary)/)
})

test('a server that never answers holds a write up for the timeout, and the next one not at all', async () => {
  const { uri } = await listen(() => undefined)
  const device = open({ uri, write_timeout: '200ms' })

  const startedMs = systemClock.monotonicMs()
  await expect(device.write('{"a":1}\n')).rejects.toThrow('within the "write_timeout"')
  await expect(device.write('{"a":1}\n')).rejects.toThrow('within the "write_timeout"')

  expect(systemClock.monotonicMs() - startedMs).toBeLessThan(390)
})

test('a server that closed its connections gets the next line over a new one', async () => {
  const { posts, server, uri } = await listen(() => 200)
  const device = open({ uri })
  await device.write('{"a":1}\n')

  server.closeAllConnections()
  await device.write('{"b":2}\n')

  expect(posts.map(({ body }) => body)).toEqual(['{"a":1}\n', '{"b":2}\n'])
})

test.each([
  { uri: 'canary' },
  { uri: 'ftp://canary/' },
  { uri: 'env://CANARY' },
  { uri: 'file:///etc/canary' },
  { uri: `http://canary/${'a'.repeat(2048)}` },
  ...[
    'canary',
    '["canary"]',
    '{"canary":"x"}',
    '{"canary":[1]}',
    '{"a canary":["x"]}',
    '{"x":["canary\\nx"]}',
    '{"Host":["canary"]}',
    '{"Content-Length":["canary"]}',
    '{"x":["file:///etc/canary"]}',
    '{"x":["ENV://CANARY"]}',
  ].map((headers) => ({ uri: 'http://a/', headers })),
])('%j is refused, and not repeated', (options) => {
  expect(() => readHttpSink(options, false)).toThrow(BadRequest)
  expect(() => readHttpSink(options, false)).toThrow(/^(?!.*canary)/i)
})
