/**
 * Where a command writes bytes that count only once all of them are there: a file, which gets its name at the end, or
 * standard output, which cannot take anything back.
 */
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { systemRandom } from '../../core/random.ts'
import type { Terminal } from './terminal.ts'

export interface ByteOutput {
  /** @param part the output's own from now on: it may be gone when the next one is taken */
  write(part: Uint8Array): Promise<void>
  /** All is there. */
  finish(): Promise<void>
  /** What was written does not count. */
  discard(): Promise<void>
}

const OWNER_ONLY = 0o600

/** @param path undefined or `-`: standard output. @throws what the file system says */
export async function openByteOutput(
  path: string | undefined,
  terminal: Terminal,
): Promise<ByteOutput> {
  if (path === undefined || path === '' || path === '-') return standardOutput(terminal)
  const fresh = `${path}.${systemRandom.base62(8)}.tmp`
  return new FreshFile(await open(fresh, 'wx', OWNER_ONLY), fresh, path)
}

function standardOutput(terminal: Terminal): ByteOutput {
  return {
    async write(part) {
      await terminal.send(part)
      release(part)
    },
    finish: async () => undefined,
    discard: async () => undefined,
  }
}

/** Writes one part while the next one is made. */
class FreshFile implements ByteOutput {
  readonly #file: FileHandle
  readonly #fresh: string
  readonly #path: string
  #written: Promise<void> = Promise.resolve()

  constructor(file: FileHandle, fresh: string, path: string) {
    this.#file = file
    this.#fresh = fresh
    this.#path = path
  }

  async write(part: Uint8Array): Promise<void> {
    await this.#written
    this.#written = writeWhole(this.#file, part)
    // It is said when it is waited for, with the next part or at the end.
    this.#written.catch(() => undefined)
  }

  async finish(): Promise<void> {
    await this.#written
    await this.#file.sync()
    await this.#file.close()
    await rename(this.#fresh, this.#path)
  }

  async discard(): Promise<void> {
    await this.#written.catch(() => undefined)
    await this.#file.close()
    await rm(this.#fresh, { force: true })
  }
}

async function writeWhole(file: FileHandle, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.length;) at += (await file.write(part, at)).bytesWritten
  release(part)
}

/** Its memory is given back now, and not when there is much to collect. */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
