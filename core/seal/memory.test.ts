/**
 * After sealing no key is in the process's memory. A node initialises a server, opens it, works and seals; its keys are
 * searched for from outside, in all of its memory, as a core dump of it would be searched, and in its heap snapshot.
 * Before sealing they are found, else the search would prove nothing.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Keyring } from '../barrier/keyring.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { openRecord } from '../barrier/sealed-record.ts'
import { systemRandom } from '../random.ts'
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

async function tell(message: object): Promise<unknown> {
  child.send(message)
  const [answer] = await once(child, 'message')
  return answer
}

const Initialized = z.object({
  shares: z.array(z.string()),
  records: z.record(z.string(), z.base64()),
})

/** Has the child initialise a server, and works out its keys, which the child is never told. */
async function startServer() {
  const { shares, records } = Initialized.parse(await tell({ do: 'initialize' }))
  const read = async (key: string) => Buffer.from(records[key] ?? '', 'base64')
  const three = shares.slice(0, 3).map((share) => Buffer.from(share, 'base64'))
  const root = await new ShamirSeal(systemRandom).recover(read, three)
  const { keyring } = CORE_RECORDS
  const terms = Keyring.parse(openRecord(createSecretKey(root), keyring, await read(keyring)))
  const term = terms.active().key.export()
  const unseal = await combineShares(three, systemRandom)
  return { keys: { root, term, unseal }, shares: shares.slice(0, 3) }
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
