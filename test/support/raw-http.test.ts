import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { sendRaw, type RawRequest } from './raw-http.ts'

let server: Server | undefined

afterEach(async () => {
  const closing = server
  server = undefined
  if (closing !== undefined) await new Promise((resolve) => closing.close(resolve))
})

/** A server that keeps what it was sent and answers with these bytes. */
async function answering(bytes: string): Promise<{ port: number; received: () => string }> {
  let received = ''
  const answer = (socket: Socket) => {
    socket.on('data', (chunk) => {
      received += chunk.toString()
      socket.end(bytes)
    })
  }
  const started = createServer(answer)
  server = started
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  const address = started.address()
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, received: () => received }
}

const send = (port: number, request: Partial<RawRequest> = {}) =>
  sendRaw({ host: '127.0.0.1', port, method: 'GET', path: '/', ...request })

test('the verb and the path are sent as they are', async () => {
  const { port, received } = await answering('HTTP/1.1 200 OK\r\n\r\n')
  await send(port, { method: 'LIST', path: '/v1/a/../b//c%2e' })
  expect(received()).toMatch(/^LIST \/v1\/a\/\.\.\/b\/\/c%2e HTTP\/1\.1\r\n/)
})

test('status, headers and body are taken apart', async () => {
  const { port } = await answering(
    'HTTP/1.1 700 Odd\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\nabc',
  )
  const response = await send(port)
  expect(response).toMatchObject({ status: 700, text: 'abc' })
  expect(response?.headers.get('x-a')).toBe('1, 2')
})

test('a chunked body is put together', async () => {
  const { port } = await answering(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  )
  expect(await send(port)).toMatchObject({ text: 'abcde' })
})

test('a chunked body that breaks off is an error', async () => {
  const { port } = await answering(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  )
  await expect(send(port)).rejects.toThrow('ends within a chunk')
})

test('no answer is told apart from an empty one', async () => {
  const { port } = await answering('')
  expect(await send(port)).toBeUndefined()
})
