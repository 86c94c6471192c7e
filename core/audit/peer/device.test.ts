import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../clock.ts'
import { testCertificate } from '../../http/testing/certificate.ts'
import type { AuditDevice } from '../device.ts'
import { AuditWriteFailed } from '../failures.ts'
import { parsePeer, type PeerAddress } from './address.ts'
import { MAX_DATAGRAM_BYTES } from './datagrams.ts'
import { openPeerDevice } from './open.ts'
import { portOf } from '../../../test/support/free-port.ts'

/** A log server of streams, which greets, and keeps what it gets. */
class StreamServer {
  received = ''
  connections = 0
  /** Reads nothing while set. */
  hangs = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor() {
    this.#server = createServer((socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.write('hello\n')
      if (this.hangs) socket.pause()
      else socket.on('data', (bytes) => (this.received += bytes.toString()))
    })
  }

  /** @param where a port, 0 for a free one, or a path */
  async listen(where: number | string): Promise<number> {
    await new Promise<void>((resolve) => {
      if (typeof where === 'string') this.#server.listen(where, resolve)
      else this.#server.listen(where, '127.0.0.1', resolve)
    })
    onTestFinished(() => this.die())
    return typeof where === 'string' ? 0 : portOf(this.#server)
  }

  /** Every connection breaks, and nobody listens any more. */
  async die(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

function open(address: PeerAddress, timeoutMs = 2_000): AuditDevice {
  const device = openPeerDevice({ kind: 'socket', address, timeoutMs }, systemClock)
  onTestFinished(() => device.close())
  return device
}

/** More than the buffers of a connection hold. */
const TOO_MUCH = `${'x'.repeat(16 * 1024 * 1024)}\n`

/** In these, what has come over the network is seen. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

const tcp = (port: number): PeerAddress => ({ kind: 'tcp', host: '127.0.0.1', port, family: 0 })

describe('over a stream', () => {
  test('lines arrive in their order, over one connection', async () => {
    const server = new StreamServer()
    const device = open(tcp(await server.listen(0)))

    await device.write('one\n')
    await device.write('two\nthree\n')

    await vi.waitFor(() => expect(server.received).toBe('one\ntwo\nthree\n'))
    expect(server.connections).toBe(1)
  })

  test('over a unix socket too', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'audit-peer-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const server = new StreamServer()
    await server.listen(join(directory, 's'))

    await open({ kind: 'unix', path: join(directory, 's') }).write('one\n')

    await vi.waitFor(() => expect(server.received).toBe('one\n'))
  })

  test('while nobody listens each write fails at once and says so; when somebody does, it goes on', async () => {
    const first = new StreamServer()
    const port = await first.listen(0)
    await first.die()
    const device = open(tcp(port))

    await expect(device.write('lost\n')).rejects.toThrow('nobody listens at the address')
    await expect(device.write('lost\n')).rejects.toThrow(AuditWriteFailed)

    const second = new StreamServer()
    await second.listen(port)
    await device.write('kept\n')
    await vi.waitFor(() => expect(second.received).toBe('kept\n'))
  })

  test('a server that dies and comes back gets the next line: none is written into a connection that has ended', async () => {
    const first = new StreamServer()
    const port = await first.listen(0)
    const device = open(tcp(port))
    await device.write('one\n')
    await vi.waitFor(() => expect(first.received).toBe('one\n'))

    await first.die()
    const second = new StreamServer()
    await second.listen(port)
    await turns()
    await device.write('two\n')

    await vi.waitFor(() => expect(second.received).toBe('two\n'))
  })

  test('a server that reads nothing holds a write up for the timeout, and those after it not at all', async () => {
    const server = new StreamServer()
    server.hangs = true
    const device = open(tcp(await server.listen(0)), 200)

    const startedMs = systemClock.monotonicMs()
    await expect(device.write(TOO_MUCH)).rejects.toThrow('takes nothing within the "write_timeout"')
    const hungMs = systemClock.monotonicMs() - startedMs
    await expect(device.write('next\n')).rejects.toThrow('takes nothing within')
    const nextMs = systemClock.monotonicMs() - startedMs - hungMs

    expect(hungMs).toBeLessThan(1_500)
    expect(nextMs).toBeLessThan(100)
  })

  test('opening anew (SIGHUP) ends a rest, and makes a new connection', async () => {
    const server = new StreamServer()
    server.hangs = true
    const device = open(tcp(await server.listen(0)), 500)
    await expect(device.write(TOO_MUCH)).rejects.toThrow('takes nothing')

    server.hangs = false
    device.reopen()
    await device.write('one\n')
    device.reopen()
    await device.write('two\n')

    await vi.waitFor(() => expect(server.received).toBe('one\ntwo\n'))
    expect(server.connections).toBe(3)
  })
})

describe('over TLS', () => {
  const authority = testCertificate('logs')
  const { cert, key } = testCertificate('localhost', authority)

  async function listen() {
    let received = ''
    const server = createTlsServer({ cert, key }, (socket) => {
      socket.on('data', (bytes: Buffer) => (received += bytes.toString()))
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
    })
    return { received: () => received, port: portOf(server) }
  }

  test('lines arrive at a server whose authority is "ca_cert"', async () => {
    const { received, port } = await listen()

    const peer = parsePeer(`127.0.0.1:${port}`, 'tls', { ca_cert: authority.cert })
    await open(peer).write('one\n')

    await vi.waitFor(() => expect(received()).toBe('one\n'))
  })

  test('nothing is sent to a server of another authority', async () => {
    const { received, port } = await listen()

    const peer = parsePeer(`127.0.0.1:${port}`, 'tls', { ca_cert: testCertificate('other').cert })
    await expect(open(peer).write('one\n')).rejects.toThrow('its certificate')

    expect(received()).toBe('')
  })
})

describe('over UDP', () => {
  async function listen() {
    const socket = createSocket('udp4')
    const received: string[] = []
    socket.on('message', (bytes) => received.push(bytes.toString()))
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      socket.close()
    })
    return { received, port: socket.address().port }
  }

  test('each line is a datagram of its own', async () => {
    const { received, port } = await listen()

    await open({ kind: 'udp', host: '127.0.0.1', port, family: 4 }).write('one\ntwo\n')

    await vi.waitFor(() => expect(received).toEqual(['one\n', 'two\n']))
  })

  test('a line that no datagram holds fails, and says what to use; the next one arrives', async () => {
    const { received, port } = await listen()
    const device = open({ kind: 'udp', host: '127.0.0.1', port, family: 4 })

    await expect(device.write('x'.repeat(MAX_DATAGRAM_BYTES + 1))).rejects.toThrow(
      'use a "socket_type" of streams',
    )
    await device.write('next\n')

    await vi.waitFor(() => expect(received).toEqual(['next\n']))
  })
})
