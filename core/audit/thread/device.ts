/**
 * A file device in a thread of its own: a file system that hangs, hangs nothing but that thread.
 *
 * Waits    at most the write timeout for a write. After that each further write fails at once, until the thread goes on; what it
 *          writes then is in the file, though nobody was answered.
 * Fails    AuditWriteFailed, as the device in the thread says it. A thread that has died is started anew with the next write.
 * Costs    two changes of threads a write; measured, see decision 0007.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../clock.ts'
import type { AuditDevice } from '../device.ts'
import { AuditWriteFailed } from '../failures.ts'
import type { Order } from './serve.ts'

interface Waiting {
  /** The thread's answer: why it has failed, if it has. */
  readonly settle: (failure: string | undefined) => void
}

export interface ThreadDeviceOptions {
  readonly start: () => Worker
  readonly timeoutMs: number
  readonly clock: Clock
}

export class ThreadDevice implements AuditDevice {
  readonly #options: ThreadDeviceOptions
  #worker: Worker | undefined
  #gone: Promise<void> = Promise.resolve()
  /** Of the write under way, which the thread may still have when nobody waits for it any more. */
  #waiting: Waiting | undefined

  constructor(options: ThreadDeviceOptions) {
    this.#options = options
  }

  async write(lines: string): Promise<void> {
    if (this.#waiting !== undefined) throw hanging()
    const { clock, timeoutMs } = this.#options
    const written = Promise.withResolvers<void>()
    const cancel = clock.after(timeoutMs, () => written.reject(hanging()))
    this.#waiting = {
      settle(failure) {
        cancel()
        if (failure === undefined) written.resolve()
        else written.reject(new AuditWriteFailed(failure))
      },
    }
    this.#order({ write: lines })
    await written.promise
  }

  /** Whether the file can be written shows when it is. */
  check(): void {}

  reopen(): void {
    if (this.#worker !== undefined) this.#order('reopen')
  }

  /** Resolves when the file is closed, or its time is over. */
  async close(): Promise<void> {
    if (this.#worker === undefined) return
    const { clock, timeoutMs } = this.#options
    this.#order('close')
    await Promise.race([
      this.#gone,
      new Promise<void>((resolve) => clock.after(timeoutMs, () => resolve())),
    ])
  }

  #order(order: Order): void {
    this.#running().postMessage(order)
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = this.#options.start()
    this.#worker = worker
    this.#gone = new Promise((resolve) => {
      worker.on('message', (failure: string | undefined) => this.#settle(failure))
      // What it died of follows as its end.
      worker.on('error', () => undefined)
      worker.on('exit', () => {
        this.#worker = undefined
        this.#settle('the thread of the audit file has died; it is started anew')
        resolve()
      })
    })
    return worker
  }

  #settle(failure: string | undefined): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.settle(failure)
  }
}

function hanging(): AuditWriteFailed {
  return new AuditWriteFailed(
    'the file system of the audit file takes nothing within the "write_timeout"; look at its disk, or its server',
  )
}
