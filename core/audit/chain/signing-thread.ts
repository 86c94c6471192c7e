/** The thread that signs: hashes the entries of a stage, and answers with their checkpoint. See `signer.ts`. */
import { KeyObject } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { checkpointLine } from './checkpoint-line.ts'
import { digestsOf } from './link.ts'
import type { SigningOrder, SigningThread } from './signer.ts'

function isSigningThread(value: unknown): value is SigningThread {
  return (
    typeof value === 'object' &&
    value !== null &&
    'signingKey' in value &&
    value.signingKey instanceof KeyObject &&
    'memories' in value &&
    Array.isArray(value.memories)
  )
}

const port = parentPort
if (port !== null) {
  const given: unknown = workerData
  if (!isSigningThread(given)) throw new Error('assertion failed: the thread got no key')
  const stages = given.memories.map((memory) => new Uint8Array(memory))
  port.on('message', ({ stage, bytes, interval, nowMs }: SigningOrder) => {
    const digests = digestsOf(stages[stage]?.subarray(0, bytes) ?? new Uint8Array())
    port.postMessage(checkpointLine({ ...interval, digests }, given.signingKey, nowMs))
  })
}
