/**
 * The process whose memory `memory.test.ts` searches: a node over records that it is sent, never a key. It opens and
 * works with the shares that it is sent, then closes, and says after each step that it is done.
 */
import { writeHeapSnapshot } from 'node:v8'
import { z } from 'zod'
import { FaultyStorage } from '../barrier/faulty-storage.fixture.ts'
import { SetClock } from '../barrier/test-barrier.fixture.ts'
import { assert } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { UnsealCeremony } from './ceremony.ts'
import { sealBarrier, unseal } from './lifecycle.ts'
import type { Unsealed } from './lifecycle.ts'
import { ShamirSeal } from './shamir.ts'

const Message = z.discriminatedUnion('do', [
  z.object({ do: z.literal('load'), records: z.record(z.string(), z.string()) }),
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

async function load(records: Record<string, string>): Promise<void> {
  for (const [key, value] of Object.entries(records)) {
    await storage.tamper(key, Buffer.from(value, 'base64'))
  }
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

process.on('message', async (raw: unknown) => {
  const message = Message.parse(raw)
  if (message.do === 'load') await load(message.records)
  else if (message.do === 'open') await openAndWork(message.shares, message.rotations)
  else if (message.do === 'close') close(message.properly)
  else {
    planted = message.plant
    writeHeapSnapshot(message.file)
  }
  process.send?.({ done: message.do, planted: planted.length })
})
