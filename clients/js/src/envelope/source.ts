/** Where bytes come from: Node's streams, web streams, anything that is iterated. */

/** What a part holds must stay as it is until two more were asked for, and that of the last two for good. */
export type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ReadableStream<Uint8Array>

/** Reads a source in pieces of the reader's own sizes. */
export class SourceReader {
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array()
  #isOver = false

  constructor(source: Source) {
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  }

  /**
   * hot: as many bytes as `space` holds, or fewer if the source ends before.
   *
   * @returns a view of the source's own part if that has them all, else of `space`, into which they were copied
   */
  async take(space: Uint8Array): Promise<Uint8Array> {
    await this.#hasMore()
    if (this.#rest.length < space.length) return space.subarray(0, await this.#fill(space))
    const taken = this.#rest.subarray(0, space.length)
    this.#rest = this.#rest.subarray(space.length)
    return taken
  }

  async #fill(target: Uint8Array): Promise<number> {
    let filled = 0
    while (filled < target.length && (await this.#hasMore())) {
      const part = this.#rest.subarray(0, target.length - filled)
      target.set(part, filled)
      filled += part.length
      this.#rest = this.#rest.subarray(part.length)
    }
    return filled
  }

  async isOver(): Promise<boolean> {
    return !(await this.#hasMore())
  }

  /** Tells the source that no more of it is needed. */
  async close(): Promise<void> {
    if (!this.#isOver) await this.#iterator.return?.()
    this.#isOver = true
  }

  async #hasMore(): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#isOver) {
      const next = await this.#iterator.next()
      if (next.done === true) this.#isOver = true
      else this.#rest = next.value
    }
    return this.#rest.length > 0
  }
}

/** A pair for `pipeThrough`, of what turns one iterable into another. */
export function transformOf(
  work: (source: Source) => AsyncGenerator<Uint8Array, void>,
): ReadableWritablePair<Uint8Array, Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const made = work(readable)
  return {
    writable,
    readable: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const next = await made.next()
          if (next.done === true) controller.close()
          else controller.enqueue(next.value)
        },
        async cancel() {
          await made.return()
        },
      },
      { highWaterMark: 0 },
    ),
  }
}
