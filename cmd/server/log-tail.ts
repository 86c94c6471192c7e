/**
 * Those who follow the server's log while it is written (`sys/monitor`), each at a level of its own.
 *
 * Never waits  A reader that is too slow loses lines; once it reads on, a line says how many.
 * Bounded      `MAX_READERS`, and `MAX_WAITING_LINES` for each.
 * Costs        Nothing while nobody reads.
 */
import { TooManyFollowers, type Follow } from '../../engines/system/paths/monitor.ts'
import { compareLevels, type LogLevel } from '../../engines/system/log-level.ts'
import { asText, droppedLine, noticeLine, type LogFormat } from './log-text.ts'

/** A few people and a collector look at a node at the same time. */
const MAX_READERS = 16
/** As Vault keeps for each. */
const MAX_WAITING_LINES = 512

export class LogTail {
  readonly #readers = new Set<Reader>()
  readonly #changed: () => void

  /** @param changed told when `level` may be another */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** The lowest that anybody asked for; undefined: nobody reads. */
  get level(): LogLevel | undefined {
    const [lowest] = Array.from(this.#readers, ({ level }) => level).sort(compareLevels)
    return lowest
  }

  /** @throws {TooManyFollowers} */
  readonly follow: Follow = ({ level, format }) => {
    if (this.#readers.size >= MAX_READERS) throw new TooManyFollowers(MAX_READERS)
    return {
      [Symbol.asyncIterator]: () => {
        const reader = new Reader(level, format, () => this.#remove(reader))
        this.#readers.add(reader)
        this.#changed()
        return reader
      },
    }
  }

  /** hot: with a reader, every line. @param line JSON, with its newline */
  write(line: string, level: LogLevel): void {
    for (const reader of this.#readers) {
      if (compareLevels(level, reader.level) >= 0) reader.add(line)
    }
  }

  /** The node is sealed: it tells nothing more to those who were allowed to ask while it was open. */
  end(): void {
    const msg = 'core: the server is sealed, which ends this stream of its log'
    for (const reader of this.#readers) {
      reader.add(noticeLine({ msg }, 'json'))
      reader.end()
    }
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader)
    this.#changed()
  }
}

class Reader implements AsyncIterator<string, undefined> {
  readonly level: LogLevel
  readonly #format: LogFormat
  readonly #onEnd: () => void
  #waiting: string[] = []
  #droppedLines = 0
  #ended = false
  #wake: () => void = () => undefined

  constructor(level: LogLevel, format: LogFormat, onEnd: () => void) {
    this.level = level
    this.#format = format
    this.#onEnd = onEnd
  }

  add(line: string): void {
    if (this.#ended) return
    if (this.#waiting.length < MAX_WAITING_LINES) this.#waiting.push(line)
    else this.#droppedLines++
    this.#wake()
  }

  /** What waits is still read. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd()
    this.#wake()
  }

  /** All lines that wait, as one text. */
  async next(): Promise<IteratorResult<string, undefined>> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#waiting.length === 0) return { done: true, value: undefined }
    const lines = this.#waiting.map((line) => (this.#format === 'json' ? line : asText(line)))
    const dropped = this.#droppedLines
    this.#waiting = []
    this.#droppedLines = 0
    if (dropped > 0) lines.push(droppedLine(dropped, this.#format))
    return { done: false, value: lines.join('') }
  }

  return(): Promise<IteratorResult<string, undefined>> {
    this.#waiting = []
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }
}
