import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { systemClock, type Clock } from '../../clock.ts'
import { BadRequest } from '../../errors.ts'
import { testCertificate } from '../../http/testing/certificate.ts'
import { openPeerDevice } from './open.ts'
import { readSyslogSink } from './syslog.ts'
import { portOf } from '../../../test/support/free-port.ts'

const clock: Clock = { ...systemClock, nowMs: () => new Date(2026, 0, 2, 3, 4, 5).getTime() }

/** HEADER SP STRUCTURED-DATA SP MSG of RFC 5424, 6; the only data that is sent is none. */
const RFC_5424 =
  /^<(?<priority>\d{1,3})>1 (?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) (?<host>[!-~]{1,255}) (?<app>[!-~]{1,48}) (?<process>[!-~]{1,128}) (?<id>[!-~]{1,32}) - (?<message>.*)$/su

/** The messages of a stream with octet counting (RFC 6587, 3.4.1). @throws the stream is not one */
function counted(stream: Buffer): readonly string[] {
  const messages: string[] = []
  for (let rest = stream; rest.length > 0;) {
    const [head = '', digits = ''] = /^([1-9]\d*) /.exec(rest.toString('latin1')) ?? []
    if (head === '') throw new Error('a message does not begin with its length')
    const end = head.length + Number(digits)
    messages.push(rest.subarray(head.length, end).toString())
    rest = rest.subarray(end)
  }
  return messages
}

const parts = (message: string) => RFC_5424.exec(message)?.groups

function open(options: Record<string, string>) {
  const sink = readSyslogSink(options)
  const device = openPeerDevice(sink, clock)
  onTestFinished(() => device.close())
  return device
}

async function listenUdp() {
  const socket = createSocket('udp4')
  const received: string[] = []
  socket.on('message', (bytes) => received.push(bytes.toString()))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    socket.close()
  })
  return { received, address: `127.0.0.1:${socket.address().port}` }
}

async function listenStream(path?: string, tls?: { cert: string; key: string }) {
  let received = Buffer.alloc(0)
  const take = (socket: NodeJS.ReadableStream) =>
    socket.on('data', (bytes: Buffer) => (received = Buffer.concat([received, bytes])))
  const server = tls === undefined ? createServer(take) : createTlsServer(tls, take)
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(path, resolve)
  })
  onTestFinished(() => {
    server.close()
  })
  const port = path === undefined ? portOf(server) : 0
  return { received: () => received, address: path ?? `127.0.0.1:${port}` }
}

describe('RFC 5424', () => {
  test('over UDP each line is a message, of the facility AUTH and the tag vault', async () => {
    const { received, address } = await listenUdp()

    await open({ address }).write('{"a":1}\n{"b":2}\n')

    await vi.waitFor(() => expect(received).toHaveLength(2))
    expect(parts(received[0] ?? '')).toEqual({
      priority: '38',
      time: expect.stringMatching(/^2026-01-0/) as unknown,
      host: hostname(),
      app: 'vault',
      process: String(process.pid),
      id: 'audit',
      message: '{"a":1}',
    })
    expect(parts(received[1] ?? '')).toMatchObject({ message: '{"b":2}' })
  })

  test('over TCP each message follows its length in bytes', async () => {
    const { received, address } = await listenStream()

    const options = { address, socket_type: 'tcp', facility: 'local3', tag: 'keyhold' }
    await open(options).write('{"a":"ä€"}\n{"b":2}\n')

    await vi.waitFor(() => expect(counted(received())).toHaveLength(2))
    expect(counted(received()).map(parts)).toMatchObject([
      { priority: '158', app: 'keyhold', message: '{"a":"ä€"}' },
      { message: '{"b":2}' },
    ])
  })

  test('over TLS too', async () => {
    const { cert, key } = testCertificate('localhost')
    const { received, address } = await listenStream(undefined, { cert, key })

    await open({ address, socket_type: 'tls', ca_cert: cert }).write('{"a":1}\n')

    await vi.waitFor(() =>
      expect(counted(received()).map(parts)).toMatchObject([{ message: '{"a":1}' }]),
    )
  })
})

describe('RFC 3164', () => {
  test('over UDP: local time, host, tag and process', async () => {
    const { received, address } = await listenUdp()

    await open({ address, syslog_format: 'rfc3164' }).write('{"a":1}\n')

    await vi.waitFor(() =>
      expect(received).toEqual([
        `<38>Jan  2 03:04:05 ${hostname()} vault[${process.pid}]: {"a":1}`,
      ]),
    )
  })

  test('over a unix socket: no host, and a newline behind each', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'audit-syslog-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const { received, address } = await listenStream(join(directory, 'log'))

    await open({ address, socket_type: 'unix' }).write('{"a":1}\n{"b":2}\n')

    const head = `<38>Jan  2 03:04:05 vault[${process.pid}]: `
    await vi.waitFor(() => expect(received().toString()).toBe(`${head}{"a":1}\n${head}{"b":2}\n`))
  })
})

test('without an address it is the socket of this machine', () => {
  expect(readSyslogSink({})).toMatchObject({
    address: { kind: 'unix', path: '/dev/log' },
    form: 'rfc3164',
  })
})

test.each([
  { facility: 'canary' },
  { facility: '' },
  { tag: '' },
  { tag: 'canary canary' },
  { tag: 'canary:' },
  { tag: 'a'.repeat(49) },
  { syslog_format: 'canary' },
  { address: 'canary' },
  { address: '/canary', socket_type: 'unixgram' },
])('%j is refused, and not repeated', (options) => {
  expect(() => readSyslogSink(options)).toThrow(BadRequest)
  expect(() => readSyslogSink(options)).toThrow(/^(?!.*canary)/)
})
