/**
 * The audit device that writes to standard output.
 *
 * A pipe whose reader has stopped reading would stop the whole server if it were written as Node does it
 * (synchronously, blocking). So the device opens its own, non-blocking description of the same pipe or terminal; what
 * does not fit is tried again every `RETRY_MS`. After `WRITE_TIMEOUT_MS` the write fails, and further ones fail at once
 * until the reader goes on. A regular file (`> audit.log`) cannot stall like that and is written as it is.
 *
 * Where the system refuses a second description (a socket, as journald gives; a pipe of another user), `StreamOutput`
 * writes through libuv's, which makes the shared one non-blocking.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import type { AuditDevice } from './device.ts'
import { AuditWriteFailed, writeFailed } from './failures.ts'
import { StreamOutput } from './stream-output.ts'

/** As Vault's socket device. */
const WRITE_TIMEOUT_MS = 2_000
const RETRY_MS = 5
const NEWLINE = 10

export class StdoutDevice implements AuditDevice {
  readonly #clock: Clock
  readonly #output: number
  #fd: number | undefined
  #stream: StreamOutput | undefined
  /** A line was begun and cut off. */
  #torn = false
  #stalled = false

  /** @param output the descriptor, for tests */
  constructor(clock: Clock, output = 1) {
    this.#clock = clock
    this.#output = output
  }

  async write(lines: string): Promise<void> {
    try {
      this.check()
      if (this.#stream !== undefined) await this.#stream.write(lines, WRITE_TIMEOUT_MS)
      else await this.#writeOwn(Buffer.from(this.#torn ? `\n${lines}` : lines))
    } catch (error) {
      throw writeFailed(error)
    }
  }

  check(): void {
    if (this.#fd !== undefined || this.#stream !== undefined) return
    const stat = fstatSync(this.#output)
    if (stat.isFile()) this.#fd = this.#output
    else if (!stat.isSocket()) this.#fd = openAgain(this.#output)
    if (this.#fd === undefined) this.#stream = new StreamOutput(this.#output, this.#clock)
  }

  /** Standard output cannot be moved away. */
  reopen(): void {}

  close(): void {
    if (this.#fd !== undefined && this.#fd !== this.#output) closeSync(this.#fd)
    this.#fd = undefined
    this.#stream = undefined
  }

  async #writeOwn(bytes: Buffer): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + (this.#stalled ? 0 : WRITE_TIMEOUT_MS)
    for (let done = 0; done < bytes.length;) {
      if (this.#fd === undefined) throw new AuditWriteFailed('the audit device was closed')
      const written = writeSome(this.#fd, bytes, done)
      done += written
      if (done > 0) this.#torn = bytes[done - 1] !== NEWLINE
      if (written > 0) continue
      if (this.#clock.monotonicMs() >= deadlineMs) {
        this.#stalled = true
        throw new AuditWriteFailed('the reader of standard output has stopped reading')
      }
      await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve))
    }
    this.#stalled = false
  }
}

/** `undefined`: the system refuses it. */
function openAgain(output: number): number | undefined {
  const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants
  try {
    return openSync(`/proc/self/fd/${output}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
  } catch (error) {
    // Nobody has the other end of the pipe open.
    if (hasCode(error, 'ENXIO'))
      throw new AuditWriteFailed('the reader of standard output is gone', error)
    return undefined
  }
}

/** @returns bytes written; 0: the pipe is full */
function writeSome(fd: number, bytes: Buffer, from: number): number {
  try {
    return writeSync(fd, bytes, from)
  } catch (error) {
    if (hasCode(error, 'EAGAIN')) return 0
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
