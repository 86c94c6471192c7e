import { createServer, type AddressInfo } from 'node:net'

/** A loopback port on which nothing listens. Another process may take it before the caller does. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const port = portOf(server)
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  return port
}

/** The port at which it listens. @throws {Error} it does not, or at a path */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the socket has no port')
  return address.port
}
