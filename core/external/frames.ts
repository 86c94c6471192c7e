/**
 * Frames on the pipe between the server and a plugin's process: 4 bytes that say how many follow (big endian), then so
 * much JSON in UTF-8.
 */

/** Longest frame that a server takes: a plugin's answer, with what it stores. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024
const HEADER_BYTES = 4

/** The other side says that it sends more than is taken. */
export class FrameTooLarge extends Error {
  override readonly name = 'FrameTooLarge'
  constructor(bytes: number, maxBytes: number) {
    super(`a message of ${bytes} bytes; at most ${maxBytes} are taken`)
  }
}

/** hot: every message. */
export function frameOf(text: string): Buffer {
  const bytes = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes)
  frame.writeUInt32BE(bytes)
  frame.write(text, HEADER_BYTES, 'utf8')
  return frame
}

/** Puts frames together of the pieces that arrive. */
export class FrameReader {
  readonly #maxBytes: number
  readonly #onFrame: (text: string) => void
  #pieces: Buffer[] = []
  #heldBytes = 0
  /** Bytes that the frame under way needs, its header included. */
  #neededBytes = HEADER_BYTES

  constructor(maxBytes: number, onFrame: (text: string) => void) {
    this.#maxBytes = maxBytes
    this.#onFrame = onFrame
  }

  /** hot. @throws {FrameTooLarge} */
  push(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#heldBytes += piece.length
    if (this.#heldBytes < this.#neededBytes) return
    let held = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces)
    for (;;) {
      this.#neededBytes = this.#needed(held)
      if (held.length < this.#neededBytes) break
      const text = held.toString('utf8', HEADER_BYTES, this.#neededBytes)
      held = held.subarray(this.#neededBytes)
      this.#onFrame(text)
    }
    this.#pieces = held.length === 0 ? [] : [held]
    this.#heldBytes = held.length
  }

  #needed(held: Buffer): number {
    if (held.length < HEADER_BYTES) return HEADER_BYTES
    const bytes = held.readUInt32BE()
    if (bytes > this.#maxBytes) throw new FrameTooLarge(bytes, this.#maxBytes)
    return HEADER_BYTES + bytes
  }
}
