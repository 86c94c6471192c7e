/**
 * A mount at one node: what an engine does beside the transactions of its requests. Only built-in engines are given one.
 */
import type { MountContext } from './plugin.ts'

/**
 * The same object for all requests of the mount at this node, so that an engine can keep by it, in a `WeakMap`, what it
 * gathers in memory. That may be lost at any time: with the process, when the node is sealed, or for want of room.
 */
export interface LocalMount {
  /**
   * Runs `work` in a transaction of its own, and again where another writer came between: it does nothing outside of
   * the storage. What the request that asks has written is not seen, and what `work` writes is there whatever becomes of
   * that request.
   *
   * @throws {TooManyConflicts} nothing was written
   * @throws {Sealed} the node was sealed meanwhile
   */
  transact<T>(work: (context: MountContext) => Promise<T>): Promise<T>
  /**
   * Has `work` done once, within a minute, and when the server stops; not if it crashes or is sealed. A failure is
   * reported, and it is not done again.
   */
  defer(work: () => Promise<void>): void
}

/** For whom there is none: plugins in processes of their own, and hooks that are asked by another mount. */
export const NOT_LOCAL: LocalMount = { transact: refuse, defer: refuse }

function refuse(): never {
  throw new Error('there is no work beside requests here')
}
