/** Starts the thread of a file device. */
import type { KeyObject } from 'node:crypto'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { FileSink } from '../options.ts'

/** What the thread is given. */
export interface FileThread {
  readonly sink: FileSink
  /** Of a chain. */
  readonly signingKey: KeyObject | undefined
}

/** Its file lies beside this one, as source or compiled. It gets neither our environment nor our flags. */
export function startFileThread(given: FileThread): Worker {
  const file = new URL(`./file${extname(import.meta.url)}`, import.meta.url)
  const worker = new Worker(file, {
    workerData: given,
    env: {},
    execArgv: [],
    name: 'audit file',
    resourceLimits: { maxYoungGenerationSizeMb: MAX_YOUNG_MB },
  })
  // What is written is waited for; a file that hangs must not keep a server from ending.
  worker.unref()
  return worker
}

/** Lines come, are written and are gone. */
const MAX_YOUNG_MB = 6
