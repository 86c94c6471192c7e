/**
 * Where the log's lines go: a descriptor that may be a file, a terminal, a pipe or a socket.
 *
 * Never blocks  A pipe whose reader has stopped reading would hold a thread, and with it the end of the process. So a
 *               pipe or terminal is opened anew for ourselves, non-blocking; a socket (as journald gives) is written
 *               through libuv's.
 * Bounded       What is not taken waits, up to `MAX_WAITING_BYTES`; lines beyond that are dropped, and once the reader
 *               goes on a line says how many.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { systemClock } from '../../core/clock.ts'
import { errorCode } from '../../core/http/listener-refused.ts'

const MAX_WAITING_BYTES = 4 << 20
const RETRY_MS = 20

export interface LogOutput {
  write(line: string): void
  close(): void
}

/** @param dropped the line that tells how many others are missing */
export function openLogOutput(fd: number, dropped: (count: number) => string): LogOutput {
  if (fstatSync(fd).isFile()) return new DescriptorOutput(fd, dropped)
  const own = openAgain(fd)
  return own === undefined ? new SocketOutput(fd) : new DescriptorOutput(own, dropped)
}

/** `undefined`: the system refuses it. */
function openAgain(fd: number): number | undefined {
  const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
  } catch {
    return undefined
  }
}

class DescriptorOutput implements LogOutput {
  readonly #fd: number
  readonly #dropped: (count: number) => string
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #droppedLines = 0
  #isGone = false
  #cancelRetry: () => void = () => undefined

  constructor(fd: number, dropped: (count: number) => string) {
    this.#fd = fd
    this.#dropped = dropped
  }

  write(line: string): void {
    if (this.#isGone) return
    const bytes = Buffer.from(line)
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#droppedLines++
      return
    }
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#waiting.length === 1) this.#drain()
  }

  /** What the reader does not take now is lost. */
  close(): void {
    this.#drain()
    this.#isGone = true
    this.#cancelRetry()
    if (this.#fd > 2) closeSync(this.#fd)
  }

  #drain(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const written = this.#writeSome(first)
      this.#waitingBytes -= written
      if (written < first.length) {
        this.#waiting[0] = first.subarray(written)
        if (written === 0) return this.#later()
        continue
      }
      this.#waiting.shift()
    }
    if (this.#droppedLines === 0) return
    const notice = this.#dropped(this.#droppedLines)
    this.#droppedLines = 0
    this.write(notice)
  }

  #later(): void {
    this.#cancelRetry()
    if (!this.#isGone) this.#cancelRetry = systemClock.after(RETRY_MS, () => this.#drain())
  }

  /** @returns bytes taken; all of them where nobody can have them any more */
  #writeSome(bytes: Buffer): number {
    if (this.#isGone) return bytes.length
    try {
      return writeSync(this.#fd, bytes)
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') return 0
      // The reader is gone for good; a full disk may have room for later lines.
      if (errorCode(error) === 'EPIPE') this.#isGone = true
      return bytes.length
    }
  }
}

class SocketOutput implements LogOutput {
  readonly #socket: Socket

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true })
    this.#socket.on('error', () => undefined)
    this.#socket.unref()
  }

  write(line: string): void {
    if (this.#socket.writable && this.#socket.writableLength <= MAX_WAITING_BYTES) {
      this.#socket.write(line)
    }
  }

  close(): void {
    this.#socket.end()
  }
}
