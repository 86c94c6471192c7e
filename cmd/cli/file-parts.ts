/** The bytes of a file in large parts, read ahead into the same few buffers: for files of any size in constant memory. */
import type { FileHandle } from 'node:fs/promises'

/** Two frames of an envelope: not all of them have to be put together. */
const PART_BYTES = 2 * 1_048_576
/** One that its reader has, one that it looks ahead to, one that is being filled. */
const BUFFERS = 3

/**
 * @returns parts, each of which holds its bytes until two more were asked for, and the last ones for good. The file stays open
 */
export async function* fileParts(file: FileHandle): AsyncGenerator<Buffer> {
  const buffers = Array.from({ length: BUFFERS }, () => Buffer.allocUnsafeSlow(PART_BYTES))
  let next = 0
  const read = () => file.read(buffers[next++ % BUFFERS] ?? Buffer.alloc(0))
  let pending = read()
  try {
    for (;;) {
      const { bytesRead, buffer } = await pending
      if (bytesRead === 0) return
      pending = read()
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    // The file may be closed only when nothing is being read; why that failed was said, or does not matter any more.
    await pending.catch(() => undefined)
  }
}
