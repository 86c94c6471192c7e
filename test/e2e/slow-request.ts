/**
 * A request that is sent piece by piece, as a slow client does, and waits until the server has begun on it.
 */
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface OpenRequest {
  send(text: string): void
  /** Resolves once the server has read its headers: it was asked whether to go on. */
  begun(): Promise<void>
  /** All that the server sends from here to the end of the connection. */
  answer(): Promise<string>
}

export interface Head {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

export async function openRequest(
  port: number,
  { method, path, headers }: Head,
): Promise<OpenRequest> {
  const socket = await connected(port)
  let received = ''
  let tell: () => void = () => undefined
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    tell()
  })
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers, Expect: '100-continue' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n`)
  return {
    send: (text) => void socket.write(text),
    begun: () =>
      new Promise((resolve) => {
        tell = () => {
          if (!received.startsWith('HTTP/1.1 100 Continue\r\n\r\n')) return
          received = received.slice('HTTP/1.1 100 Continue\r\n\r\n'.length)
          tell = () => undefined
          resolve()
        }
        tell()
      }),
    answer: () =>
      new Promise((resolve) => {
        if (socket.closed) resolve(received)
        else socket.once('close', () => resolve(received))
      }),
  }
}

function connected(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(socket))
  })
}

/** Resolves once nothing listens there any more. */
export async function untilRefused(port: number): Promise<void> {
  const isOpen = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
  if (isOpen) await untilRefused(port)
}
