/**
 * Signs in a thread of its own: to hash a line costs more than the rest of what a chain does to it, and nothing waits for it.
 * If the thread dies, who asked signs by himself.
 */
import type { KeyObject } from 'node:crypto'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Checkpoint } from './checkpoint.ts'

export interface SigningThread {
  readonly signingKey: KeyObject
  /** Of the stages. */
  readonly memories: readonly SharedArrayBuffer[]
}

export interface SigningOrder {
  /** Which of the stages holds the lines. */
  readonly stage: number
  readonly bytes: number
  readonly interval: Omit<Checkpoint, 'digests'>
  readonly nowMs: number
}

export class Signer {
  readonly #start: () => Worker
  #worker: Worker | undefined
  #waiting: ((checkpoint: string | undefined) => void) | undefined

  /** @param start makes the thread, once there is something to sign */
  constructor(start: () => Worker) {
    this.#start = start
  }

  /** One at a time. @returns the checkpoint's line; `undefined`: the thread has died */
  sign(order: SigningOrder): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#waiting = resolve
      this.#running().postMessage(order)
    })
  }

  close(): void {
    void this.#worker?.terminate()
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = this.#start()
    this.#worker = worker
    worker.on('message', (checkpoint: string) => this.#waiting?.(checkpoint))
    // What it died of follows as its end.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      this.#worker = undefined
      this.#waiting?.(undefined)
    })
    worker.unref()
    return worker
  }
}

/** Its file lies beside this one, as source or compiled. It gets neither our environment nor our flags. */
export function startSigningThread(given: SigningThread): Worker {
  const file = new URL(`./signing-thread${extname(import.meta.url)}`, import.meta.url)
  return new Worker(file, {
    workerData: given,
    env: {},
    execArgv: [],
    name: 'audit signatures',
    resourceLimits: { maxYoungGenerationSizeMb: MAX_YOUNG_MB },
  })
}

/** It keeps nothing. */
const MAX_YOUNG_MB = 4
