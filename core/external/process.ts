/**
 * One running process of a plugin, and the calls that are under way in it.
 *
 * Keeps    a call sees the records of its own view alone, and what it wrote is applied when it is done, or not at all.
 * Ends     with its pipe, with nonsense on it, or when it does not answer: all its calls fail, none is lost in silence.
 * Bounds   a call's time, a message's bytes, what it prints.
 */
import type { Duplex } from 'node:stream'
import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../clock.ts'
import { assert, FieldError, RequestError } from '../errors.ts'
import { isJsonObject, parseJson } from '../json.ts'
import type { View } from '../store/view.ts'
import { placesOf, read } from './answers.ts'
import { BadAnswer, PluginFailed, type PluginName } from './failures.ts'
import { Foresight, hintOf } from './foresight.ts'
import { frameOf, FrameReader, FrameTooLarge, MAX_FRAME_BYTES } from './frames.ts'
import { LogLines } from './log-lines.ts'
import { fromPlugin, toldErrorSchema, type FromPlugin, type Writes } from './messages.ts'
import type { FromServer, Work } from './protocol.ts'
import { pluginRecords } from './records.ts'
import type { Spawned } from './spawn.ts'

/** Until a process that was started says what it is. */
const START_MS = 15_000
/** While calls are under way it is asked so often whether it lives; of those it may miss some. */
const WATCH_MS = 5_000
const MAX_MISSED = 2
/** Until a process that has closed its pipe must be over. */
const ENDING_MS = 1_000

/** Of the records that a call asks for, so many are remembered for the next one. */
const MAX_NOTED = 16
const NOTHING: readonly never[] = []

export interface ProcessParts {
  readonly plugin: PluginName
  readonly clock: Clock
  /** Longest time of a call. */
  readonly callMs: number
  /** A line that the plugin printed. */
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void
  /** Once, when it has ended: why, or `undefined` where it was stopped. */
  readonly onEnd: (why: string | undefined) => void
}

type Hello = Extract<FromPlugin, { say: 'hello' }>
type Ask = Extract<FromPlugin, { say: 'get' | 'list' }>

/** What a call may do to its records; where they may only be read, `put` and `delete` throw. */
export type CallStorage = Pick<View, 'get' | 'put' | 'delete' | 'list'>

export interface CallLimits {
  readonly maxMs?: number
  /** The plugin is told when nobody waits any more. */
  readonly signal?: AbortSignal | undefined
}

interface Call {
  readonly storage: CallStorage | undefined
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly cancelTimer: () => void
  readonly hint: string
  /** Keys of the records that it asked for. */
  readonly asked: string[]
  /** Why the storage refused it; the plugin itself does not know. */
  refusal: Error | undefined
}

export class PluginProcess {
  readonly #parts: ProcessParts
  readonly #child: ChildProcess
  readonly #pipe: Duplex
  readonly #remove: () => void
  readonly #calls = new Map<number, Call>()
  readonly #printed: readonly LogLines[]
  readonly #foresight = new Foresight()
  readonly #hello = Promise.withResolvers<Hello>()
  #numbers = 0
  #corked = false
  #ended = false
  #heard = true
  #missed = 0
  #watching = false
  /** A call was given up: what it does may be why nothing is heard. */
  #suspected = false
  #cancelStart: () => void

  constructor({ child, pipe, remove }: Spawned, parts: ProcessParts) {
    this.#parts = parts
    this.#child = child
    this.#pipe = pipe
    this.#remove = remove
    const reader = new FrameReader(MAX_FRAME_BYTES, (text) => this.#hear(text))
    pipe.on('data', (piece: Buffer) => this.#guard(() => reader.push(piece)))
    pipe.on('error', () => undefined)
    pipe.on('end', () => {
      parts.clock.after(ENDING_MS, () => this.#end('closed its pipe'))
    })
    this.#printed = (['stdout', 'stderr'] as const).map((stream) => {
      const lines = new LogLines(parts.clock, (line) => parts.onLine(stream, line))
      child[stream]?.on('data', (piece: Buffer) => lines.push(piece))
      return lines
    })
    child.on('error', (error) => this.#end(`could not be started: ${error.message}`))
    child.on('close', (code, signal) =>
      this.#end(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    )
    this.#cancelStart = parts.clock.after(START_MS, () =>
      this.#end(`did not start within ${START_MS / 1000} s`),
    )
    this.#hello.promise.catch(() => undefined)
  }

  /** What it says of itself, once it runs. @throws {PluginFailed} */
  get hello(): Promise<Hello> {
    return this.#hello.promise
  }

  get callsUnderWay(): number {
    return this.#calls.size
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /**
   * hot: has something done. What it writes is in `storage` when this returns.
   *
   * @param storage `undefined`: it reads and writes nothing
   * @returns what the plugin answered, still to be checked
   * @throws {RequestError} as the plugin threw it @throws {PluginFailed}
   */
  call(
    work: Work,
    storage: CallStorage | undefined,
    { maxMs = this.#parts.callMs, signal }: CallLimits = {},
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    if (this.#ended) throw this.#failure('has just ended')
    const number = ++this.#numbers
    const cancelTimer = this.#parts.clock.after(maxMs, () => {
      this.#calls.delete(number)
      reject(this.#failure(`gave no answer within ${maxMs / 1000} s`))
      this.#suspected = true
      if (!this.#watching) this.#watch()
    })
    const hint = storage === undefined ? '' : hintOf(work)
    const known = storage === undefined ? NOTHING : this.#foresight.records(hint, storage)
    const more = { hint, asked: [], refusal: undefined }
    this.#calls.set(number, { storage, resolve, reject, cancelTimer, ...more })
    this.#say({ say: 'call', call: number, work, known })
    signal?.addEventListener('abort', () => this.#say({ say: 'cancel', call: number }), {
      once: true,
    })
    if (!this.#watching) this.#watch()
    return promise
  }

  /** Ends it at once, and removes its files; what is under way fails. */
  stop(): void {
    this.#end(undefined)
  }

  #hear(text: string): void {
    this.#heard = true
    const message = fromPlugin.safeParse(parseJson(text))
    if (!message.success) throw new BadAnswer(placesOf(message.error))
    const { data } = message
    switch (data.say) {
      case 'hello':
        this.#cancelStart()
        this.#hello.resolve(data)
        return
      case 'get':
      case 'list':
        this.#withCall(data.call, (call) => void this.#answerAsk(data, call))
        return
      case 'done':
        this.#withCall(data.call, (call) => {
          this.#foresight.learn(call.hint, call.asked, data.unused ?? NOTHING)
          this.#finish(data.call, call, () => done(call, data))
        })
        return
      case 'failed':
        this.#withCall(data.call, (call) =>
          this.#finish(data.call, call, () => this.#throwTold(call, data.error)),
        )
        break
      case 'pong':
    }
  }

  /** One that is over, because its time was, is answered in vain. */
  #withCall(number: number, then: (call: Call) => void): void {
    const call = this.#calls.get(number)
    if (call !== undefined) then(call)
  }

  #finish(number: number, call: Call, outcome: () => unknown): void {
    this.#calls.delete(number)
    call.cancelTimer()
    try {
      call.resolve(outcome())
    } catch (error) {
      call.reject(
        error instanceof BadAnswer
          ? this.#failure('answered what does not fit the contract', error)
          : error,
      )
    }
  }

  async #answerAsk(message: Ask, call: Call): Promise<void> {
    const { call: number, ask } = message
    try {
      assert(call.storage !== undefined, 'what needs no storage asks for none')
      if (message.say === 'get') {
        if (call.asked.length < MAX_NOTED) call.asked.push(message.key)
        const found = call.storage.get(pluginRecords, message.key)
        const text = found instanceof Promise ? await found : found
        this.#say({ say: 'record', call: number, ask, text: text ?? null })
        return
      }
      apply(call.storage, message.writes)
      const { after, limit } = message
      const names = await call.storage.list(message.prefix, {
        ...(after !== undefined && { after }),
        ...(limit !== undefined && { limit }),
      })
      this.#say({ say: 'names', call: number, ask, names })
    } catch (error) {
      call.refusal = error instanceof Error ? error : new Error('it could not be read')
      this.#say({ say: 'refused', call: number, ask })
    }
  }

  #throwTold(call: Call, error: unknown): never {
    if (call.refusal !== undefined) throw call.refusal
    const told = read(toldErrorSchema, error)
    if ('stack' in told) throw new Error(`in the plugin ${this.#parts.plugin.name}: ${told.stack}`)
    const { name, status, errors, headers, data } = told
    if (name === 'FieldError') throw new FieldError(errors[0] ?? '')
    const after = headers['Retry-After']
    throw new RequestError(status, errors, {
      // Any other header would be one that nobody has let pass.
      ...(after !== undefined && { headers: { 'Retry-After': after } }),
      ...(isJsonObject(data) && { data }),
    })
  }

  #say(message: FromServer): void {
    if (this.#ended) return
    const frame = frameOf(JSON.stringify(message))
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

  /** Whether the process still answers is looked at while something waits for it, and until it has answered. */
  #watch(): void {
    this.#watching = true
    this.#heard = false
    this.#suspected = false
    this.#say({ say: 'ping' })
    this.#parts.clock.after(WATCH_MS, () => {
      this.#watching = false
      if (this.#ended) return
      this.#missed = this.#heard ? 0 : this.#missed + 1
      if (this.#heard && this.#calls.size === 0 && !this.#suspected) return
      if (this.#missed < MAX_MISSED) this.#watch()
      else this.#end(`has not answered for ${(MAX_MISSED * WATCH_MS) / 1000} s`)
    })
  }

  /** What cannot be understood ends the process: nothing that it says can be told apart any more. */
  #guard(take: () => void): void {
    if (this.#ended) return
    try {
      take()
    } catch (error) {
      const isNonsense = error instanceof SyntaxError || error instanceof BadAnswer
      if (!isNonsense && !(error instanceof FrameTooLarge)) throw error
      this.#end(`sent what is no message (${error.message})`)
    }
  }

  #end(why: string | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelStart()
    this.#pipe.destroy()
    this.#child.kill('SIGKILL')
    this.#remove()
    for (const lines of this.#printed) lines.end()
    const failure = this.#failure(why ?? 'was stopped')
    this.#hello.reject(failure)
    for (const call of this.#calls.values()) {
      call.cancelTimer()
      call.reject(failure)
    }
    this.#calls.clear()
    this.#parts.onEnd(why)
  }

  #failure(what: string, cause?: unknown): PluginFailed {
    return new PluginFailed(this.#parts.plugin, what, cause)
  }
}

function done({ storage }: Call, { writes, result }: { writes: Writes; result?: unknown }) {
  if (writes.length > 0) {
    assert(storage !== undefined, 'what has no storage writes nothing')
    apply(storage, writes)
  }
  return result
}

function apply(storage: CallStorage, writes: Writes): void {
  for (const [key, text] of writes) {
    if (text === null) storage.delete(key)
    else storage.put(pluginRecords, key, text)
  }
}
