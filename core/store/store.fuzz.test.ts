/**
 * Two nodes over one storage, whose every step may be overtaken by any other: money is moved between accounts, and
 * somebody counts it. What a transaction says must be as if the transactions had run one after the other.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Storage } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { numbers, plainStore } from './plain.fixture.ts'
import type { Store } from './store.ts'
import { Transaction, type Read } from './transaction.ts'

const ACCOUNTS = ['a', 'b', 'c/d']
const EACH = 100
const TOTAL = EACH * ACCOUNTS.length
const RUNS = 1500

/** The storage, whose calls and answers come when the scheduler says so. */
function delayed(storage: Storage, scheduler: fc.Scheduler): Storage {
  const turn = (what: string) => scheduler.schedule(Promise.resolve(), what)
  return {
    async get(key) {
      await turn(`get ${key}`)
      const found = await storage.get(key)
      await turn(`got ${key}`)
      return found
    },
    async commit(change) {
      await turn('commit')
      const result = await storage.commit(change)
      await turn('committed')
      return result
    },
    list: (prefix, options) => storage.list(prefix, options),
    watch: (since) => storage.watch(since),
    close: () => storage.close(),
  }
}

const action = fc.oneof(
  fc.record({
    do: fc.constant('move' as const),
    node: fc.nat(1),
    from: fc.nat(ACCOUNTS.length - 1),
    to: fc.nat(ACCOUNTS.length - 1),
    adopts: fc.boolean(),
  }),
  fc.record({ do: fc.constant('count' as const), node: fc.nat(1) }),
  fc.record({ do: fc.constant('refresh' as const), node: fc.nat(1) }),
)
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

class Bank {
  readonly #nodes: readonly Store[]
  /** Revision of each account as it was last acknowledged to anybody. */
  readonly #acknowledged = new Map<string, number>()
  readonly #standings = new Map<number, readonly Read[]>()
  readonly #storage: Storage
  /** What a handler waits for besides the storage. */
  readonly #pause: () => Promise<unknown>

  constructor(storage: Storage, nodes: readonly Store[], pause: () => Promise<unknown>) {
    this.#storage = storage
    this.#nodes = nodes
    this.#pause = pause
  }

  async run(one: Action): Promise<void> {
    const store = this.#nodes[one.node]
    if (store === undefined) return
    store.cache.refresh()
    if (one.do === 'count') await this.#count(store)
    else if (one.do === 'move') await this.#move(store, one)
  }

  async #count(store: Store): Promise<void> {
    const before = new Map(this.#acknowledged)
    const transaction = new Transaction(store)
    let total = 0
    for (const key of ACCOUNTS) {
      total += (await transaction.get(numbers, key)) ?? 0
      await this.#pause()
    }
    if ((await transaction.commit()) !== undefined) return
    expect(total).toBe(TOTAL)
    for (const { key, entry } of transaction.reads()) {
      expect(entry.revision).toBeGreaterThanOrEqual(before.get(key) ?? 0)
    }
  }

  async #move(store: Store, { node, from, to, adopts }: Action & { do: 'move' }): Promise<void> {
    const [source, target] = [ACCOUNTS[from] ?? '', ACCOUNTS[to] ?? '']
    const transaction = new Transaction(store)
    if (adopts) transaction.adopt(this.#standings.get(node) ?? [])
    const left = ((await transaction.get(numbers, source)) ?? 0) - 1
    transaction.put(numbers, source, left)
    await this.#pause()
    transaction.put(numbers, target, ((await transaction.get(numbers, target)) ?? 0) + 1)
    this.#standings.set(node, transaction.reads())
    if ((await transaction.commit()) !== undefined) return
    for (const key of [source, target]) {
      this.#acknowledged.set(key, (await this.#storage.get(key))?.revision ?? 0)
    }
  }
}

test('transactions of two nodes are as if they ran one after the other, whatever overtakes what', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(action, { minLength: 3, maxLength: 14 }),
      async (scheduler, actions) => {
        const storage = new MemoryStorage()
        const put = new Map(ACCOUNTS.map((key) => [key, Buffer.from(numbers.encode(EACH))]))
        await storage.commit({ expect: new Map(), put, delete: new Set() })
        const nodes = [0, 1].map(() => plainStore(delayed(storage, scheduler)))
        const bank = new Bank(storage, nodes, () => scheduler.schedule(Promise.resolve(), 'pause'))
        const running = actions.map((one) =>
          scheduler.schedule(Promise.resolve(), one.do).then(() => bank.run(one)),
        )
        await scheduler.waitFor(Promise.all(running))
        await expectExact(storage, nodes)
      },
    ),
    { numRuns: RUNS },
  )
})

/** After the feed was taken in, a cache holds what the storage holds, or nothing. */
async function expectExact(storage: Storage, nodes: readonly Store[]): Promise<void> {
  let total = 0
  for (const key of ACCOUNTS) {
    const stored = await storage.get(key)
    const value = numbers.decode(key, String(stored?.value))
    total += value
    for (const { cache } of nodes) {
      cache.refresh()
      const cached = cache.get(key)
      if (cached !== undefined) expect(cached).toMatchObject({ value, revision: stored?.revision })
    }
  }
  expect(total).toBe(TOTAL)
}
