/**
 * The audit device that appends to a file.
 *
 * Safe     only inside the audit directory, only regular files, no symbolic link, never executable; created 0600
 *          whatever the umask. Appended in one system call, so processes may share a file.
 * Written  `write` resolves when the system has the lines (as Vault: no fsync).
 * Blocks   lines are written from the main thread, at the end of a turn. Measured (2 cores, 1.1 kB a line): through
 *          libuv's pool a request costs 84 µs instead of 42 with one connection, 40 instead of 38 with 32, the same
 *          with 256. A disk that stalls must not stop the server, though: after a slow write the next ones go through
 *          the pool, for `SLOW_REST_MS`.
 * Moved    a file that was deleted or moved away is noticed within a second, and a new one begun.
 * Fails    AuditWriteFailed; the next write opens the file anew, and begins with a newline if the last one was cut off.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  write,
  writeSync,
  type Stats,
} from 'node:fs'
import { promisify } from 'node:util'
import type { Clock } from '../clock.ts'
import { RequestError } from '../errors.ts'
import { confine } from './confine.ts'
import type { AuditDevice } from './device.ts'
import { AuditWriteFailed, writeFailed } from './failures.ts'
import type { FileSink } from './options.ts'
import { checkRotates, rotate } from './rotation.ts'

/** No request should wait longer for another's line; a write to the page cache takes some 5 µs. */
const SLOW_MS = 20
/** A large group of lines may take longer: three times what copying it to the page cache takes. */
const SLOW_CHARACTERS_PER_MS = 256 * 1024
const SLOW_REST_MS = 5_000
/** How often it is looked whether the file was deleted or moved under us, and whether others have written to it. */
const MOVED_CHECK_MS = 1_000
const ROTATE_AGAIN_MS = 10_000
const EXECUTABLE_BITS = 0o7111
const NEW_FILE_MODE = 0o600
const NEWLINE = 10
const DONE = Promise.resolve()
const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants
/** O_RDWR to see the last byte; O_NONBLOCK so that opening a FIFO does not wait for its reader. */
const OPEN_FLAGS = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK

const writeInPool = promisify(write)

export class FileDevice implements AuditDevice {
  readonly #sink: FileSink
  readonly #clock: Clock
  #fd: number | undefined
  #path = ''
  /** Of the file, as far as this process knows. */
  #size = 0
  #bornMs = 0
  #rotatesFromMs = Number.NEGATIVE_INFINITY
  /** In the name of the last file that was rotated away. */
  #rotatedAtMs = 0
  /** The file that was opened ends within a line: a write was cut off. */
  #torn = false
  /** Being written in the pool: must not be closed, its number would be given to another file. */
  #busyFd: number | undefined
  #slowUntilMs = Number.NEGATIVE_INFINITY
  #checkedAtMs = Number.NEGATIVE_INFINITY

  constructor(sink: FileSink, clock: Clock) {
    this.#sink = sink
    this.#clock = clock
  }

  /** @param lines bytes of them, too, which stay as they are until they are written */
  write(lines: string | Uint8Array): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs < this.#slowUntilMs) return this.#writeInPool(lines, nowMs)
    try {
      this.#writeNow(lines, nowMs)
      return DONE
    } catch (error) {
      return Promise.reject(this.#failed(error))
    }
  }

  check(): void {
    try {
      this.#opened(this.#clock.monotonicMs())
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** The last whole lines of the file, out of up to `maxBytes`. @throws {AuditWriteFailed} it cannot be opened */
  tail(maxBytes: number): string {
    try {
      const fd = this.#opened(this.#clock.monotonicMs())
      const { size } = fstatSync(fd)
      const bytes = Buffer.alloc(Math.min(size, maxBytes))
      const text = bytes.toString(
        'utf8',
        0,
        readSync(fd, bytes, 0, bytes.length, size - bytes.length),
      )
      return bytes.length === size ? text : text.slice(text.indexOf('\n') + 1)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  reopen(): void {
    this.close()
  }

  close(): void {
    if (this.#fd === undefined) return
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== this.#busyFd) closeQuietly(fd)
  }

  #writeNow(lines: string | Uint8Array, startedMs: number): void {
    const fd = this.#openedFor(lines, startedMs)
    const whole = this.#torn ? onNewLine(lines) : lines
    const done = typeof whole === 'string' ? writeSync(fd, whole) : writeSync(fd, whole)
    const bytes = bytesOf(whole)
    if (done < bytes) writeRest(fd, toBytes(whole), done)
    this.#size += bytes
    this.#torn = false
    const finishedMs = this.#clock.monotonicMs()
    const allowedMs = SLOW_MS + whole.length / SLOW_CHARACTERS_PER_MS
    if (finishedMs - startedMs > allowedMs) this.#slowUntilMs = finishedMs + SLOW_REST_MS
  }

  async #writeInPool(lines: string | Uint8Array, nowMs: number): Promise<void> {
    try {
      const fd = this.#openedFor(lines, nowMs)
      this.#busyFd = fd
      const bytes = toBytes(this.#torn ? onNewLine(lines) : lines)
      for (let done = 0; done < bytes.length;) {
        done += advanced((await writeInPool(fd, bytes, done)).bytesWritten)
      }
      if (this.#fd === fd) {
        this.#torn = false
        this.#size += bytes.length
      }
    } catch (error) {
      throw this.#failed(error)
    } finally {
      this.#release()
    }
  }

  #release(): void {
    const fd = this.#busyFd
    this.#busyFd = undefined
    if (fd !== undefined && fd !== this.#fd) closeQuietly(fd)
  }

  #openedFor(lines: string | Uint8Array, nowMs: number): number {
    const fd = this.#opened(nowMs)
    if (this.#sink.rotation === undefined || nowMs < this.#rotatesFromMs || !this.#isDue(lines))
      return fd
    this.#rotate(nowMs)
    return this.#opened(nowMs)
  }

  #isDue(lines: string | Uint8Array): boolean {
    const { bytes, ageMs } = this.#sink.rotation ?? {}
    if (this.#size === 0) return false
    if (bytes !== undefined && this.#size + bytesOf(lines) > bytes) return true
    return ageMs !== undefined && this.#clock.nowMs() - this.#bornMs >= ageMs
  }

  /** A file that cannot be rotated is written further, and tried again later: the requests are worth more. */
  #rotate(nowMs: number): void {
    const { rotation } = this.#sink
    if (rotation === undefined || this.#fd === undefined) return
    try {
      if (!wasMoved(this.#path, fstatSync(this.#fd))) {
        // Never twice the same: the names are to sort in the order of the files.
        this.#rotatedAtMs = Math.max(this.#clock.nowMs(), this.#rotatedAtMs + 1)
        rotate(this.#path, rotation, this.#rotatedAtMs)
      }
      this.close()
    } catch {
      this.#rotatesFromMs = nowMs + ROTATE_AGAIN_MS
    }
  }

  #opened(nowMs: number): number {
    if (this.#fd !== undefined && nowMs - this.#checkedAtMs >= MOVED_CHECK_MS) {
      this.#checkedAtMs = nowMs
      const stat = fstatSync(this.#fd)
      this.#size = stat.size
      if (wasMoved(this.#path, stat)) this.close()
    }
    if (this.#fd !== undefined) return this.#fd
    const { fd, path, stat } = openAuditFile(this.#sink)
    this.#fd = fd
    this.#path = path
    this.#size = stat.size
    this.#bornMs = stat.birthtimeMs || stat.mtimeMs
    this.#checkedAtMs = nowMs
    this.#torn = endsWithinLine(fd)
    return fd
  }

  /** The next write opens the file anew: what was in the way may be gone by then. It looks at the file's end itself. */
  #failed(error: unknown): AuditWriteFailed {
    this.close()
    // `confine` speaks to who enables a device; its text is right here, too.
    return error instanceof RequestError
      ? new AuditWriteFailed(error.message, error)
      : writeFailed(error)
  }
}

function onNewLine(lines: string | Uint8Array): string | Uint8Array {
  return typeof lines === 'string' ? `\n${lines}` : Buffer.concat([Buffer.of(NEWLINE), lines])
}

function bytesOf(lines: string | Uint8Array): number {
  return typeof lines === 'string' ? Buffer.byteLength(lines) : lines.length
}

function toBytes(lines: string | Uint8Array): Uint8Array {
  return typeof lines === 'string' ? Buffer.from(lines) : lines
}

function writeRest(fd: number, bytes: Uint8Array, from: number): void {
  for (let done = from; done < bytes.length;) done += advanced(writeSync(fd, bytes, done))
}

/** A write that does nothing and says so is an error, or the loop would not end. */
function advanced(bytes: number): number {
  if (bytes === 0) throw new AuditWriteFailed('the audit file takes no more bytes')
  return bytes
}

/** Whether another file, or none, lies where this one was opened. */
function wasMoved(path: string, opened: Stats): boolean {
  if (opened.nlink === 0) return true
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found === undefined || found.ino !== opened.ino || found.dev !== opened.dev
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // All that was written is with the system already; there is nothing left to lose.
  }
}

function openAuditFile({ path: asked, mode, auditDirectory, rotation }: FileSink): {
  fd: number
  path: string
  stat: Stats
} {
  const path = confine(asked, auditDirectory)
  if (rotation !== undefined) checkRotates(path)
  const fd = openOrCreate(path)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile())
      throw new AuditWriteFailed('the path of the audit file is not a regular file')
    const present = stat.mode & 0o7777
    const wanted = mode === 'keep' ? present & ~EXECUTABLE_BITS : mode
    if (present !== wanted) fchmodSync(fd, wanted)
    return { fd, path, stat }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Creation and opening apart: only a new file gets the mode of new files. */
function openOrCreate(path: string): number {
  try {
    const fd = openSync(path, OPEN_FLAGS | O_CREAT | O_EXCL, NEW_FILE_MODE)
    fchmodSync(fd, NEW_FILE_MODE)
    return fd
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return openSync(path, OPEN_FLAGS)
}

/** True if whoever wrote last (a process that was killed, a full disk) left half a line. */
function endsWithinLine(fd: number): boolean {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE
}
