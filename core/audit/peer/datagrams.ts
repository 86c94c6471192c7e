/**
 * A peer that gets each message as one datagram of UDP. Nobody says whether it arrived; that nobody listens is sometimes
 * told (by ICMP), with the next one.
 */
import { createSocket, type Socket } from 'node:dgram'
import { AuditWriteFailed } from '../failures.ts'
import type { DatagramAddress } from './address.ts'
import type { Peer } from './peer.ts'

/** Of IPv4: 65,535 less the headers of IP and UDP. */
export const MAX_DATAGRAM_BYTES = 65_507

export class DatagramPeer implements Peer {
  readonly #address: DatagramAddress
  #socket: Socket | undefined

  constructor(address: DatagramAddress) {
    this.#address = address
  }

  get connected(): boolean {
    return this.#socket !== undefined
  }

  async send(messages: readonly string[]): Promise<void> {
    const socket = this.#socket ?? (await this.#connect())
    const sent = await Promise.allSettled(messages.map((message) => sendOne(socket, message)))
    const failed = sent.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  drop(): void {
    const socket = this.#socket
    this.#socket = undefined
    if (socket !== undefined) closeQuietly(socket)
  }

  end(): void {
    this.drop()
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const { family, host, port } = this.#address
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
      this.#socket = socket
      socket.unref()
      socket.on('error', (error) => {
        if (this.#socket === socket) this.drop()
        reject(error)
      })
      socket.once('close', () =>
        reject(new AuditWriteFailed('the connection to the log server was closed')),
      )
      socket.connect(port, host, () => resolve(socket))
    })
  }
}

function sendOne(socket: Socket, message: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (Buffer.byteLength(message) > MAX_DATAGRAM_BYTES)
      throw new AuditWriteFailed(
        `the line is longer than the ${MAX_DATAGRAM_BYTES} bytes of a datagram; use a "socket_type" of streams`,
      )
    socket.send(message, (error) => (error ? reject(error) : resolve()))
  })
}

function closeQuietly(socket: Socket): void {
  try {
    socket.close()
  } catch {
    // It was closed already.
  }
}
