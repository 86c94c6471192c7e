import { describe, expect, onTestFinished, test } from 'vitest'
import { MemoryStorage } from '../storage/memory.ts'
import { TestClock } from '../test/support/clock.ts'
import { startDuties, type Duties } from './duties.ts'
import { newMount } from './mounts/defaults.ts'
import { Registry } from './mounts/registry.ts'
import { putMount } from './mounts/table.ts'
import type { MountContext, PluginType } from './plugin/plugin.ts'
import { systemRandom } from './random.ts'
import { numbers, plainStore } from './store/plain.fixture.ts'
import type { Store } from './store/store.ts'
import { Transaction } from './store/transaction.ts'
import { View } from './store/view.ts'

interface Simulated {
  readonly storage: MemoryStorage
  readonly clock: TestClock
  readonly failures: string[]
  /** How often the barrier of each node was asked to rotate. */
  readonly rotations: string[]
  /** A node with its duties; `work` is the timed work of the mounted engine. */
  start(
    name: string,
    work?: (context: MountContext) => Promise<boolean>,
  ): { duties: Duties; store: Store }
}

async function simulated(): Promise<Simulated> {
  const storage = new MemoryStorage()
  const clock = new TestClock()
  const failures: string[] = []
  const rotations: string[] = []
  const mounts = ['a/', 'b/'].map((path) =>
    newMount({ path, kind: 'secret', type: 'worker', description: '' }, systemRandom),
  )
  await change(plainStore(storage), (root) => mounts.forEach((one) => putMount(root, 'root', one)))
  return {
    storage,
    clock,
    failures,
    rotations,
    start(name, work = async () => false) {
      const type: PluginType = {
        type: 'worker',
        kind: 'secret',
        help: '',
        create: () => ({ paths: [], periodic: work }),
      }
      const store = plainStore(storage)
      const duties = startDuties({
        sweepers: [],
        ownWork: { record: async () => undefined },
        store,
        clock,
        random: systemRandom,
        registry: new Registry([type]),
        barrier: { rotateIfDue: async () => rotations.push(name) > 0 },
        onFailure: (what, error) => failures.push(`${what}: ${String(error)}`),
      })
      onTestFinished(() => duties.stop())
      return { duties, store }
    },
  }
}

async function change(store: Store, work: (root: View) => unknown): Promise<void> {
  store.cache.refresh()
  const transaction = new Transaction(store)
  await work(new View(transaction, ''))
  expect(await transaction.commit()).toBeUndefined()
}

describe('the lease', () => {
  test('is one node’s, until it no longer renews it', async () => {
    const { start, rotations, clock } = await simulated()
    const [one, two] = [start('one').duties, start('two').duties]
    await one.run()
    await two.run()
    await one.run()
    expect(rotations).toEqual(['one', 'one'])
    one.stop()
    clock.advance(14.9)
    await two.run()
    expect(rotations).not.toContain('two')
    clock.advance(0.2)
    await two.run()
    expect(rotations).toContain('two')
  })

  test('of a holder that is gone does not last for as long as the clock stepped back', async () => {
    const { start, rotations, clock } = await simulated()
    const [one, two] = [start('one').duties, start('two').duties]
    await one.run()
    one.stop()
    clock.advance('-1h')
    await two.run()
    expect(rotations).toEqual(['one', 'two'])
    clock.advance(10)
    await two.run()
    clock.advance('1h')
    await two.run()
    expect(new Set(rotations.slice(1))).toEqual(new Set(['two']))
  })

  test('taken by both at once is one’s', async () => {
    const { start, rotations } = await simulated()
    const nodes = ['one', 'two', 'three'].map((name) => start(name).duties)
    await Promise.all(nodes.map((node) => node.run()))
    expect(rotations).toHaveLength(1)
  })

  test('that was lost in the middle of a step keeps that step from being written', async () => {
    const { start, storage, clock } = await simulated()
    const other = start('other')
    const { duties } = start('slow', async ({ storage: view }) => {
      view.put(numbers, 'written', 1)
      clock.advance('20s')
      await other.duties.run()
      return false
    })
    await duties.run()
    const keys = await storage.list('mount/', { limit: 10 })
    expect(keys).toEqual([])
  })
})

describe('a round', () => {
  test('goes on after a duty that failed, and after an engine that failed', async () => {
    const { start, failures, rotations, storage } = await simulated()
    let calls = 0
    const { duties } = start('one', async ({ storage: view }) => {
      calls += 1
      if (calls === 1) throw new Error('engine')
      view.put(numbers, 'done', 1)
      return false
    })
    await change(plainStore(storage), (root) => root.put(numbers, 'expiry/00000000000001.x', 1))
    await duties.run()
    expect(failures).toEqual([
      expect.stringContaining('expiry/00000000000001.x'),
      expect.stringContaining('timed work of the mount a/: Error: engine'),
    ])
    expect(rotations).toEqual(['one'])
    expect(await storage.list('expiry/', { limit: 1 })).toEqual([])
    expect(await storage.list('mount/', { limit: 10 })).toHaveLength(1)
  })

  test('repeats a step that met another writer', async () => {
    const { start, storage } = await simulated()
    const others = plainStore(storage)
    let tries = 0
    const { duties } = start('one', async ({ storage: view }) => {
      const count = (await view.get(numbers, 'count')) ?? 0
      if (tries++ === 0) {
        const [mount = ''] = await storage.list('', { limit: 10 })
        expect(mount).not.toBe('')
        await change(others, (root) => root.put(numbers, 'unrelated', 1))
      }
      view.put(numbers, 'count', count + 1)
      return count < 3
    })
    await duties.run()
    expect(tries).toBeGreaterThanOrEqual(8)
  })

  test('ends though there is more to do, and the next goes on', async () => {
    const { start } = await simulated()
    let steps = 0
    const { duties } = start('one', async () => {
      steps += 1
      return true
    })
    await duties.run()
    expect(steps).toBe(2 * 50)
  })

  test('calls the engines once a minute', async () => {
    const { start, clock } = await simulated()
    let calls = 0
    const { duties } = start('one', async () => {
      calls += 1
      return false
    })
    await duties.run()
    await duties.run()
    expect(calls).toBe(2)
    clock.advance('60s')
    await duties.run()
    expect(calls).toBe(4)
  })

  test('is not begun before the last has ended, and not after a stop', async () => {
    const { start, clock } = await simulated()
    let running = 0
    let most = 0
    const { duties } = start('one', async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return false
    })
    await Promise.all([duties.run(), duties.run(), duties.run()])
    clock.advance('2m')
    await duties.run()
    expect(most).toBe(1)
    duties.stop()
    await duties.run()
    expect(running).toBe(0)
  })
})
