/** In a plugin's process: takes what the server says, and answers. */
import type { Socket } from 'node:net'
import { parseJson, stringifyJson } from '../../json.ts'
import { frameOf, FrameReader, MAX_FRAME_BYTES } from '../frames.ts'
import type { FromPlugin } from '../messages.ts'
import { fromServer, type FromServer } from '../protocol.ts'
import type { Calls } from './calls.ts'
import type { ListOptions, Source, Written } from './remote-records.ts'

/** The server bounds what it sends. */
const MAX_FROM_SERVER_BYTES = 2 ** 32 - 1

interface Waiting {
  readonly resolve: (answer: Extract<FromServer, { ask: number }>) => void
}

export class Conversation {
  readonly #pipe: Socket
  readonly #calls: Calls
  readonly #asked = new Map<number, Waiting>()
  readonly #underWay = new Map<number, AbortController>()
  #asks = 0
  #corked = false

  constructor(pipe: Socket, calls: Calls) {
    this.#pipe = pipe
    this.#calls = calls
    const reader = new FrameReader(MAX_FROM_SERVER_BYTES, (text) => this.#hear(text))
    pipe.on('data', (piece: Buffer) => reader.push(piece))
  }

  /** hot: what is said in one turn of the event loop is one write. */
  say(message: FromPlugin): void {
    // An answer's times are written as the server writes those of its own engines.
    const text = message.say === 'done' ? stringifyJson(message) : JSON.stringify(message)
    const frame = frameOf(text)
    if (frame.length > MAX_FRAME_BYTES) {
      throw new Error(`a message of ${frame.length} bytes; at most ${MAX_FRAME_BYTES} are taken`)
    }
    if (!this.#corked) {
      this.#corked = true
      this.#pipe.cork()
      process.nextTick(() => {
        this.#corked = false
        this.#pipe.uncork()
      })
    }
    this.#pipe.write(frame)
  }

  #hear(text: string): void {
    const message = fromServer.parse(parseJson(text))
    switch (message.say) {
      case 'call':
        void this.#answer(message)
        return
      case 'cancel':
        this.#underWay.get(message.call)?.abort()
        return
      case 'ping':
        this.say({ say: 'pong' })
        return
      case 'record':
      case 'names':
      case 'refused':
        this.#asked.get(message.ask)?.resolve(message)
        this.#asked.delete(message.ask)
    }
  }

  async #answer({ call, work, known }: Extract<FromServer, { say: 'call' }>): Promise<void> {
    const abort = new AbortController()
    this.#underWay.set(call, abort)
    const outcome = await this.#calls.answer(work, known, this.#source(call), abort.signal)
    this.#underWay.delete(call)
    try {
      this.say({ ...outcome, call })
    } catch (error) {
      // What is answered is no JSON, or too much of it.
      const stack = error instanceof Error ? error.message : ''
      this.say({ say: 'failed', call, error: { stack } })
    }
  }

  /** The records as the server has them for this call. */
  #source(call: number): Source {
    return {
      get: async (key) => {
        const answer = await this.#ask({ say: 'get', call, ask: ++this.#asks, key })
        if (answer.say !== 'record') throw new StorageRefused()
        return answer.text
      },
      list: async (prefix: string, options: ListOptions, writes: readonly Written[]) => {
        const ask = ++this.#asks
        const message = { say: 'list', call, ask, prefix, ...options, writes } as const
        const answer = await this.#ask(message)
        if (answer.say !== 'names') throw new StorageRefused()
        return [...answer.names]
      },
    }
  }

  #ask(
    message: Extract<FromPlugin, { ask: number }>,
  ): Promise<Extract<FromServer, { ask: number }>> {
    return new Promise((resolve) => {
      this.#asked.set(message.ask, { resolve })
      this.say(message)
    })
  }
}

/** The server could not read, or would not; it knows why, and answers the client so. */
class StorageRefused extends Error {
  override readonly name = 'StorageRefused'
  constructor() {
    super('the server could not read the records')
  }
}
