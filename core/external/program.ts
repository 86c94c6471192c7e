/**
 * A registered plugin on this node: its process, started when it is first needed, and again after it has failed.
 *
 * Verified  the files are read and hashed before each start; what has another digest than the registered one never runs.
 * Pauses    after failures that follow each other the next start waits, longer each time; meanwhile its mounts answer 503.
 * Replaced  by another version or digest, it takes its calls to their end, and then stops.
 */
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { Sealed } from '../errors.ts'
import type { Instance } from '../mounts/registry.ts'
import { read } from './answers.ts'
import type { Registered } from './catalog.ts'
import {
  BadAnswer,
  PluginFailed,
  PluginPauses,
  PluginUnavailable,
  type PluginName,
} from './failures.ts'
import { NoPlugin, readPlugin, type PluginFiles } from './files.ts'
import { externalInstance, type Ask } from './instance.ts'
import { describedSchema } from './messages.ts'
import { PluginProcess } from './process.ts'
import { PROTOCOL, type Work } from './protocol.ts'
import { spawnPlugin } from './spawn.ts'

/** Longest time of a hook: it runs where others wait, within a duty or the making of a mount. */
const HOOK_MS = 10_000
/** Of what is done in other systems: who asks gives up before that, and says so. */
const OUTSIDE_MS = 120_000
/** One that has been well for so long has not failed "again". */
const STEADY_MS = 10_000
/** The pause before the third start; it doubles with each. */
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 30_000
/** How long one that was replaced goes on without calls: who was on the way to it still finds it. */
const RETIRE_MS = 5_000
/** One name in the plugin directory: nothing that leads out of it. */
export const COMMAND = /^\w[\w.-]{0,127}$/

export interface PluginLog {
  /** A line that the plugin printed. */
  printed(plugin: PluginName, stream: 'stdout' | 'stderr', line: string): void
  started(plugin: PluginName): void
  /** It ended, or could not be started. */
  failed(plugin: PluginName, why: string, cause?: unknown): void
}

export interface ProgramParts {
  readonly clock: Clock
  readonly log: PluginLog
  /** Where the plugins' files are; `undefined`: this node runs none. */
  readonly directory: string | undefined
  readonly temporaryDirectory: string | undefined
  /** Longest time of a call, as of a request. */
  readonly callMs: number
}

export class Program {
  readonly #registered: Registered
  readonly #identity: string
  readonly #parts: ProgramParts
  readonly #instances = new Map<string | undefined, Promise<Instance>>()
  #starting: Promise<PluginProcess> | undefined
  #process: PluginProcess | undefined
  #failures = 0
  #pausedUntilMs = -Infinity
  #why = ''
  #isRetired = false
  #isStopped = false

  constructor(registered: Registered, parts: ProgramParts) {
    this.#registered = registered
    this.#identity = JSON.stringify(registered)
    this.#parts = parts
  }

  /** Where the catalog has it. */
  get place(): [kind: Registered['kind'], name: string, version: string] {
    const { kind, name, version } = this.#registered
    return [kind, name, version]
  }

  /** Whether it is this very registration. */
  is(registered: Registered): boolean {
    return registered === this.#registered || JSON.stringify(registered) === this.#identity
  }

  /**
   * @param version the mount's option of that name
   * @throws {RequestError} why it cannot run now
   */
  instance(version: string | undefined): Promise<Instance> {
    const known = this.#instances.get(version)
    if (known !== undefined) return known
    const made = this.#describe(version)
    this.#instances.set(version, made)
    made.catch(() => this.#instances.delete(version))
    return made
  }

  get hasEnded(): boolean {
    return this.#process === undefined && this.#starting === undefined
  }

  /** Stops once it has nothing to do: another has taken its place. */
  retire(): void {
    this.#isRetired = true
    this.#parts.clock.after(RETIRE_MS, () => {
      if (this.#process === undefined) return
      if (this.#process.callsUnderWay > 0) this.retire()
      else this.#process.stop()
    })
  }

  /** Ends it now and for good. */
  stop(): void {
    this.#isStopped = true
    this.#process?.stop()
  }

  async #describe(version: string | undefined): Promise<Instance> {
    const process = await this.#running()
    const { help } = await process.hello
    const answer = await process.call({ do: 'describe', version }, undefined, { maxMs: HOOK_MS })
    try {
      const described = read(describedSchema, answer)
      return externalInstance({ ...this.#registered, help }, version, described, this.#ask)
    } catch (error) {
      if (!(error instanceof BadAnswer)) throw error
      process.stop()
      throw this.#unavailable('cannot run: it declares what the server refuses', error)
    }
  }

  /** hot: the process is there already, but for the first call. */
  readonly #ask: Ask = async (work, storage, readAnswer, signal) => {
    const process = this.#process ?? (await this.#running())
    const answer = await process.call(work, storage, { maxMs: this.#longest(work), signal })
    try {
      return readAnswer(answer)
    } catch (error) {
      if (!(error instanceof BadAnswer)) throw error
      const what = 'answered what does not fit the contract'
      throw new PluginFailed(this.#registered, what, error)
    }
  }

  #longest(work: Work): number {
    switch (work.do) {
      case 'initialize':
      case 'upgrade':
      case 'periodic':
      case 'removed':
      case 'loginRole':
        return HOOK_MS
      case 'act':
      case 'undo':
        return OUTSIDE_MS
      default:
        return this.#parts.callMs
    }
  }

  #running(): Promise<PluginProcess> {
    if (this.#process !== undefined) return Promise.resolve(this.#process)
    const waitMs = this.#pausedUntilMs - this.#parts.clock.monotonicMs()
    if (this.#starting === undefined && waitMs > 0) {
      return Promise.reject(new PluginPauses(this.#registered, this.#why, waitMs))
    }
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined))
    return this.#starting
  }

  async #start(): Promise<PluginProcess> {
    const { clock, log, callMs, temporaryDirectory } = this.#parts
    const files = await this.#verifiedFiles()
    if (this.#isStopped) throw new Sealed()
    const spawned = this.#orUnavailable(() =>
      spawnPlugin(files, { ...this.#registered, temporaryDirectory }),
    )
    const process: PluginProcess = new PluginProcess(spawned, {
      plugin: this.#registered,
      clock,
      callMs,
      onLine: (stream, line) => log.printed(this.#registered, stream, line),
      onEnd: (why) => this.#ended(why),
    })
    this.#process = process
    try {
      await this.#greet(process)
    } catch (error) {
      process.stop()
      throw error
    }
    log.started(this.#registered)
    if (this.#isRetired) this.retire()
    return process
  }

  async #greet(process: PluginProcess): Promise<void> {
    const { protocol, kind } = await process.hello
    if (protocol !== PROTOCOL) {
      throw this.#unavailable(`cannot run: it speaks protocol ${protocol}, and not ${PROTOCOL}`)
    }
    if (kind !== this.#registered.kind) {
      throw this.#unavailable(`cannot run: it is registered as of type ${this.#registered.kind}`)
    }
  }

  async #verifiedFiles(): Promise<PluginFiles> {
    const { directory } = this.#parts
    const { command, sha256 } = this.#registered
    if (directory === undefined) {
      throw this.#unavailable('cannot run: this node has no plugin_directory')
    }
    // Looked at here again: a catalog may have been restored from anywhere.
    if (!COMMAND.test(command)) throw this.#unavailable('cannot run: its command leads elsewhere')
    const files = await readPlugin(join(directory, command)).catch((error: unknown) => {
      throw this.#unavailable(notReadable(error), error)
    })
    if (files.sha256 === sha256) return files
    throw this.#unavailable(
      'cannot run: what lies in the plugin directory of this node is not what was registered, for its SHA-256 differs',
      new Error(`registered is ${sha256}, found is ${files.sha256}`),
    )
  }

  #orUnavailable<T>(start: () => T): T {
    try {
      return start()
    } catch (error) {
      throw this.#unavailable('cannot run: its process could not be started', error)
    }
  }

  #unavailable(why: string, cause?: unknown): PluginUnavailable {
    this.#failed(why, cause)
    return new PluginUnavailable(this.#registered, why)
  }

  #ended(why: string | undefined): void {
    this.#process = undefined
    if (why !== undefined) this.#failed(`failed: it ${why}`)
  }

  #failed(why: string, cause?: unknown): void {
    const { clock, log } = this.#parts
    const nowMs = clock.monotonicMs()
    if (nowMs > this.#pausedUntilMs + STEADY_MS) this.#failures = 0
    const pauseMs = this.#failures === 0 ? 0 : FIRST_PAUSE_MS * 2 ** (this.#failures - 1)
    this.#failures++
    this.#why = why
    this.#pausedUntilMs = nowMs + Math.min(pauseMs, MAX_PAUSE_MS)
    log.failed(this.#registered, why, cause)
  }
}

function notReadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'cannot run: its file is not in the plugin directory of this node'
  const isWrong = error instanceof NoPlugin
  return `cannot run: its file in the plugin directory of this node ${isWrong ? 'is no plugin' : 'cannot be read'}`
}
