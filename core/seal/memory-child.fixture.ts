/**
 * The process whose memory `memory.test.ts` searches. It initialises a server, hands out shares and records, opens with
 * shares that it is sent, works, closes, and answers after each step. It is never sent a key.
 */
import { writeHeapSnapshot } from 'node:v8'
import { z } from 'zod'
import { FaultyStorage } from '../barrier/faulty-storage.fixture.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { SetClock } from '../barrier/test-barrier.fixture.ts'
import { assert } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { UnsealCeremony } from './ceremony.ts'
import { initialize, sealBarrier, unseal } from './lifecycle.ts'
import type { Unsealed } from './lifecycle.ts'
import { ShamirSeal } from './shamir.ts'

const Message = z.discriminatedUnion('do', [
  z.object({ do: z.literal('initialize') }),
  z.object({ do: z.literal('open'), shares: z.array(z.string()), rotations: z.number() }),
  z.object({ do: z.literal('close'), properly: z.boolean() }),
  z.object({ do: z.literal('snapshot'), file: z.string(), plant: z.string() }),
])

const storage = new FaultyStorage()
const parts = { storage, clock: new SetClock(), random: systemRandom }
const seal = new ShamirSeal(systemRandom)
const attempt = (shares: readonly Buffer[]) => unseal({ ...parts, seal, shares })
const ceremony = new UnsealCeremony<Unsealed>({ seal, random: systemRandom, attempt })
let open: Unsealed | undefined
/** Shows that a snapshot is searched with success. */
let planted = ''

/** Shares and records, all in base64. */
async function initializeServer() {
  const made = await initialize({ ...parts, seal, sharing: { shares: 5, threshold: 3 } })
  const shares = made.map((share) => share.toString('base64'))
  for (const share of made) share.fill(0)
  const records: Record<string, string> = {}
  for (const key of [CORE_RECORDS.rootKey, CORE_RECORDS.keyring]) {
    records[key] = (await storage.read(key)).toString('base64')
  }
  return { shares, records }
}

async function openAndWork(shares: readonly string[], rotations: number): Promise<void> {
  for (const share of shares) {
    open = await ceremony.provide(share, { shares: 5, threshold: shares.length })
  }
  assert(open !== undefined, 'the shares open')
  for (let i = 0; i < rotations; i += 1) await open.barrier.rotate()
  await open.barrier.ready()
  for (let i = 0; i < 1000; i += 1) {
    open.barrier.open('a/b', open.barrier.seal('a/b', `value ${i}`))
  }
}

function close(properly: boolean): void {
  assert(open !== undefined, 'it is open')
  // What a broken server would do: seem closed, and keep the barrier.
  if (!properly) return
  sealBarrier(open.barrier)
  open = undefined
}

process.on('message', (raw: unknown) => void obey(raw))

async function obey(raw: unknown): Promise<void> {
  const message = Message.parse(raw)
  if (message.do === 'initialize') {
    process.send?.(await initializeServer())
    return
  }
  if (message.do === 'open') await openAndWork(message.shares, message.rotations)
  else if (message.do === 'close') close(message.properly)
  else {
    planted = message.plant
    writeHeapSnapshot(message.file)
  }
  process.send?.({ done: message.do, planted: planted.length })
}
