/** For tests: a committed barrier over storage in memory, a clock that is set by hand, and further nodes over both. */
import type { Clock } from '../clock.ts'
import { systemRandom } from '../random.ts'
import { Barrier } from './barrier.ts'
import type { BarrierParts } from './barrier.ts'
import { FaultyStorage } from './faulty-storage.fixture.ts'

const START_MS = Date.UTC(2026, 0, 1)

export class SetClock implements Clock {
  ms = START_MS
  nowMs(): number {
    return this.ms
  }
  monotonicMs(): number {
    return this.ms
  }
  after(): () => void {
    return () => undefined
  }
}

export interface TestBarrier {
  readonly storage: FaultyStorage
  readonly clock: SetClock
  readonly rootKey: Buffer
  readonly parts: BarrierParts
  /** A node over the storage, with nothing reserved yet. */
  node(): Promise<Barrier>
}

export async function startBarrier(): Promise<TestBarrier> {
  const storage = new FaultyStorage()
  const clock = new SetClock()
  const parts = { storage, clock, random: systemRandom }
  const rootKey = systemRandom.bytes(32)
  const { records } = Barrier.create(parts, rootKey)
  await storage.commit({ expect: new Map(), put: records, delete: new Set() })
  return { storage, clock, rootKey, parts, node: () => Barrier.unlock(parts, rootKey) }
}

/** A node that can seal at once. */
export async function startReadyNode(): Promise<TestBarrier & { readonly barrier: Barrier }> {
  const server = await startBarrier()
  const barrier = await server.node()
  await barrier.ready()
  return { ...server, barrier }
}
