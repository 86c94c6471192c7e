/** In a plugin's process: does what the server asks of it, each call with records of its own. */
import { BadRequest } from '../../errors.ts'
import type { Conclude, Effect, EffectType } from '../../plugin/effects.ts'
import type { Handled, Path } from '../../plugin/path.ts'
import { NOT_LOCAL } from '../../plugin/local.ts'
import type { MountContext, Plugin, PluginType } from '../../plugin/plugin.ts'
import type { RequestBase } from '../../plugin/request.ts'
import { isStreamed, type Response } from '../../plugin/response.ts'
import { noPasswords } from './no-passwords.ts'
import { systemRandom } from '../../random.ts'
import { View } from '../../store/view.ts'
import type { Described, ToldError } from '../messages.ts'
import { MAX_STACK_CHARACTERS, type SentRequest, type Work } from '../protocol.ts'
import { declare } from './declare.ts'
import { Kept } from './kept.ts'
import { RemoteRecords, type Source, type Written } from './remote-records.ts'

const MAX_SESSIONS = 256

/** A record that came with the call. */
type Known = readonly [key: string, text: string | null]

/** How a call ended. */
export type Outcome =
  | {
      readonly say: 'done'
      readonly writes: readonly Written[]
      readonly result: unknown
      readonly unused?: string[]
    }
  | { readonly say: 'failed'; readonly error: ToldError }

export class Calls {
  readonly #type: PluginType
  /** What the first call of a request has read. */
  readonly #sessions = new Map<number, RemoteRecords>()
  readonly #effects = new Kept<Effect>()
  readonly #concludes = new Kept<Conclude>()
  readonly #plugins = new Map<string | undefined, Plugin>()

  constructor(type: PluginType) {
    this.#type = type
  }

  /** @param signal aborted when nobody waits for it any more */
  async answer(
    work: Work,
    known: readonly Known[],
    source: Source,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const records = new RemoteRecords(source, this.#readBefore(work))
    records.know(known)
    try {
      const result = await this.#do(work, new View(records, ''), signal)
      if (work.do === 'exists') this.#keep(work.session, records)
      const { unused } = records
      const done = { say: 'done', writes: records.take(), result } as const
      return unused.length === 0 ? done : { ...done, unused: [...unused] }
    } catch (error) {
      return { say: 'failed', error: told(error) }
    }
  }

  #readBefore(work: Work): RemoteRecords | undefined {
    if (work.do !== 'run') return undefined
    const before = this.#sessions.get(work.session)
    this.#sessions.delete(work.session)
    return before
  }

  /** A request that the policies then refuse never comes back to it. */
  #keep(session: number, records: RemoteRecords): void {
    this.#sessions.set(session, records)
    if (this.#sessions.size <= MAX_SESSIONS) return
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest)
      return
    }
  }

  async #do(work: Work, storage: View, signal: AbortSignal): Promise<unknown> {
    const plugin = this.#plugin(work.version)
    switch (work.do) {
      case 'describe':
        return described(plugin)
      case 'exists':
        return this.#prepare(plugin, work, storage).exists()
      case 'run':
        return this.#sendable(
          await this.#prepare(plugin, work, storage).run(declarable(work.operation)),
        )
      case 'initialize':
        return plugin.initialize?.(contextOf(work, storage))
      case 'periodic':
        return plugin.periodic?.(contextOf(work, storage))
      case 'upgrade':
        return plugin.upgrade?.({ ...contextOf(work, storage), from: work.from })
      case 'renew':
        return plugin.renew?.(requestOf(work.request, storage), work.grant)
      case 'loginRole':
        return plugin.loginRole?.({ storage, path: work.path, readBody: async () => work.body })
      case 'act':
        return this.#concludes.keep(await this.#effects.take(work.act).act(signal))
      case 'conclude':
        return this.#sendable(await this.#concludes.get(work.conclude)(contextOf(work, storage)))
      case 'undo': {
        const { mount, nowMs } = work
        const context = { storage, mount, nowMs, random: systemRandom, signal }
        return effectOf(plugin, work.effect).undo?.(context, work.internal)
      }
      case 'removed':
        return effectOf(plugin, work.effect).removed?.(contextOf(work, storage), work.internal)
      case 'renewSecret':
        return effectOf(plugin, work.effect).renew?.(requestOf(work.request, storage), work.secret)
    }
  }

  /** A response with what JSON has no form for. */
  #sendable(response: Handled): unknown {
    if (response === undefined) return null
    // Whatever the types say: the server refuses it.
    if (typeof response !== 'object') return response
    const { raw, effect, ...plain } = response
    return {
      ...plain,
      ...(raw !== undefined && { raw: sendableBody(raw) }),
      ...(effect !== undefined && { effect: { ...effect, act: this.#effects.keep(effect) } }),
    }
  }

  #prepare(plugin: Plugin, work: Extract<Work, { do: 'exists' | 'run' }>, storage: View) {
    const path: Path | undefined = plugin.paths[work.path]
    if (path === undefined) throw new Error(`there is no path ${work.path}`)
    return path.prepare(requestOf(work.request, storage), work.input)
  }

  #plugin(version: string | undefined): Plugin {
    const made = this.#plugins.get(version) ?? this.#type.create({ version })
    this.#plugins.set(version, made)
    return made
  }
}

function described(plugin: Plugin): Described {
  const hooks = HOOKS.filter((hook) => plugin[hook] !== undefined)
  const effects = Object.entries(plugin.effects ?? {}).map(
    ([name, effect]) => [name, EFFECT_PARTS.filter((part) => effect[part] !== undefined)] as const,
  )
  return { paths: plugin.paths.map(declare), hooks, effects: Object.fromEntries(effects) }
}

const HOOKS = ['initialize', 'upgrade', 'periodic', 'renew', 'loginRole'] as const
const EFFECT_PARTS = ['undo', 'renew', 'removed'] as const

/** @throws it was an effect of another version of the plugin */
function effectOf({ effects }: Plugin, name: string): EffectType {
  const effect = effects?.[name]
  if (effect === undefined) throw new BadRequest(`the plugin knows no effect "${name}"`)
  return effect
}

function declarable(operation: RequestBase['operation']) {
  if (operation === 'help') throw new Error('help is answered by the server')
  return operation
}

function contextOf({ nowMs }: { nowMs: number }, storage: View): MountContext {
  return { storage, random: systemRandom, nowMs }
}

function requestOf(request: SentRequest, storage: View): RequestBase {
  const { headers, client, caller, ...sent } = request
  const { certificates, ...peer } = client
  return {
    ...sent,
    caller,
    storage,
    random: systemRandom,
    generatePassword: noPasswords,
    clientToken: '',
    local: NOT_LOCAL,
    headers: new Map(headers),
    client:
      certificates === undefined
        ? peer
        : { ...peer, certificates: certificates.map((text) => Buffer.from(text, 'base64')) },
  }
}

function sendableBody({ contentType, body }: NonNullable<Response['raw']>): unknown {
  if (typeof body === 'string') return { contentType, body }
  if (isStreamed(body)) throw new Error('a body is streamed by built-in engines only')
  return { contentType, body: { base64: body.toString('base64') } }
}

/**
 * An error of the contract is told as it is; anything else is the plugin's own fault, and only the server's log has it.
 * It is known by its members: a plugin may have been bundled with classes of its own.
 */
function told(error: unknown): ToldError {
  if (!(error instanceof Error)) return { stack: 'something that is no error was thrown' }
  if ('status' in error && 'errors' in error && Array.isArray(error.errors)) {
    const { name } = error
    const errors: unknown[] = error.errors
    const status = Number(error.status)
    const data: unknown = 'data' in error ? error.data : undefined
    const headers: unknown = 'headers' in error ? error.headers : undefined
    return {
      name,
      status,
      errors: errors.map(String),
      ...(isRecord(data) && { data }),
      headers: isRecord(headers) ? textsOf(headers) : {},
    }
  }
  return { stack: (error.stack ?? error.message).slice(0, MAX_STACK_CHARACTERS) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function textsOf(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]))
}
