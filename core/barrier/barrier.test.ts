import { describe, expect, test } from 'vitest'
import { BadRequest, CorruptRecord, Sealed, TooManyConflicts } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { Barrier } from './barrier.ts'
import { unavailable } from './faulty-storage.fixture.ts'
import { CORE_RECORDS, usageKey } from './record-keys.ts'
import { startBarrier, startReadyNode } from './test-barrier.fixture.ts'
import { BLOCK, LOW_WATER, TermExhausted } from './usage.ts'
import { sealRecord } from './sealed-record.ts'
import { createSecretKey } from 'node:crypto'

const DAY_MS = 86_400_000

/** Seals until so many are left of the block. */
function useUp(barrier: Barrier, count: number): void {
  for (let i = 0; i < count; i += 1) barrier.seal('k', '')
}

/** Makes the stored count of a term what the test needs. */
async function setUsage(
  server: Awaited<ReturnType<typeof startBarrier>>,
  term: number,
  reserved: number,
) {
  const key = usageKey(term)
  const value = JSON.stringify({ version: 1, reserved })
  const root = createSecretKey(server.rootKey)
  await server.storage.tamper(key, sealRecord(root, 0, systemRandom.bytes(12), key, value))
}

describe('sealing and opening', () => {
  test('what one node sealed another node opens', async () => {
    const { barrier, node } = await startReadyNode()
    const other = await node()
    expect(other.open('a/b', barrier.seal('a/b', 'value')).toString()).toBe('value')
  })

  test('two records that change places do not open', async () => {
    const { barrier } = await startReadyNode()
    const [a, b] = [barrier.seal('a', 'one'), barrier.seal('b', 'two')]
    expect(() => barrier.open('a', b)).toThrow(CorruptRecord)
    expect(() => barrier.open('b', a)).toThrow(CorruptRecord)
  })

  test('a record does not open as one of another term, known or unknown', async () => {
    const { barrier } = await startReadyNode()
    const sealed = barrier.seal('a', 'one')
    await barrier.rotate()
    for (const term of [0, 2, 3, 2 ** 32 - 1]) {
      const replayed = Buffer.from(sealed)
      replayed.writeUInt32BE(term, 0)
      expect(() => barrier.open('a', replayed), `term ${term}`).toThrow(CorruptRecord)
    }
  })

  test('a record of another server does not open', async () => {
    const { barrier } = await startReadyNode()
    const { barrier: other } = await startReadyNode()
    expect(() => barrier.open('a', other.seal('a', 'one'))).toThrow(CorruptRecord)
  })

  test('the keyring itself does not open as a value', async () => {
    const { barrier, storage } = await startReadyNode()
    const keyring = await storage.read(CORE_RECORDS.keyring)
    expect(() => barrier.open(CORE_RECORDS.keyring, keyring)).toThrow(CorruptRecord)
  })

  test('sealing the same value twice gives different bytes', async () => {
    const { barrier } = await startReadyNode()
    expect(barrier.seal('a', 'one')).not.toEqual(barrier.seal('a', 'one'))
  })
})

describe('counting', () => {
  test('a node seals nothing before it has reserved', async () => {
    const barrier = await (await startBarrier()).node()
    expect(() => barrier.seal('a', 'one')).toThrow(TermExhausted)
    await barrier.ready()
    expect(barrier.seal('a', 'one')).toBeInstanceOf(Buffer)
  })

  test('a block is reserved durably before it is used, by each node for itself', async () => {
    const server = await startBarrier()
    const [a, b] = [await server.node(), await server.node()]
    await Promise.all([a.ready(), b.ready()])

    // The first block was that of the initialisation.
    expect((await a.keyStatus()).encryptions).toBe(3 * BLOCK - BLOCK)
    useUp(a, 10)
    expect((await a.keyStatus()).encryptions).toBe(2 * BLOCK + 10)
    expect((await (await server.node()).keyStatus()).encryptions).toBe(3 * BLOCK)
  })

  test('the next block is fetched ahead, while the rest of the last is in use', async () => {
    const { barrier, storage } = await startReadyNode()
    const before = storage.commits
    expect(barrier.ready(1)).toBeUndefined()
    useUp(barrier, LOW_WATER + 1)
    expect(storage.commits).toBe(before)

    const reserved = storage.nextCommit()
    expect(barrier.ready(1)).toBeUndefined()
    await reserved
    useUp(barrier, LOW_WATER - 1 + BLOCK)
  })

  test('without reservation it stops hard at the end of the block, and goes on after one', async () => {
    const { barrier } = await startReadyNode()
    useUp(barrier, BLOCK)
    expect(() => barrier.seal('a', 'one')).toThrow(TermExhausted)
    await barrier.ready()
    barrier.seal('a', 'one')
  })

  test('many commits at once share what there is and wait for more', async () => {
    const { barrier } = await startReadyNode()
    useUp(barrier, BLOCK - 100)
    const values = new Map(Array.from({ length: 60 }, (_, i) => [`k${i}`, 'v']))

    const sealed = await Promise.all(Array.from({ length: 5 }, () => barrier.sealAll(values)))

    for (const map of sealed) expect(map.size).toBe(60)
  })

  test('a storage that is gone stops sealing at the end of the block, and a later try succeeds', async () => {
    const { barrier, storage } = await startReadyNode()
    storage.beforeCommit = () => {
      throw unavailable()
    }
    useUp(barrier, BLOCK)
    await expect(barrier.sealAll(new Map([['a', 'one']]))).rejects.toThrow('the storage is gone')
    storage.beforeCommit = () => undefined
    expect((await barrier.sealAll(new Map([['a', 'one']]))).size).toBe(1)
  })

  test('a reservation with an unknown outcome is never used', async () => {
    const { barrier, storage } = await startReadyNode()
    useUp(barrier, BLOCK)
    const before = (await barrier.keyStatus()).encryptions
    storage.afterCommit = () => {
      throw unavailable(true)
    }
    await expect(barrier.ready()).rejects.toThrow('the storage is gone')
    storage.afterCommit = () => undefined

    expect(() => barrier.seal('a', 'one')).toThrow(TermExhausted)
    expect((await barrier.keyStatus()).encryptions).toBe(before + BLOCK)
  })

  test('a term near its limit gets a successor by itself', async () => {
    const server = await startBarrier()
    const limit = 3_865_470_566
    await setUsage(server, 1, limit - BLOCK)
    const barrier = await server.node()
    await barrier.ready()
    expect((await barrier.keyStatus()).term).toBe(1)

    useUp(barrier, BLOCK)
    await barrier.ready()
    expect(await barrier.keyStatus()).toMatchObject({ term: 2, encryptions: 0 })
  })

  test('with automatic rotation off a term seals 2^32 values and not one more', async () => {
    const server = await startBarrier()
    const barrier = await server.node()
    await barrier.configureRotation({ enabled: false, maxOperations: 1_000_000, intervalMs: 0 })
    await setUsage(server, 1, 2 ** 32 - BLOCK)
    await barrier.ready()
    useUp(barrier, BLOCK)

    await expect(barrier.ready()).rejects.toThrow(TermExhausted)
    expect(() => barrier.seal('a', 'one')).toThrow(TermExhausted)

    await barrier.rotate()
    barrier.seal('a', 'one')
  })

  test.each([
    ['missing', undefined],
    ['damaged', Buffer.alloc(60)],
  ])(
    'a count that is %s retires its term instead of starting again at nought',
    async (_, value) => {
      const server = await startBarrier()
      await server.storage.tamper(usageKey(1), value)
      const barrier = await server.node()
      await barrier.ready()
      expect((await barrier.keyStatus()).term).toBe(2)
    },
  )
})

describe('rotation', () => {
  test('after a rotation the new term seals and the old one still opens', async () => {
    const { barrier, clock } = await startReadyNode()
    const old = barrier.seal('a', 'old')
    clock.ms += 5000
    await barrier.rotate()
    const fresh = barrier.seal('a', 'new')

    expect([old.readUInt32BE(0), fresh.readUInt32BE(0)]).toEqual([1, 2])
    expect(barrier.open('a', old).toString()).toBe('old')
    expect(barrier.open('a', fresh).toString()).toBe('new')
    expect(await barrier.keyStatus()).toEqual({ term: 2, installedAtMs: clock.ms, encryptions: 1 })
  })

  test('a node that meets a new term reads the keyring again and opens the record', async () => {
    const { barrier, node } = await startReadyNode()
    const other = await node()
    await barrier.rotate()
    const sealed = barrier.seal('a', 'one')

    expect(() => other.open('a', sealed)).toThrow(CorruptRecord)
    expect((await other.openFetched('a', sealed)).toString()).toBe('one')
    expect(other.open('a', sealed).toString()).toBe('one')
  })

  test('a term that no keyring knows is damage, also after reading the keyring again', async () => {
    const { barrier } = await startReadyNode()
    const sealed = barrier.seal('a', 'one')
    sealed.writeUInt32BE(99, 0)
    await expect(async () => barrier.openFetched('a', sealed)).rejects.toThrow(CorruptRecord)
  })

  test('nodes that rotate at once each add a term, and every node opens all of them', async () => {
    const server = await startBarrier()
    const nodes = await Promise.all(Array.from({ length: 5 }, () => server.node()))
    await Promise.all(nodes.map((node) => node.rotate()))
    const records = nodes.map((node, i) => node.seal(`k${i}`, `v${i}`))

    const late = await server.node()
    expect((await late.keyStatus()).term).toBe(6)
    for (const node of [...nodes, late]) {
      await node.reload()
      records.forEach((sealed, i) => expect(node.open(`k${i}`, sealed).toString()).toBe(`v${i}`))
    }
  })

  test('a node that has not heard of a rotation finishes its block, then seals under the new term', async () => {
    const { barrier, node } = await startReadyNode()
    const other = await node()
    await other.rotate()
    expect(barrier.seal('a', 'one').readUInt32BE(0)).toBe(1)

    useUp(barrier, BLOCK - 1)
    await barrier.ready()
    expect(barrier.seal('a', 'one').readUInt32BE(0)).toBe(2)
  })

  test('a node that reads of a rotation seals under the new term from its next reservation', async () => {
    const { barrier, storage, node } = await startReadyNode()
    await (await node()).rotate()
    await barrier.reload()
    const reserved = storage.nextCommit()
    expect(barrier.ready()).toBeUndefined()
    expect(barrier.seal('a', 'one').readUInt32BE(0)).toBe(1)
    await reserved
    expect(barrier.seal('a', 'one').readUInt32BE(0)).toBe(2)
  })

  test('a reservation that a rotation overtakes does not lead back to the older term', async () => {
    const { barrier, storage } = await startReadyNode()
    useUp(barrier, BLOCK)
    storage.afterCommit = () => {
      storage.afterCommit = () => undefined
      return barrier.rotate()
    }
    await barrier.ready()
    expect(barrier.seal('a', 'one').readUInt32BE(0)).toBe(2)
  })

  test('a commit whose answer comes after a later keyring was read does not bring back its own', async () => {
    const { barrier, storage, node } = await startReadyNode()
    const other = await node()
    storage.afterCommit = async () => {
      storage.afterCommit = () => undefined
      await other.reload()
      await other.rotate()
      await barrier.reload()
    }
    await barrier.configureRotation({ ...barrier.rotationConfig, maxOperations: 2_000_000 })
    expect(barrier.open('a', other.seal('a', 'one')).toString()).toBe('one')
    expect(barrier.rotationConfig.maxOperations).toBe(2_000_000)
  })

  test('a storage that always says conflict ends in an error, not in a loop', async () => {
    const server = await startReadyNode()
    server.storage.beforeCommit = async () => {
      server.storage.beforeCommit = () => undefined
      await (await server.node()).rotate()
      server.storage.beforeCommit = again
    }
    const again = server.storage.beforeCommit
    await expect(server.barrier.rotate()).rejects.toThrow(TooManyConflicts)
  })

  test('an older keyring put back is refused, and the terms in memory stay in use', async () => {
    const { barrier, storage } = await startReadyNode()
    const old = await storage.read(CORE_RECORDS.keyring)
    await barrier.rotate()
    const sealed = barrier.seal('a', 'one')
    await storage.tamper(CORE_RECORDS.keyring, old)

    await expect(barrier.reload()).rejects.toThrow(CorruptRecord)
    expect(barrier.open('a', sealed).toString()).toBe('one')
  })

  test('a keyring that is altered, missing or of another root key does not unlock', async () => {
    const server = await startBarrier()
    await expect(Barrier.unlock(server.parts, systemRandom.bytes(32))).rejects.toThrow(
      CorruptRecord,
    )
    const altered = await server.storage.read(CORE_RECORDS.keyring)
    altered[30] = (altered[30] ?? 0) ^ 1
    await server.storage.tamper(CORE_RECORDS.keyring, altered)
    await expect(server.node()).rejects.toMatchObject({ key: CORE_RECORDS.keyring })
    await server.storage.tamper(CORE_RECORDS.keyring, undefined)
    await expect(server.node()).rejects.toMatchObject({ key: CORE_RECORDS.keyring })
  })

  test('a term is replaced once it is as old as the interval, and not before', async () => {
    const { barrier, clock } = await startReadyNode()
    await barrier.configureRotation({
      enabled: true,
      maxOperations: 1_000_000,
      intervalMs: 2 * DAY_MS,
    })
    clock.ms += 2 * DAY_MS - 1
    expect(await barrier.rotateIfDue()).toBe(false)
    clock.ms += 1
    expect(await barrier.rotateIfDue()).toBe(true)
    expect(await barrier.rotateIfDue()).toBe(false)
    expect((await barrier.keyStatus()).term).toBe(2)
  })

  test('nodes that find a term due at once add one term together', async () => {
    const server = await startBarrier()
    const nodes = await Promise.all(Array.from({ length: 4 }, () => server.node()))
    await setUsage(server, 1, 3_865_470_566)
    await Promise.all(nodes.map((node) => node.ready()))
    expect((await (await server.node()).keyStatus()).term).toBe(2)
  })

  test('the rules of rotation hold on all nodes, and refuse what is out of range', async () => {
    const { barrier, node } = await startReadyNode()
    const other = await node()
    const rules = { enabled: true, maxOperations: 2_000_000, intervalMs: 2 * DAY_MS }
    await barrier.configureRotation(rules)
    await other.reload()
    expect(other.rotationConfig).toEqual(rules)

    const refused = (change: object) => barrier.configureRotation({ ...rules, ...change })
    await expect(refused({ maxOperations: 5 })).rejects.toThrow(
      'max_operations must be in the range [1000000,3865470566]',
    )
    await expect(refused({ maxOperations: 2 ** 32 })).rejects.toThrow(BadRequest)
    await expect(refused({ intervalMs: 3_600_000 })).rejects.toThrow(
      'interval must be greater or equal to 24h0m0s',
    )
    expect(barrier.rotationConfig).toEqual(rules)
  })
})

test('after destroy everything says that the server is sealed, also what was under way', async () => {
  const { barrier, storage } = await startReadyNode()
  const sealed = barrier.seal('a', 'one')
  const underWay = barrier.rotate()
  barrier.destroy()

  expect(() => barrier.seal('a', 'one')).toThrow(Sealed)
  expect(() => barrier.open('a', sealed)).toThrow(Sealed)
  expect(() => barrier.ready()).toThrow(Sealed)
  await expect(underWay).rejects.toThrow(Sealed)
  await expect(barrier.reload()).rejects.toThrow(Sealed)
  await expect(barrier.rotate()).rejects.toThrow(Sealed)
  expect(barrier.isDestroyed).toBe(true)
  expect(storage.commits).toBeGreaterThan(0)
})

describe('a new root key', () => {
  const NOTHING = {
    records: new Map<string, Buffer>(),
    forget: [],
    expect: new Map<string, number>(),
  }

  test('opens what was sealed before, and the old one opens nothing', async () => {
    const { barrier, node, parts } = await startReadyNode()
    const sealed = barrier.seal('a', 'one')
    const next = systemRandom.bytes(32)
    await barrier.replaceRootKey(next, NOTHING)
    expect((await Barrier.unlock(parts, next)).open('a', sealed).toString()).toBe('one')
    await expect(node()).rejects.toThrow(CorruptRecord)
    await barrier.rotate()
    expect((await barrier.keyStatus()).term).toBe(2)
  })

  test('reaches a node that had not heard of the rotation just before it, and of two new root keys', async () => {
    const { barrier, node } = await startReadyNode()
    const late = await node()
    await barrier.rotate()
    await barrier.replaceRootKey(systemRandom.bytes(32), NOTHING)
    await barrier.replaceRootKey(systemRandom.bytes(32), NOTHING)
    await late.reload()
    await late.rotate()
    await barrier.reload()
    expect([(await late.keyStatus()).term, (await barrier.keyStatus()).term]).toEqual([3, 3])
  })

  test('does not reset how often the term was used', async () => {
    const { barrier, node } = await startReadyNode()
    await (await node()).ready()
    const before = await barrier.keyStatus()
    expect(before.encryptions).toBeGreaterThan(0)
    await barrier.replaceRootKey(systemRandom.bytes(32), NOTHING)
    expect(await barrier.keyStatus()).toEqual(before)
  })

  test('is committed again over a rotation that came between, which is kept', async () => {
    const { barrier, node, parts, storage } = await startReadyNode()
    const other = await node()
    storage.beforeCommit = async () => {
      storage.beforeCommit = () => undefined
      await other.rotate()
    }
    const next = systemRandom.bytes(32)
    await barrier.replaceRootKey(next, NOTHING)
    expect((await (await Barrier.unlock(parts, next)).keyStatus()).term).toBe(2)
  })

  test('is not put over one that somebody else has put there meanwhile', async () => {
    const { barrier, node, storage } = await startReadyNode()
    await storage.tamper(CORE_RECORDS.rootKey, Buffer.from('theirs'))
    const along = { ...NOTHING, expect: new Map([[CORE_RECORDS.rootKey as string, 1]]) }
    const replaced = barrier.replaceRootKey(systemRandom.bytes(32), along)
    await expect(replaced).rejects.toThrow(TooManyConflicts)
    expect((await node()).isDestroyed).toBe(false)
  })

  test.each([false, true])(
    'is there with all that goes along, or not at all, when the storage fails (done: %s)',
    async (done) => {
      const { barrier, storage, parts, rootKey } = await startReadyNode()
      const fail = () => {
        throw unavailable(true)
      }
      if (done) storage.afterCommit = fail
      else storage.beforeCommit = fail
      const next = systemRandom.bytes(32)
      const along = { ...NOTHING, records: new Map([['along', Buffer.from('x')]]) }
      await expect(barrier.replaceRootKey(next, along)).rejects.toThrow('gone')
      storage.beforeCommit = storage.afterCommit = () => undefined
      expect((await storage.get('along')) !== undefined).toBe(done)
      const [inForce, other] = done ? [next, rootKey] : [rootKey, next]
      expect((await Barrier.unlock(parts, inForce)).isDestroyed).toBe(false)
      await expect(Barrier.unlock(parts, other)).rejects.toThrow(CorruptRecord)
    },
  )
})
