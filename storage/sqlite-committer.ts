/**
 * The commit thread of `sqlite.ts`: takes all commits that wait, writes them as one batch, answers, then tidies up.
 * So an fsync (0.1 to 15 ms) never stops the main thread, and those who wait share it.
 *
 * In: a batch (`sqlite-message.ts`), or 'close'. Out: a list of answers, in order.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { SqliteBatches } from './sqlite-batch.ts'
import { connect, failureOf } from './sqlite-file.ts'
import { BatchReader } from './sqlite-message.ts'
import type { MessagePort } from 'node:worker_threads'
import type { BatchOptions } from './sqlite-batch.ts'

/** Without a commit for so long, the log is copied into the file: a next start reads less, and a backup is whole. */
const IDLE_MS = 500
/** Batches taken into one transaction; bounds its size and the wait of the first. */
const MOST_BATCHES = 64

export interface CommitterOptions extends BatchOptions {
  readonly path: string
}

function serve(port: MessagePort, options: CommitterOptions): void {
  let batches: SqliteBatches | undefined
  let idleTimer: NodeJS.Timeout | undefined

  /** Opened by the first who needs it, so that commits fail one by one while the file cannot be opened. */
  const open = () =>
    (batches ??= new SqliteBatches(connect(options.path, options.lockWaitMs), options))

  const answer = (waiting: readonly Buffer[]) => {
    try {
      return open().run(waiting)
    } catch (error) {
      const failure = failureOf(error, 'write')
      return waiting.flatMap((batch) =>
        Array.from({ length: new BatchReader(batch).count }, () => failure),
      )
    }
  }

  const close = () => {
    clearTimeout(idleTimer)
    batches?.close()
    port.close()
  }

  port.on('message', (first: unknown) => {
    const waiting: Buffer[] = []
    let message = first
    while (message instanceof Uint8Array) {
      waiting.push(Buffer.from(message.buffer, message.byteOffset, message.byteLength))
      message = waiting.length < MOST_BATCHES ? receiveMessageOnPort(port)?.message : undefined
    }
    if (waiting.length > 0) {
      port.postMessage(answer(waiting))
      batches?.tidy({ idle: false })
    }
    if (message === 'close') return close()
    if (message !== undefined) throw new Error('assertion failed: the commit thread got no batch')
    idleTimer ??= setTimeout(() => batches?.tidy({ idle: true }), IDLE_MS)
    idleTimer.refresh()
  })
  try {
    open()
  } catch {
    // The first commit tries again, and is told why.
  }
}

function isOptions(value: unknown): value is CommitterOptions {
  return (
    typeof value === 'object' &&
    value !== null &&
    'path' in value &&
    typeof value.path === 'string' &&
    'commitsKept' in value &&
    typeof value.commitsKept === 'number' &&
    'lockWaitMs' in value &&
    typeof value.lockWaitMs === 'number'
  )
}

if (parentPort !== null) {
  if (!isOptions(workerData)) throw new Error('assertion failed: the commit thread got no options')
  serve(parentPort, workerData)
}
