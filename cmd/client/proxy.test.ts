import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect as connectSocket, type Server as NetServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { testCertificate } from '../../core/http/testing/certificate.ts'
import { connectionFrom } from './connection.ts'
import { readSecret } from './logical.ts'
import { proxySettings } from './proxy.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  return typeof bound === 'object' ? (bound?.port ?? 0) : 0
}

/** Tells what it was asked for, and does it where that is a tunnel. */
async function startProxy() {
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end('{"data":{"via":"proxy"}}')
  })
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`)
    const [host, port] = (request.url ?? '').split(':')
    const target = connectSocket(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(target).pipe(socket)
    })
    target.on('error', () => socket.destroy())
    socket.on('error', () => target.destroy())
  })
  servers.push(proxy)
  return { asked, url: `http://127.0.0.1:${await listen(proxy)}` }
}

function read(address: string, env: Readonly<Record<string, string>>, caBytes?: string) {
  const own = caBytes === undefined ? env : { ...env, VAULT_CACERT_BYTES: caBytes }
  return readSecret(connectionFrom({ address }, own, { token: 't', mode: 'send' }), 'x')
}

test('a server behind plain HTTP is asked through the proxy', async () => {
  const { asked, url } = await startProxy()
  const secret = await read('http://vault.test:8200', { HTTP_PROXY: url })
  expect(secret?.data).toEqual({ via: 'proxy' })
  expect(asked).toEqual(['GET http://vault.test:8200/v1/x'])
})

test('a server behind TLS is reached by a tunnel: the proxy sees nothing, and the certificate is checked', async () => {
  const { asked, url } = await startProxy()
  const authority = testCertificate('ca')
  const { cert, key } = testCertificate('localhost', authority)
  const server = createTlsServer({ cert, key }, (_request, response) => {
    response.end('{"data":{"via":"tunnel"}}')
  })
  servers.push(server)
  const port = await listen(server)
  const env = { VAULT_PROXY_ADDR: url }
  const secret = await read(`https://127.0.0.1:${port}`, env, authority.cert)
  expect(secret?.data).toEqual({ via: 'tunnel' })
  expect(asked).toEqual([`CONNECT 127.0.0.1:${port}`])
  await expect(read(`https://127.0.0.1:${port}`, env)).rejects.toThrow('unknown authority')
})

test.each([
  [{}, undefined],
  [{ HTTP_PROXY: '' }, undefined],
  [
    { VAULT_PROXY_ADDR: 'http://p', HTTP_PROXY: 'http://q' },
    { HTTP_PROXY: 'http://p', HTTPS_PROXY: 'http://p' },
  ],
  [{ BAO_HTTP_PROXY: 'http://p' }, { HTTP_PROXY: 'http://p', HTTPS_PROXY: 'http://p' }],
  [{ https_proxy: 'http://q' }, { HTTPS_PROXY: 'http://q', NO_PROXY: 'localhost,127.0.0.1,::1' }],
  [
    { HTTP_PROXY: 'http://q', no_proxy: 'a.test' },
    { HTTP_PROXY: 'http://q', NO_PROXY: 'localhost,127.0.0.1,::1,a.test' },
  ],
])('the environment %j means %j', (env, settings) => {
  expect(proxySettings(env)).toEqual(settings)
})

test('a proxy for everything is not asked for the own machine', async () => {
  const { asked, url } = await startProxy()
  const server = createServer((_request, response) => response.end('{"data":{"via":"none"}}'))
  servers.push(server)
  const secret = await read(`http://127.0.0.1:${await listen(server)}`, { HTTP_PROXY: url })
  expect([secret?.data, asked]).toEqual([{ via: 'none' }, []])
})
