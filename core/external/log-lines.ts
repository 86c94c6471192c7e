/** What a plugin prints, for the server's log: line by line, shortened, and no more than so many at a time. */
import type { Clock } from '../clock.ts'

const MAX_LINE_CHARACTERS = 1024
/** Lines that are taken within a span; what comes beyond them is not even looked at. */
const MAX_LINES = 50
const SPAN_MS = 10_000

export class LogLines {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #write: (line: string) => void
  #held = ''
  #spanStartedMs = -Infinity
  #lines = 0
  #droppedBytes = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>, write: (line: string) => void) {
    this.#clock = clock
    this.#write = write
  }

  push(piece: Buffer): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#spanStartedMs >= SPAN_MS) {
      this.#tellDropped()
      this.#spanStartedMs = nowMs
      this.#lines = 0
    }
    if (this.#lines >= MAX_LINES) {
      this.#droppedBytes += piece.length
      return
    }
    const lines = (this.#held + piece.toString('utf8')).split('\n')
    this.#held = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS + 1)
    for (const line of lines) this.#line(line)
  }

  /** What came without the end of a line, and how much was dropped. */
  end(): void {
    if (this.#held !== '') this.#line(this.#held)
    this.#held = ''
    this.#tellDropped()
  }

  #line(line: string): void {
    if (this.#lines++ >= MAX_LINES) {
      this.#droppedBytes += line.length
      return
    }
    const isLong = line.length > MAX_LINE_CHARACTERS
    this.#write(isLong ? `${line.slice(0, MAX_LINE_CHARACTERS)}…` : line)
  }

  #tellDropped(): void {
    if (this.#droppedBytes > 0) this.#write(`(${this.#droppedBytes} more bytes were dropped)`)
    this.#droppedBytes = 0
  }
}
