/**
 * Lines written through a stream of libuv, which never blocks: for a standard output that is a socket.
 */
import { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { AuditWriteFailed, writeFailed } from './failures.ts'

export class StreamOutput {
  readonly #socket: Socket
  readonly #clock: Clock

  constructor(fd: number, clock: Clock) {
    this.#clock = clock
    this.#socket = new Socket({ fd, readable: false, writable: true })
    // Each write reports its own failure; without a listener the event would end the process.
    this.#socket.on('error', () => undefined)
    this.#socket.unref()
  }

  /** @throws {AuditWriteFailed} the reader has not taken it in time; what is under way may still arrive */
  write(lines: string, timeoutMs: number): Promise<void> {
    const stalled = new AuditWriteFailed('the reader of standard output has stopped reading')
    if (this.#socket.writableLength > 0) return Promise.reject(stalled)
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => reject(stalled))
      this.#socket.write(lines, (error) => {
        cancel()
        if (error) reject(writeFailed(error))
        else resolve()
      })
    })
  }
}
