/**
 * What an engine does in other systems, which the storage cannot roll back: a database user, a key of a cloud.
 *
 * An effect is announced before it is done: the first commit of the request stores how to undo it, then `act` runs outside
 * of any transaction, then a second commit stores what came of it. Whatever happens between, the announcement is still
 * there, and the timed duties undo it. A secret with a lease is an effect that lasts: it is undone when its lease ends.
 */
import type { JsonObject } from '../json.ts'
import type { Random } from '../random.ts'
import type { View } from '../store/view.ts'
import type { Handled } from './path.ts'
import type { MountContext } from './plugin.ts'
import type { Mount, RequestBase } from './request.ts'

/** One kind of effect of an engine, named in `Plugin.effects`. */
export interface EffectType {
  /**
   * Undoes it in the other system, outside of any transaction. It is called for what was done, for what was never done,
   * and again for what is undone already: what is not there counts as undone. Absent: there is nothing outside to undo.
   *
   * @throws it may still be there; a `RequestError`'s text is shown to operators, any other only goes to the log. One of
   *   status 502 says that one of the mount's systems is away, which holds up none of its others
   */
  undo?(context: UndoContext, internal: JsonObject): Promise<void>
  /**
   * Prolongs a secret, before its lease is: what it does outside must do no harm if the lease is not prolonged after all,
   * or if it is called twice. Absent: secrets of this kind are not renewable.
   */
  renew?(request: RequestBase, secret: RenewedSecret): Promise<SecretRenewal>
  /** Removes what the engine has stored of it, at most four records, in the transaction that removes its lease. */
  removed?(context: MountContext, internal: JsonObject): Promise<void> | void
}

/** What `undo` is given. */
export interface UndoContext {
  /** The mount's records as they are now; of a mount that was removed, as they were. */
  readonly storage: Pick<View, 'get' | 'list'>
  readonly mount: Mount
  readonly random: Random
  readonly nowMs: number
  /** Aborted when the time for it is over: it has failed then, and will be called again. */
  readonly signal: AbortSignal
}

/** What a handler answers that has to do something outside. It has done nothing yet. */
export interface Effect {
  /** Which of the engine's effects. */
  readonly type: string
  /** All that undoing it takes, decided before it is done. Stored sealed. */
  readonly internal: JsonObject
  /** It is for a secret with a lease: where a quota has no room for one, it is refused before anything is done. */
  readonly leased?: boolean
  /**
   * Does it, once; never run again, whatever comes of it. When the signal is aborted nobody waits for it any more.
   *
   * @throws {NothingDone} there is nothing to undo; after any other error it is undone
   */
  act(signal: AbortSignal): Promise<Conclude>
}

/** Stores what came of it, in the second transaction, and answers. Does nothing outside; may run again. */
export type Conclude = (context: MountContext) => Promise<Handled> | Handled

/** A secret that ends: the pipeline makes its lease in the same transaction. */
export interface Secret {
  /** Which of the engine's effects: how it is renewed, and undone when it ends. */
  readonly type: string
  /** All that renewing and undoing it takes. Stored sealed. */
  readonly internal: JsonObject
  /** 0: the mount's. */
  readonly ttlSeconds: number
  readonly maxTtlSeconds: number
  readonly renewable: boolean
}

/** What is known of a secret that is to be renewed. */
export interface RenewedSecret {
  readonly leaseId: string
  readonly internal: JsonObject
  readonly issuedAtMs: number
  /** What the client asks for; 0: nothing. */
  readonly incrementSeconds: number
}

/** The limits from now on, 0: the mount's; or why it may not be renewed. */
export type SecretRenewal =
  | { readonly ttlSeconds: number; readonly maxTtlSeconds: number }
  | { readonly refused: string }
