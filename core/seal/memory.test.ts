/**
 * After sealing no key is in the process's memory. The keys are searched for from outside, in all of the memory of a
 * node that was never sent one, as a core dump of it would be searched, and in its heap snapshot. Before sealing they
 * are found, else the search would prove nothing.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FaultyStorage } from '../barrier/faulty-storage.fixture.ts'
import { Keyring } from '../barrier/keyring.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { openRecord } from '../barrier/sealed-record.ts'
import { SetClock } from '../barrier/test-barrier.fixture.ts'
import { systemRandom } from '../random.ts'
import { initialize, recordReader } from './lifecycle.ts'
import { countInMemory } from './process-memory.fixture.ts'
import { combineShares, ShamirSeal } from './shamir.ts'

const PLANTED = 'a text that is surely in the snapshot'

let child: ChildProcess
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyhold-memory-'))
  child = fork(new URL('./memory-child.fixture.ts', import.meta.url), { execArgv: [] })
})

afterEach(() => {
  child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

async function tell(message: object): Promise<void> {
  child.send(message)
  await once(child, 'message')
}

/** The keys of a new server, as the test alone knows them, and its records in the child. */
async function startServer() {
  const storage = new FaultyStorage()
  const seal = new ShamirSeal(systemRandom)
  const parts = { storage, clock: new SetClock(), random: systemRandom }
  const shares = await initialize({ ...parts, seal, sharing: { shares: 5, threshold: 3 } })
  const three = shares.slice(0, 3)
  const rootKey = await seal.recover(recordReader(storage), three)
  const keyring = Keyring.parse(
    openRecord(
      createSecretKey(rootKey),
      CORE_RECORDS.keyring,
      await storage.read(CORE_RECORDS.keyring),
    ),
  )
  const records: Record<string, string> = {}
  for (const name of await storage.inner.list('core/', { limit: 100 })) {
    if (!name.endsWith('/'))
      records[`core/${name}`] = (await storage.read(`core/${name}`)).toString('base64')
  }
  records['core/barrier-usage/1'] = (await storage.read('core/barrier-usage/1')).toString('base64')
  await tell({ do: 'load', records })
  const keys = {
    root: rootKey,
    term: keyring.active().key.export(),
    unseal: await combineShares(three, systemRandom),
  }
  return { keys, shares: three.map((share) => share.toString('base64')) }
}

/** Everything that a key could look like. Halves of it too: they are the first round keys of AES. */
function shapes(key: Buffer): Buffer[] {
  const texts = [
    key.toString('hex'),
    key.toString('base64').slice(0, 42),
    key.toString('base64url'),
  ]
  return [
    key.subarray(0, 16),
    key.subarray(16),
    ...texts.map((text) => Buffer.from(text)),
    ...texts.map((text) => Buffer.from(text, 'utf16le')),
    Buffer.from(key.toString('latin1'), 'utf16le'),
  ]
}

function found(key: Buffer): number {
  return countInMemory(child.pid ?? 0, shapes(key)).reduce((sum, count) => sum + count, 0)
}

describe.skipIf(process.platform !== 'linux')('the memory of a node (read through /proc)', () => {
  test('holds root key and term key while open, and no key once sealed', async () => {
    const { keys, shares } = await startServer()
    expect([found(keys.root), found(keys.term), found(keys.unseal)]).toEqual([0, 0, 0])

    await tell({ do: 'open', shares, rotations: 3 })
    expect(found(keys.root)).toBeGreaterThan(0)
    expect(found(keys.term)).toBeGreaterThan(0)

    await tell({ do: 'close', properly: true })
    expect([found(keys.root), found(keys.term), found(keys.unseal)]).toEqual([0, 0, 0])
  })

  test('still holds them in a server that only seems sealed: the search can fail', async () => {
    const { keys, shares } = await startServer()
    await tell({ do: 'open', shares, rotations: 0 })
    await tell({ do: 'close', properly: false })
    expect(found(keys.root)).toBeGreaterThan(0)
    expect(found(keys.term)).toBeGreaterThan(0)
  })
})

test('a heap snapshot after sealing holds no key in any coding', async () => {
  const { keys, shares } = await startServer()
  await tell({ do: 'open', shares, rotations: 3 })
  await tell({ do: 'close', properly: true })
  const file = join(folder, 'after.heapsnapshot')
  await tell({ do: 'snapshot', file, plant: PLANTED })

  const snapshot = readFileSync(file)
  expect(snapshot.includes(PLANTED)).toBe(true)
  for (const key of Object.values(keys)) {
    for (const shape of [
      ...shapes(key),
      Buffer.from(JSON.stringify(key.toString('latin1')).slice(1, -1)),
    ]) {
      expect(snapshot.includes(shape)).toBe(false)
    }
  }
})
