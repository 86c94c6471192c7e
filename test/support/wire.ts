/** A wire between a client and a server of a test: it counts what goes over it, and can be cut, blocked or taken away. */
import { createServer, connect, type Socket } from 'node:net'
import { portOf } from './free-port.ts'

export interface Wire {
  readonly port: number
  /** Told before anything goes on, in either direction, and of each new connection. */
  onTraffic: () => void
  /** Ends all connections; new ones are made. */
  cut(): void
  /** Ends all connections and makes no new ones. */
  down(): void
  /** Keeps all connections and lets nothing through any more. */
  block(): void
  /** All is well again. */
  up(): void
  close(): Promise<void>
}

/** @param to the server's port on this machine */
export async function startWire(to: number): Promise<Wire> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let state: 'up' | 'down' | 'blocked' = 'up'
  const server = createServer((client) => {
    wire.onTraffic()
    if (state === 'down') {
      client.destroy()
      return
    }
    const target = connect(to, '127.0.0.1')
    const pair = [client, target] as const
    pairs.add(pair)
    for (const [from, other] of [pair, [target, client] as const]) {
      from.on('data', (chunk) => {
        wire.onTraffic()
        if (state === 'up') other.write(chunk)
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        other.destroy()
        pairs.delete(pair)
      })
    }
  })
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const wire: Wire = {
    port: portOf(server),
    onTraffic: () => undefined,
    cut,
    down() {
      state = 'down'
      cut()
    },
    block: () => void (state = 'blocked'),
    up: () => void (state = 'up'),
    async close() {
      cut()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
    },
  }
  return wire
}
