import { describe, expect, test } from 'vitest'
import { FaultyStorage, unavailable } from '../barrier/faulty-storage.fixture.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { SetClock } from '../barrier/test-barrier.fixture.ts'
import { CorruptRecord, Sealed } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { CallOutSeal } from './call-out-seal.fixture.ts'
import {
  AlreadyInitialized,
  initialize,
  isInitialized,
  NotInitialized,
  recordReader,
  sealBarrier,
  unseal,
} from './lifecycle.ts'
import type { InitializeOptions } from './lifecycle.ts'
import { checkSharing, readSealConfig } from './seal-config.ts'
import { readSealedEpoch, sealAllNodes } from './sealed-epoch.ts'
import { WrongShares } from './seal.ts'
import type { Seal } from './seal.ts'
import { ShamirSeal } from './shamir.ts'

function startServer() {
  const storage = new FaultyStorage()
  const parts = { storage, clock: new SetClock(), random: systemRandom }
  const seal = new ShamirSeal(systemRandom)
  const init = (more: Partial<InitializeOptions> = {}) =>
    initialize({ ...parts, seal, sharing: { shares: 5, threshold: 3 }, ...more })
  const open = (shares: readonly Buffer[]) => unseal({ ...parts, seal, shares })
  return { storage, parts, seal, init, open }
}

describe('initialize', () => {
  test('gives the shares, leaves the server closed, and any three of them open it', async () => {
    const { storage, init, open } = startServer()
    expect(await isInitialized(storage)).toBe(false)
    const shares = await init()

    expect(shares).toHaveLength(5)
    expect(await isInitialized(storage)).toBe(true)
    expect(await readSealConfig(recordReader(storage))).toEqual({
      type: 'shamir',
      shares: 5,
      threshold: 3,
    })
    const { barrier } = await open(shares.slice(2))
    await barrier.ready()
    expect(barrier.open('a', barrier.seal('a', 'one')).toString()).toBe('one')
  })

  test('commits what the caller adds, sealed by the new barrier, in the same step', async () => {
    const { storage, init, open } = startServer()
    const shares = await init({
      populate: (barrier) => new Map([['core/mounts', barrier.seal('core/mounts', 'table')]]),
    })

    expect(storage.commits).toBe(1)
    const { barrier } = await open(shares.slice(0, 3))
    expect(barrier.open('core/mounts', await storage.read('core/mounts')).toString()).toBe('table')
  })

  test('a second time is refused, and what is there stays', async () => {
    const { init, open } = startServer()
    const shares = await init()
    await expect(init()).rejects.toMatchObject({
      status: 400,
      errors: ['Vault is already initialized'],
    })
    await open(shares.slice(0, 3))
  })

  test('of several at once one wins, and its shares open', async () => {
    const { init, open } = startServer()
    const results = await Promise.allSettled([init(), init(), init(), init()])
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const lost = results.flatMap((result): unknown[] =>
      result.status === 'rejected' ? [result.reason] : [],
    )

    expect(won).toHaveLength(1)
    for (const reason of lost) expect(reason).toBeInstanceOf(AlreadyInitialized)
    await open(won[0]?.slice(0, 3) ?? [])
  })

  test('a failure before the commit leaves nothing', async () => {
    const { storage, init } = startServer()
    storage.beforeCommit = () => {
      throw unavailable()
    }
    await expect(init()).rejects.toThrow('the storage is gone')
    await expect(init({ populate: () => Promise.reject(new Error('test')) })).rejects.toThrow(
      'test',
    )
    expect(await storage.inner.list('', { limit: 10 })).toEqual([])
    storage.beforeCommit = () => undefined
    await init()
  })

  test('a commit whose answer was lost is looked up, so that its shares are not', async () => {
    const { storage, init, open } = startServer()
    storage.afterCommit = () => {
      throw unavailable(true)
    }
    const shares = await init()
    storage.afterCommit = () => undefined
    await open(shares.slice(0, 3))
  })

  test('a commit that was lost altogether is an error', async () => {
    const { storage, init } = startServer()
    storage.beforeCommit = () => {
      throw unavailable(true)
    }
    await expect(init()).rejects.toThrow('the storage is gone')
    expect(await isInitialized(storage)).toBe(false)
  })

  test('records of the caller cannot take the place of ours', async () => {
    const { storage, init } = startServer()
    const populate = () => new Map([[CORE_RECORDS.keyring as string, Buffer.alloc(1)]])
    await expect(init({ populate })).rejects.toThrow('keep clear')
    expect(await isInitialized(storage)).toBe(false)
  })

  test('the barrier that populates is closed afterwards', async () => {
    const kept: (() => Buffer)[] = []
    await startServer().init({
      populate: (barrier) => {
        kept.push(() => barrier.seal('a', 'one'))
        return new Map()
      },
    })
    expect(() => kept[0]?.()).toThrow(Sealed)
  })

  test('a wrong sharing is refused before anything is made', async () => {
    const { storage, init } = startServer()
    await expect(init({ sharing: { shares: 1, threshold: 2 } })).rejects.toThrow(
      'invalid seal configuration: threshold cannot be larger than shares',
    )
    expect(storage.commits).toBe(0)
  })
})

test.each([
  [0, 0, 'shares must be at least one'],
  [-1, 1, 'shares must be at least one'],
  [5, 0, 'threshold must be at least one'],
  [1, 2, 'threshold cannot be larger than shares'],
  [3, 1, 'threshold must be greater than one for multiple shares'],
  [256, 3, 'shares must be less than 256'],
])('%i shares with a threshold of %i: %s', (shares, threshold, reason) => {
  expect(() => checkSharing({ shares, threshold })).toThrow(`invalid seal configuration: ${reason}`)
  expect(() => checkSharing({ shares, threshold }, 'rekey seal')).toThrow(
    `invalid rekey seal configuration: ${reason}`,
  )
})

test.each([
  [1, 1],
  [2, 2],
  [255, 255],
  [255, 2],
])('%i shares with a threshold of %i initialise and open', async (shares, threshold) => {
  const { init, open } = startServer()
  const made = await init({ sharing: { shares, threshold } })
  await open(made.slice(shares - threshold))
})

describe('unseal', () => {
  test('a server that is not initialised says so', async () => {
    await expect(startServer().open([])).rejects.toThrow(NotInitialized)
  })

  test('shares of another server, or too few, do not open', async () => {
    const { init, open } = startServer()
    const shares = await init()
    const foreign = await startServer().init()
    await expect(open(foreign.slice(0, 3))).rejects.toThrow(WrongShares)
    await expect(open([...shares.slice(0, 2), ...foreign.slice(0, 1)])).rejects.toThrow(WrongShares)
    await expect(open(shares.slice(0, 2))).rejects.toThrow(WrongShares)
  })

  test('with the right shares a damaged keyring is named as such', async () => {
    const { storage, init, open } = startServer()
    const shares = await init()
    await storage.tamper(CORE_RECORDS.keyring, Buffer.alloc(100))
    await expect(open(shares.slice(0, 3))).rejects.toMatchObject({ key: CORE_RECORDS.keyring })
  })

  test('a damaged or newer configuration is named as such', async () => {
    const { storage, init, open } = startServer()
    const shares = await init()
    for (const text of ['', '[]', '{"version":2,"type":"shamir","shares":5,"threshold":3}']) {
      await storage.tamper(CORE_RECORDS.sealConfig, Buffer.from(text))
      await expect(open(shares.slice(0, 3))).rejects.toThrow(CorruptRecord)
    }
  })

  test('the root key is zeroed whether the keyring opened or not, and after initialisation', async () => {
    const { parts, storage, seal, init } = startServer()
    const rootKeys: Buffer[] = []
    const watched: Seal = {
      type: seal.type,
      shareUse: seal.shareUse,
      checkShare: (share, sharing) => seal.checkShare(share, sharing),
      verifyShares: (read, shares) => seal.verifyShares(read, shares),
      protect: (rootKey, sharing) => {
        rootKeys.push(rootKey)
        return seal.protect(rootKey, sharing)
      },
      recover: async (read, shares) => {
        const rootKey = await seal.recover(read, shares)
        rootKeys.push(rootKey)
        return rootKey
      },
    }
    const shares = (await init({ seal: watched })).slice(0, 3)
    await unseal({ ...parts, seal: watched, shares })
    await storage.tamper(CORE_RECORDS.keyring, Buffer.alloc(100))
    await expect(unseal({ ...parts, seal: watched, shares })).rejects.toThrow(CorruptRecord)

    expect(rootKeys).toHaveLength(3)
    for (const rootKey of rootKeys) expect(rootKey.every((byte) => byte === 0)).toBe(true)
  })

  test('a seal that opens by itself needs no shares', async () => {
    const { parts, storage, init } = startServer()
    const seal = new CallOutSeal()
    const recovery = await init({ seal, sharing: { shares: 3, threshold: 2 } })
    const { barrier } = await unseal({ ...parts, seal, shares: [] })
    await barrier.ready()
    barrier.seal('a', 'one')
    await seal.verifyShares(recordReader(storage), recovery.slice(1))
  })

  test('a seal that opens by itself may have no recovery shares', async () => {
    const { parts, init } = startServer()
    const seal = new CallOutSeal()
    expect(await init({ seal, sharing: { shares: 0, threshold: 0 } })).toEqual([])
    await unseal({ ...parts, seal, shares: [] })
  })
})

describe('sealing', () => {
  test('a sealed barrier opens nothing, and the shares open a new one', async () => {
    const { init, open } = startServer()
    const shares = await init()
    const { barrier } = await open(shares.slice(0, 3))
    await barrier.ready()
    const sealed = barrier.seal('a', 'one')
    sealBarrier(barrier)

    expect(() => barrier.open('a', sealed)).toThrow(Sealed)
    const again = await open(shares.slice(1, 4))
    expect(again.barrier.open('a', sealed).toString()).toBe('one')
  })

  test('sealing all nodes shows in the feed of each, as a revision above the one it opened with', async () => {
    const { storage, parts, init, open } = startServer()
    const shares = await init()
    const { sealedEpoch } = await open(shares.slice(0, 3))
    const feed = storage.inner.watch()
    await sealAllNodes(storage, parts.clock)

    const change = feed.take()
    expect(change).toEqual([
      { key: CORE_RECORDS.sealedEpoch, revision: await readSealedEpoch(storage) },
    ])
    expect(await readSealedEpoch(storage)).toBeGreaterThan(sealedEpoch)
    expect((await open(shares.slice(0, 3))).sealedEpoch).toBe(await readSealedEpoch(storage))
  })

  test('a node that opens while all are sealed knows that it has to close', async () => {
    const { storage, parts, seal, init } = startServer()
    const shares = await init()
    const slow = {
      ...parts,
      storage: {
        commit: storage.commit.bind(storage),
        get: async (key: string) => {
          if (key === CORE_RECORDS.rootKey) await sealAllNodes(storage, parts.clock)
          return storage.get(key)
        },
      },
    }
    const { sealedEpoch } = await unseal({ ...slow, seal, shares: shares.slice(0, 3) })
    expect(await readSealedEpoch(storage)).toBeGreaterThan(sealedEpoch)
  })
})
