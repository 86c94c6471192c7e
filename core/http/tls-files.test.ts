import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { TLSSocket, type ConnectionOptions } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ListenerRefused } from './listener-refused.ts'
import { testCertificate } from './testing/certificate.ts'
import { raw } from './testing/raw-client.ts'
import { closeListeners, startListener, type TestListener } from './testing/test-listener.ts'
import type { TlsConfig } from './tls-files.ts'

const authority = testCertificate('Authority')
const server = testCertificate('server', authority)
const renewed = testCertificate('renewed', authority)
const alice = testCertificate('alice', authority)
const stranger = testCertificate('stranger')

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tls-'))
  await put('cert', server.cert)
  await put('key', server.key)
  await put('ca', authority.cert)
})
afterEach(async () => {
  await closeListeners()
  await rm(folder, { recursive: true })
})

const at = (name: string) => path.join(folder, name)
const put = (name: string, text: string) => writeFile(at(name), text)
const settings = (change: Partial<TlsConfig> = {}): TlsConfig => ({
  certFile: at('cert'),
  keyFile: at('key'),
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  clientCaFile: undefined,
  requireClientCert: false,
  disableClientCerts: false,
  ciphers: undefined,
  ...change,
})
const start = (change: Partial<TlsConfig> = {}) => startListener({ tls: settings(change) })
async function handshake(listener: TestListener, options: ConnectionOptions = {}) {
  const client = await listener.connect(options)
  const { socket } = client
  if (!(socket instanceof TLSSocket)) throw new Error('no TLS')
  return {
    client,
    socket,
    name: socket.getPeerCertificate().subject.CN,
    protocol: socket.getProtocol(),
  }
}

test('TLS 1.2 and 1.3 are spoken, and nothing older', async () => {
  const listener = await start()
  expect(listener.listener.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  expect((await handshake(listener)).protocol).toBe('TLSv1.3')
  expect((await handshake(listener, { maxVersion: 'TLSv1.2' })).protocol).toBe('TLSv1.2')
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await expect(handshake(listener, old)).rejects.toThrow()
  const { client } = await handshake(listener, {
    ca: authority.cert,
    rejectUnauthorized: true,
    host: '127.0.0.1',
  })
  expect((await client.ask(raw('LIST', '/v1/x')))?.body).toContain('"method":"LIST"')
})

test('the versions can be narrowed', async () => {
  const new_ = await start({ minVersion: 'TLSv1.3' })
  await expect(handshake(new_, { maxVersion: 'TLSv1.2' })).rejects.toThrow()
  const old = await start({ maxVersion: 'TLSv1.2' })
  expect((await handshake(old)).protocol).toBe('TLSv1.2')
})

test('a client certificate arrives whole, whether it is trusted here or not', async () => {
  const listener = await start()
  for (const [identity, length] of [
    [alice, 1],
    [stranger, 1],
  ] as const) {
    const { client } = await handshake(listener, { cert: identity.cert, key: identity.key })
    expect((await client.ask(raw('GET', '/v1/x')))?.body).toContain(`"certificates":${length}`)
  }
  const chain = { cert: alice.cert + authority.cert, key: alice.key }
  const { client } = await handshake(listener, chain)
  expect((await client.ask(raw('GET', '/v1/x')))?.body).toContain('"certificates":2')
})

test('no client certificate, and none asked for, is none', async () => {
  const asked = await handshake(await start())
  expect((await asked.client.ask(raw('GET', '/v1/x')))?.body).not.toContain('certificates')
  const unasked = await handshake(await start({ disableClientCerts: true }), {
    cert: alice.cert,
    key: alice.key,
  })
  expect((await unasked.client.ask(raw('GET', '/v1/x')))?.body).not.toContain('certificates')
})

test('where a client certificate is required, only those of the authority get an answer', async () => {
  const listener = await start({ clientCaFile: at('ca'), requireClientCert: true })
  const ok = await handshake(listener, { cert: alice.cert, key: alice.key })
  expect((await ok.client.ask(raw('GET', '/v1/x')))?.body).toContain('"certificates":2')
  for (const identity of [{}, { cert: stranger.cert, key: stranger.key }]) {
    const { client } = await handshake(listener, identity) // TLS 1.3 tells the client only afterwards
    expect(await client.ask(raw('GET', '/v1/x'))).toBeUndefined()
  }
  expect(listener.reported).toEqual([])
})

test('a reload takes the new certificate for new connections, and keeps the old ones open', async () => {
  const listener = await start()
  const before = await handshake(listener)
  expect(before.name).toBe('server')
  await put('cert', renewed.cert)
  await put('key', renewed.key)
  await listener.listener.reload()
  expect((await handshake(listener)).name).toBe('renewed')
  expect((await before.client.ask(raw('GET', '/v1/x')))?.status).toBe(200)
})

test.each([
  ['a half-written certificate', { cert: server.cert.slice(0, 300) }],
  ['a certificate whose key has not come yet', { cert: renewed.cert }],
  ['an empty key', { key: '' }],
])('a reload with %s is refused and keeps the certificate', async (_name, files) => {
  const listener = await start()
  for (const [name, text] of Object.entries(files)) await put(name, text)
  await expect(listener.listener.reload()).rejects.toBeInstanceOf(ListenerRefused)
  expect((await handshake(listener)).name).toBe('server')
})

test('bytes that are no TLS end their own connection only', async () => {
  const listener = await start()
  for (let i = 0; i < 50; i++) {
    const client = await listener.connect(undefined)
    client.write('GET /v1/x HTTP/1.1\r\n\r\n')
    await client.closed()
  }
  expect((await handshake(listener)).name).toBe('server')
  expect(listener.reported).toEqual([])
})

describe('what cannot be used is refused with what to do', () => {
  const refusal = async (change: Partial<TlsConfig>) => {
    const error: unknown = await start(change).catch((caught: unknown) => caught)
    if (!(error instanceof ListenerRefused)) throw new Error('not refused', { cause: error })
    return `${error.message} | ${error.hint}`.replaceAll(folder, '')
  }

  test('a missing file', async () => {
    expect(await refusal({ certFile: at('no') })).toBe(
      'tls_cert_file: /no does not exist | set tls_cert_file to a PEM file that the server may read',
    )
    expect(await refusal({ keyFile: at('no') })).toContain('tls_key_file: /no does not exist')
    expect(await refusal({ clientCaFile: at('no') })).toContain(
      'tls_client_ca_file: /no does not exist',
    )
    expect(await refusal({ certFile: folder })).toContain('is a folder')
  })

  test('files that hold something else', async () => {
    expect(await refusal({ certFile: at('key') })).toBe(
      'tls_cert_file: /key holds no certificate, or a damaged one | give one or more certificates in PEM (-----BEGIN CERTIFICATE-----)',
    )
    expect(await refusal({ keyFile: at('cert') })).toContain('/cert holds no private key')
    expect(await refusal({ clientCaFile: at('key') })).toContain(
      'tls_client_ca_file: /key holds no certificate',
    )
  })

  test('a key of another certificate', async () => {
    await put('key', renewed.key)
    expect(await refusal({})).toContain(
      'the key in /key does not belong to the first certificate in /cert',
    )
  })

  test('ciphers that do not exist', async () => {
    expect(await refusal({ ciphers: 'NO-SUCH' })).toContain('do not work together')
  })

  test('the text never quotes a file', async () => {
    await put('key', '-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n')
    const error: unknown = await start().catch((caught: unknown) => caught)
    expect(error instanceof Error ? `${error.message} ${String(error.cause)}` : '').not.toContain(
      'CANARY',
    )
  })
})
