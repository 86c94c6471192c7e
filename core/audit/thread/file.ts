/** The thread of a file device, started with what `start.ts` gives it. */
import { KeyObject } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../clock.ts'
import { fileDevice } from '../chain/device.ts'
import { serve } from './serve.ts'
import type { FileThread } from './start.ts'

function isFileThread(value: unknown): value is FileThread {
  return (
    typeof value === 'object' &&
    value !== null &&
    'sink' in value &&
    typeof value.sink === 'object' &&
    value.sink !== null &&
    'kind' in value.sink &&
    value.sink.kind === 'file' &&
    'signingKey' in value &&
    (value.signingKey === undefined || value.signingKey instanceof KeyObject)
  )
}

if (parentPort !== null) {
  if (!isFileThread(workerData)) throw new Error('assertion failed: the thread got no file')
  serve(parentPort, fileDevice(workerData.sink, workerData.signingKey, systemClock))
}
