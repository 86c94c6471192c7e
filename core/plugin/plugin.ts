/**
 * The plugin contract: an engine or an auth method is its paths. Built-in ones and those of others use it alike.
 */
import type { GeneratePassword, Mount, RequestBase } from './request.ts'
import type { Path } from './path.ts'
import type { View } from '../store/view.ts'
import type { Random } from '../random.ts'
import type { Effect, EffectType } from './effects.ts'
import type { Grant } from './response.ts'
import type { JsonObject } from '../json.ts'

/** An engine or auth method as it is registered: a type name, and how an instance for one mount is made. */
export interface PluginType {
  readonly type: string
  readonly kind: 'secret' | 'auth'
  /** First part of `?help=1` at the mount's root. */
  readonly help: string
  /**
   * Its view is the whole storage: for what is part of the server itself (system, tokens). Plugins of others are
   * registered without it.
   */
  readonly privileged?: boolean
  /** There is one in each namespace; it can be neither mounted, moved nor removed. */
  readonly singleton?: boolean
  /** Made once for each version of the engine that is mounted; holds no state of its own. */
  create(options: { readonly version: string | undefined }): Plugin
}

export interface Plugin {
  readonly paths: readonly Path[]
  /** What it does in other systems, and the secrets that end: by their names, how each is undone. */
  readonly effects?: Readonly<Record<string, EffectType>>
  /** Runs in the transaction that creates the mount. */
  initialize?(context: MountContext): Promise<void>
  /** Runs in the transaction that changes the mount's options. @throws {BadRequest} the change is refused */
  upgrade?(
    context: MountContext & { from: Readonly<Record<string, string>> },
  ): Promise<UpgradeResult>
  /**
   * Timed work on the mount's records, such as removing what has expired: called about once a minute on one node, each
   * step in a transaction of its own. @returns whether there is more to do
   */
  periodic?(context: MountContext): Promise<boolean>
  /**
   * Timed work in other systems, such as changing a password that is due: what of it is due now, one thing at a time. It is
   * asked for in a transaction, every few seconds on one node, until it answers with nothing. What it answers is announced
   * in that transaction and done after it, as the effect of a request is; several are done at the same time. So it writes
   * down when it is to be tried again before it answers, and `conclude` when it is due next.
   */
  timed?(context: TimedContext): Promise<TimedEffect | undefined>
  /** The node is sealed: connections to other systems, and what is kept for them, are let go. */
  close?(): void
  /**
   * As which role a request would log in, where the method has roles: for rate limits, which count before anything of
   * the request is believed. @returns `undefined` where it is no login, or of no role
   */
  loginRole?(login: LoginAttempt): Promise<string | undefined>
  /** Asks the method again at renewal; what it returns replaces the token's limits. */
  renew?(request: RequestBase, grant: RenewedGrant): Promise<Renewal>
}

export interface LoginAttempt {
  /** Of the mount. */
  readonly storage: View
  /** Below the mount, canonical. */
  readonly path: string
  /** Reads and parses the body: only a login is worth that. */
  readonly readBody: () => Promise<JsonObject>
}

export interface MountContext {
  readonly storage: View
  readonly random: Random
  readonly nowMs: number
}

export interface TimedContext extends MountContext {
  readonly mount: Mount
  readonly generatePassword: GeneratePassword
}

export interface TimedEffect extends Effect {
  /** What it is about, below the mount: for the audit log. */
  readonly path: string
}

export interface UpgradeResult {
  readonly warnings: readonly string[]
}

/** What the method said when the token was granted. */
export interface RenewedGrant {
  readonly policies: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  readonly internal: JsonObject
}

/** The limits from now on, or why the token may not be renewed. */
export type Renewal =
  | Pick<Grant, 'ttlSeconds' | 'maxTtlSeconds' | 'periodSeconds' | 'groupAliases'>
  | { readonly refused: string }
