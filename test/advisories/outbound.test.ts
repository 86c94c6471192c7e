/** Connections that the server makes: to nobody who cannot show a certificate that is right in every way. */
import { createServer as createHttpsServer } from 'node:https'
import { createServer } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { testCertificate } from '../../core/http/testing/certificate.ts'
import { portOf } from '../support/free-port.ts'
import { startCluster, type Answer, type Cluster } from '../support/kit.ts'

const AUTHORITY = testCertificate('logs')
const SHOWN = {
  'of another authority': testCertificate('localhost', testCertificate('others')),
  'signed by itself': testCertificate('localhost'),
  'for another host': testCertificate('localhost', AUTHORITY, { host: 'other.example' }),
  'that has ended': testCertificate('localhost', AUTHORITY, { validToMs: Date.UTC(2021, 0, 1) }),
  'that is right': testCertificate('localhost', AUTHORITY),
}

/** What each type of device writes to over TLS. */
const DEVICES: Readonly<Record<string, (port: number) => Readonly<Record<string, string>>>> = {
  socket: (port) => ({ address: `127.0.0.1:${port}`, socket_type: 'tls' }),
  syslog: (port) => ({ address: `127.0.0.1:${port}`, socket_type: 'tls' }),
  http: (port) => ({ uri: `https://127.0.0.1:${port}` }),
}

async function listen(type: string, { cert, key }: { cert: string; key: string }) {
  let received = ''
  const server =
    type === 'http'
      ? createHttpsServer({ cert, key }, (request, response) => {
          request.on('data', (bytes: Buffer) => (received += bytes.toString()))
          request.on('end', () => response.end())
        })
      : createServer({ cert, key }, (socket) => {
          socket.on('data', (bytes: Buffer) => (received += bytes.toString()))
          socket.on('error', () => undefined)
        })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  return { port: portOf(server), received: () => received }
}

describe.each(Object.keys(DEVICES))(
  'row 102 (CVE-2021-27400): an audit device of type %s',
  (type) => {
    test.each(Object.entries(SHOWN))(
      'and a log server with a certificate %s',
      async (what, shown) => {
        const { port, received } = await listen(type, shown)
        const cluster = await startCluster()
        onTestFinished(() => cluster.close())
        const options = { ...DEVICES[type]?.(port), ca_cert: AUTHORITY.cert }

        const { status, text } = await cluster.write('sys/audit/peer', { type, options })

        if (what === 'that is right') {
          expect(status).toBe(204)
          return
        }
        expect(status).toBe(400)
        expect(text).toContain('certificate')
        expect(received()).toBe('')
      },
    )
  },
)

/** What engines ask over TLS, each by a write that makes it ask. */
const ENGINES: Readonly<Record<string, (cluster: Cluster, port: number) => Promise<Answer>>> = {
  async ldap(cluster, port) {
    await cluster.write('sys/mounts/ldap', { type: 'ldap' })
    await cluster.write('ldap/config', {
      url: `ldaps://127.0.0.1:${port}`,
      binddn: 'cn=manager',
      bindpass: 'a-password-of-the-manager',
      certificate: AUTHORITY.cert,
    })
    return cluster.write('ldap/rotate-root')
  },
}

describe.each(Object.entries(ENGINES))('row 102 (CVE-2021-27400): the engine %s', (_type, ask) => {
  test.each(Object.entries(SHOWN))(
    'and another system with a certificate %s',
    async (what, shown) => {
      const { port, received } = await listen('tls', shown)
      const cluster = await startCluster()
      onTestFinished(() => cluster.close())

      const answer = ask(cluster, port)

      if (what === 'that is right') {
        await expect.poll(received).toContain('a-password-of-the-manager')
        return
      }
      const { status, text } = await answer
      expect(status).toBe(502)
      expect(text).toMatch(/CERT|ALTNAME|UNABLE_TO_VERIFY/)
      expect(received()).toBe('')
    },
  )
})
