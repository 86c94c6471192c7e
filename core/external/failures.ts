/** How a plugin's process fails a request: its own mount answers with an error, and nothing else is harmed. */
import { RequestError } from '../errors.ts'

/** Names the plugin in errors and in the log. */
export interface PluginName {
  readonly kind: 'secret' | 'auth'
  readonly name: string
  /** As registered; may be empty. */
  readonly version: string
}

export function shownName({ name, version }: PluginName): string {
  return version === '' ? `"${name}"` : `"${name}" ${version}`
}

/** 500: no process of the plugin can be started on this node. `cause` is for the log. */
export class PluginUnavailable extends RequestError {
  override readonly name = 'PluginUnavailable'
  /** What the client is told after the plugin's name. */
  readonly why: string
  constructor(plugin: PluginName, why: string, cause?: unknown) {
    super(500, `the plugin ${shownName(plugin)} of this mount ${why}`)
    this.why = why
    if (cause !== undefined) this.cause = cause
  }
}

/** 503: it failed just before, and is started again after a pause. */
export class PluginPauses extends RequestError {
  override readonly name = 'PluginPauses'
  constructor(plugin: PluginName, why: string, waitMs: number) {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000))
    super(
      503,
      `the plugin ${shownName(plugin)} of this mount ${why}; it is tried again in ${seconds} s`,
      { headers: { 'Retry-After': String(seconds) } },
    )
  }
}

/** 500: its process ended, hung or spoke nonsense while the request ran. Nothing of the request is stored. */
export class PluginFailed extends RequestError {
  override readonly name = 'PluginFailed'
  constructor(plugin: PluginName, what: string, cause?: unknown) {
    super(
      500,
      `the plugin ${shownName(plugin)} of this mount ${what}; nothing of this request was stored, and the server log says more`,
    )
    this.cause = cause ?? new Error(what)
  }
}

/** What a plugin answered does not fit the contract: this one request fails. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer'
}
