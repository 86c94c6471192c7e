/** What a command reads as bytes: a file, or standard input (`-`). */
import { open } from 'node:fs/promises'
import { release } from './byte-output.ts'
import { fileParts } from './file-parts.ts'
import { progressBar } from './progress.ts'
import type { Terminal } from './terminal.ts'

export interface ByteInput {
  /** Each part holds its bytes until two more were asked for. */
  readonly parts: AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** With a progress bar for large files, where a person looks on. @throws what the file system says */
export async function openByteInput(name: string, terminal: Terminal): Promise<ByteInput> {
  if (name === '-') return { parts: givenBack(terminal.input()), close: async () => undefined }
  const file = await open(name)
  const { size } = await file.stat()
  const progress = progressBar(size, terminal)
  return {
    parts: progress.watch(fileParts(file)),
    async close() {
      progress.clear()
      await file.close()
    },
  }
}

/** The memory of each part is given back as soon as two more are asked for. */
async function* givenBack(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let before: Uint8Array | undefined
  for await (const part of parts) {
    yield part
    if (before !== undefined) release(before)
    before = part
  }
}
