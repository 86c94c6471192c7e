/**
 * Bytes as they stand, over one connection: what no client library would send.
 */
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Longer than any limit of a server under test. */
const SILENCE_LIMIT_MS = 60_000

export interface Reply {
  readonly status: number
  readonly body: string
}

/** Sends all, then reads until the server closes the connection. @returns everything it sent */
export async function exchangeBytes(port: number, bytes: string | Buffer): Promise<string> {
  const socket = await openSocket(port)
  socket.write(bytes)
  return readToEnd(socket)
}

/** As `exchangeBytes`, as the answers that it holds. */
export async function repliesTo(port: number, bytes: string | Buffer): Promise<readonly Reply[]> {
  return parseReplies(await exchangeBytes(port, bytes))
}

export function openSocket(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.on('error', () => undefined) // a reset after the answer is the server's right
      resolve(socket)
    })
  })
}

export function readToEnd(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setTimeout(SILENCE_LIMIT_MS, () => reject(new Error(`silence after: ${text}`)))
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.once('end', () => socket.end())
    socket.once('close', () => resolve(text))
  })
}

/** Answers with a declared length, which all of ours have. */
function parseReplies(text: string): readonly Reply[] {
  const replies: Reply[] = []
  for (let rest = text; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n')
    const status = /^HTTP\/1\.1 (\d{3})/.exec(rest)?.[1]
    if (end < 0 || status === undefined) throw new Error(`no answer: ${rest}`)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(rest.slice(0, end + 2))?.[1] ?? 0)
    replies.push({ status: Number(status), body: rest.slice(end + 4, end + 4 + length) })
    rest = rest.slice(end + 4 + length)
  }
  return replies
}
