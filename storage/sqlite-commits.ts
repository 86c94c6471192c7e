/**
 * The main thread's end of the commit thread: all commits of one turn of the event loop go there as one message. If
 * the thread dies, those that it had fail with an unknown outcome, and the next commit starts another.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { StorageUnavailable } from './contract.ts'
import { checkCommit } from './limits.ts'
import { unavailable } from './sqlite-file.ts'
import { BatchWriter } from './sqlite-message.ts'
import type { Commit, CommitResult } from './contract.ts'
import type { Answer } from './sqlite-batch.ts'
import type { CommitterOptions } from './sqlite-committer.ts'

interface Waiting {
  readonly resolve: (result: CommitResult) => void
  readonly reject: (error: Error) => void
}

/** @param start makes the thread anew; the tests' way to get hold of it */
export class CommitThread {
  readonly #start: () => Worker
  readonly #batch = new BatchWriter()
  /** In the batch that the end of this turn sends. */
  #gathered: Waiting[] = []
  /** At the thread, in the order of their answers. */
  #sent: Waiting[] = []
  #worker: Worker | undefined
  #gone: Promise<void> = Promise.resolve()
  #closed = false

  constructor(start: () => Worker) {
    this.#start = start
    this.#thread()
  }

  /** hot: on the way of each write. */
  async commit(change: Commit): Promise<CommitResult> {
    checkCommit(change)
    if (this.#closed) throw new StorageUnavailable('the storage is closed')
    return new Promise((resolve, reject) => {
      this.#batch.add(change)
      this.#gathered.push({ resolve, reject })
      if (this.#gathered.length === 1) process.nextTick(this.#flush)
    })
  }

  /** Finishes what was committed and joins the thread. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      this.#flush()
      this.#worker?.postMessage('close')
    }
    await this.#gone
  }

  readonly #flush = () => {
    if (this.#gathered.length === 0) return
    const batch = this.#batch.take()
    for (const waiting of this.#gathered) this.#sent.push(waiting)
    this.#gathered = []
    this.#thread().postMessage(batch, [batch.buffer])
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = this.#start()
    let cause: unknown
    this.#worker = worker
    this.#gone = new Promise((resolve) => {
      worker.on('message', (answers: readonly Answer[]) => this.#settle(answers))
      worker.on('error', (error) => {
        cause = error
      })
      worker.on('exit', () => {
        this.#worker = undefined
        this.#failSent(cause)
        resolve()
      })
    })
    return worker
  }

  #settle(answers: readonly Answer[]): void {
    const answered = this.#sent.splice(0, answers.length)
    for (const [index, answer] of answers.entries()) {
      const waiting = answered[index]
      if (waiting === undefined) continue
      if (typeof answer === 'number') waiting.resolve({ revision: answer })
      else if (typeof answer === 'string') waiting.resolve({ conflict: answer })
      else waiting.reject(unavailable(answer))
    }
  }

  #failSent(cause: unknown): void {
    const lost = this.#sent
    this.#sent = []
    for (const { reject } of lost) {
      reject(
        new StorageUnavailable('the commit thread died; it is started anew', {
          cause,
          outcomeUnknown: true,
        }),
      )
    }
  }
}

/**
 * Young objects of the thread. It hands each batch on and keeps little, yet by default its heap would grow to 70 MB: with
 * this to 16 (measured while 100,000 tokens were made), and a commit costs no more.
 */
const MAX_YOUNG_MB = 6

/** The thread's file lies beside this one, as source or compiled. It gets neither our environment nor our flags. */
export function startCommitter(options: CommitterOptions): Worker {
  const file = new URL(`./sqlite-committer${extname(import.meta.url)}`, import.meta.url)
  return new Worker(file, {
    workerData: options,
    env: {},
    execArgv: [],
    name: 'storage commits',
    resourceLimits: { maxYoungGenerationSizeMb: MAX_YOUNG_MB },
  })
}
