/**
 * A connection of bytes: TCP, TLS, or a unix socket. What the peer says is read and thrown away, for so it is noticed at once
 * that the peer is gone: a write into that connection fails, instead of being lost.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AuditWriteFailed } from '../failures.ts'
import type { StreamAddress } from './address.ts'
import type { Peer } from './peer.ts'

export class StreamPeer implements Peer {
  readonly #address: StreamAddress
  #socket: Socket | undefined

  constructor(address: StreamAddress) {
    this.#address = address
  }

  get connected(): boolean {
    return this.#socket !== undefined
  }

  async send(messages: readonly string[]): Promise<void> {
    const socket = this.#socket ?? (await this.#connect())
    const bytes = messages.length === 1 ? (messages[0] ?? '') : messages.join('')
    return new Promise((resolve, reject) => {
      socket.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
  }

  drop(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  end(): void {
    this.#socket?.end()
    this.#socket = undefined
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = dial(this.#address, () => resolve(socket))
      this.#socket = socket
      // It stays: an error that nobody listens to would end the process.
      socket.on('error', reject)
      socket.once('close', () =>
        reject(new AuditWriteFailed('the log server has closed the connection')),
      )
      socket.setNoDelay(true)
      socket.setKeepAlive(true)
      socket.unref()
      socket.resume()
    })
  }
}

function dial(address: StreamAddress, ready: () => void): Socket {
  switch (address.kind) {
    case 'unix':
      return connect({ path: address.path }, ready)
    case 'tcp':
      return connect({ host: address.host, port: address.port, family: address.family }, ready)
    case 'tls': {
      const { host, port, ca } = address
      return connectTls({ host, port, ...(ca === undefined ? {} : { ca }) }, ready)
    }
  }
}
