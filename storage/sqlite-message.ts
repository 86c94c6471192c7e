/**
 * Commits as bytes, on their way to the commit thread: all commits of a turn lie in one buffer, whose memory is handed
 * over, not copied. (Structured clone of the same Maps and Buffers costs the main thread several times as much.)
 *
 *   batch   count u32 | commit...
 *   commit  length u32 (of all that follows) | expected u32 | puts u16 | deletes u16
 *           | (key, revision f64)... | (key, length u32, value)... | key...
 *   key     length u16 | UTF-8
 *
 * Little endian. Both ends are of one release and one process, so there is no version.
 */
import type { Commit } from './contract.ts'

const COUNT_BYTES = 4
const COMMIT_HEAD_BYTES = 12
/** An entry's fixed part at its largest: the key's length and a revision. */
const ENTRY_BYTES = 2 + 8
const MAX_BYTES_PER_UNIT = 3
/** Fits the commits of a quiet server; a busy one grows to what its last batch took. */
const FIRST_BYTES = 16 * 1024
/** A batch above this does not set the size of the next. */
const LARGEST_FIRST_BYTES = 1024 * 1024

/** hot: `add` runs in each commit, on the main thread (bench: KV v2 write). */
export class BatchWriter {
  #bytes: Buffer<ArrayBuffer> | undefined
  #used = COUNT_BYTES
  #nextBytes = FIRST_BYTES
  count = 0

  /** Copies all of `change`, which must have passed `checkCommit`. */
  add(change: Commit): void {
    const bytes = this.#room(largestSize(change))
    const start = this.#used
    let at = start + 4
    at = bytes.writeUInt32LE(change.expect.size, at)
    at = bytes.writeUInt16LE(change.put.size, at)
    at = bytes.writeUInt16LE(change.delete.size, at)
    for (const [key, revision] of change.expect) {
      at = writeKey(bytes, key, at)
      at = bytes.writeDoubleLE(revision, at)
    }
    for (const [key, value] of change.put) {
      at = writeKey(bytes, key, at)
      at = bytes.writeUInt32LE(value.length, at)
      bytes.set(value, at)
      at += value.length
    }
    for (const key of change.delete) at = writeKey(bytes, key, at)
    bytes.writeUInt32LE(at - start - 4, start)
    this.#used = at
    this.count += 1
  }

  /** The batch so far; the writer begins a new one. */
  take(): Buffer<ArrayBuffer> {
    const bytes = this.#bytes ?? Buffer.allocUnsafeSlow(COUNT_BYTES)
    bytes.writeUInt32LE(this.count, 0)
    this.#nextBytes = Math.min(Math.max(FIRST_BYTES, this.#used * 2), LARGEST_FIRST_BYTES)
    const batch = bytes.subarray(0, this.#used)
    this.#bytes = undefined
    this.#used = COUNT_BYTES
    this.count = 0
    return batch
  }

  #room(needed: number): Buffer<ArrayBuffer> {
    const bytes = this.#bytes
    if (bytes !== undefined && bytes.length - this.#used >= needed) return bytes
    const grown = Buffer.allocUnsafeSlow(
      Math.max(this.#nextBytes, (this.#used + needed) * (bytes === undefined ? 1 : 2)),
    )
    if (bytes !== undefined) grown.set(bytes.subarray(0, this.#used))
    this.#bytes = grown
    return grown
  }
}

/** Walks the commits of a batch. Values are views into it. */
export class BatchReader {
  readonly #bytes: Buffer
  #at = COUNT_BYTES
  /** Commits of the whole batch. */
  readonly count: number
  #left: number

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.count = bytes.readUInt32LE(0)
    this.#left = this.count
  }

  /** The next commit; what the last one left unread is skipped. */
  next(): CommitReader | undefined {
    if (this.#left === 0) return undefined
    this.#left -= 1
    const start = this.#at + 4
    this.#at = start + this.#bytes.readUInt32LE(this.#at)
    return new CommitReader(this.#bytes, start)
  }
}

/** Reads one commit strictly forwards: expected keys, then puts, then deletes. May be read again from its start. */
export class CommitReader {
  readonly #bytes: Buffer
  readonly #start: number
  #at = 0
  expected = 0
  puts = 0
  deletes = 0

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes
    this.#start = start
    this.rewind()
  }

  rewind(): void {
    this.expected = this.#bytes.readUInt32LE(this.#start)
    this.puts = this.#bytes.readUInt16LE(this.#start + 4)
    this.deletes = this.#bytes.readUInt16LE(this.#start + 6)
    this.#at = this.#start + COMMIT_HEAD_BYTES - 4
  }

  key(): string {
    const from = this.#at + 2
    this.#at = from + this.#bytes.readUInt16LE(this.#at)
    return this.#bytes.toString('utf8', from, this.#at)
  }

  revision(): number {
    this.#at += 8
    return this.#bytes.readDoubleLE(this.#at - 8)
  }

  value(): Buffer {
    const from = this.#at + 4
    this.#at = from + this.#bytes.readUInt32LE(this.#at)
    return this.#bytes.subarray(from, this.#at)
  }
}

function writeKey(bytes: Buffer, key: string, at: number): number {
  const length = bytes.write(key, at + 2, 'utf8')
  bytes.writeUInt16LE(length, at)
  return at + 2 + length
}

function largestSize(change: Commit): number {
  let size = COMMIT_HEAD_BYTES
  for (const key of change.expect.keys()) size += ENTRY_BYTES + key.length * MAX_BYTES_PER_UNIT
  for (const [key, value] of change.put) {
    size += ENTRY_BYTES + key.length * MAX_BYTES_PER_UNIT + value.length
  }
  for (const key of change.delete) size += ENTRY_BYTES + key.length * MAX_BYTES_PER_UNIT
  return size
}
