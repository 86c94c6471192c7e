/** The thread of a file device whose writes block as those to a dead network drive do: to a pipe, which nobody need read. */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { serve } from './serve.ts'

const { pipe }: { pipe: number } = workerData

const device = {
  write(lines: string) {
    writeSync(pipe, lines)
    return Promise.resolve()
  },
  check: () => undefined,
  reopen: () => undefined,
  close: () => undefined,
}

if (parentPort !== null) serve(parentPort, device)
