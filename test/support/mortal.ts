/**
 * A server that dies at its Nth step, without a process of its own: from then on nothing that it commits or sends arrives. Steps
 * are both sides of each commit, and each message to and from another system.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Storage } from '../../storage/contract.ts'
import { portOf } from './free-port.ts'

export class Fate {
  #diesAt = Infinity
  #steps = 0
  #dead = false
  readonly #death = Promise.withResolvers<void>()

  /** Counts from here on. */
  arm(diesAt: number): void {
    this.#diesAt = diesAt
  }

  /** @returns whether it goes on */
  step(): boolean {
    if (this.#diesAt !== Infinity && !this.#dead && ++this.#steps === this.#diesAt) {
      this.#dead = true
      this.#death.resolve()
    }
    return !this.#dead
  }

  get isDead(): boolean {
    return this.#dead
  }

  /** What it does, or its death. @returns whether it came to its end */
  async during(deed: () => Promise<unknown>): Promise<boolean> {
    await Promise.race([deed(), this.#death.promise])
    return !this.#dead
  }
}

const NEVER = new Promise<never>(() => undefined)

/** What one life of a server sees of a storage. */
export function mortalStorage(storage: Storage, fate: Fate): Storage {
  return {
    get: (key) => (fate.isDead ? NEVER : storage.get(key)),
    list: (prefix, options) => (fate.isDead ? NEVER : storage.list(prefix, options)),
    watch: (since) => storage.watch(since),
    close: () => storage.close(),
    async commit(change) {
      if (!fate.step()) return NEVER
      const result = await storage.commit(change)
      return fate.step() ? result : NEVER
    },
  }
}

/** What stands between a server and another system. @returns its port, and who passes through it from now on */
export async function mortalConnection(target: number): Promise<{
  readonly port: number
  live(fate: Fate): void
}> {
  let fate = new Fate()
  const open = new Set<Socket>()
  const server: Server = createServer((client) => {
    const mine = fate
    const far = connect(target, '127.0.0.1')
    for (const socket of [client, far]) {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
    }
    const pass = (from: Socket, to: Socket) => {
      from.on('data', (bytes: Buffer) => {
        if (mine.step()) to.write(bytes)
        else for (const socket of [client, far]) socket.destroy()
      })
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
    if (mine.isDead) client.destroy()
    pass(client, far)
    pass(far, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return {
    port: portOf(server),
    live(next) {
      fate = next
      for (const socket of open) socket.destroy()
    },
  }
}
