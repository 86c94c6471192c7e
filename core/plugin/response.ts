/**
 * What a handler answers. The pipeline makes the envelope of it, gives `auth` its token and wraps what is to be
 * wrapped.
 */
import type { JsonObject } from '../json.ts'
import type { Effect, Secret } from './effects.ts'

export interface Response {
  /** `undefined` in a member leaves it out of the JSON. */
  readonly data?: Readonly<Record<string, unknown>> | null
  readonly warnings?: readonly string[]
  /** A login or a token: the pipeline creates the token in the same transaction. */
  readonly auth?: Grant
  /** What `data` holds ends some day: the pipeline gives it a lease in the same transaction. */
  readonly secret?: Secret
  /** Something has to be done outside of the storage; all else of the answer is what it concludes. */
  readonly effect?: Effect
  /** Of privileged plugins: the lease that the answer is about. */
  readonly leaseAnswer?: LeaseAnswer
  /** Of privileged plugins, which issue and renew tokens themselves. */
  readonly authAnswer?: AuthAnswer
  /** Seconds that the answer may be kept for (kv v1); no lease is made. */
  readonly leaseDurationSeconds?: number
  /** Other than 200 and 204. */
  readonly status?: number
  /** Only those that the mount's `allowed_response_headers` lets pass, but for the system's own. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Sent as it is, without the envelope; `data`, if given, is what the audit log holds then. A streamed body is sent
   * after the transaction, and audit holds nothing of it.
   */
  readonly raw?: { readonly contentType: string; readonly body: Buffer | string | Streamed }
  /** The JSON itself, without the envelope. */
  readonly bare?: JsonObject
  /** Asks for wrapping even where the client did not. */
  readonly wrapTtlSeconds?: number
  /** Of privileged plugins: the answer is already wrapped. */
  readonly wrapInfo?: WrapInfo
  /** Of privileged plugins: done once the transaction is durable, before the answer; not run again. */
  readonly afterwards?: () => Promise<void>
  /** For a wrapped answer: the accessor of what it holds. */
  readonly wrappedAccessor?: string
}

/**
 * A body that is made while it is sent. It begins when it is sent, so that one that never is holds nothing. `return` of
 * its iterator comes when the client is gone, and ends a `next` that waits.
 */
export type Streamed = AsyncIterable<string>

export function isStreamed(body: string | Buffer | Streamed): body is Streamed {
  return typeof body === 'object' && Symbol.asyncIterator in body
}

/** What an answer says of a lease. */
export interface LeaseAnswer {
  readonly id: string
  readonly renewable: boolean
  readonly durationSeconds: number
}

/** What a token is to be: who, with which policies, for how long. */
export interface Grant {
  readonly displayName: string
  readonly policies: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
  readonly type: 'service' | 'batch'
  readonly ttlSeconds: number
  readonly maxTtlSeconds: number
  readonly explicitMaxTtlSeconds: number
  readonly periodSeconds: number
  readonly numUses: number
  readonly boundCidrs: readonly string[]
  readonly renewable: boolean
  readonly noDefaultPolicy: boolean
  /** What the method needs again at renewal, such as the role's name. */
  readonly internal?: JsonObject
  /** Who it is to identity: the name is unique in the mount. */
  readonly alias?: { readonly name: string; readonly metadata?: Readonly<Record<string, string>> }
  /** As the method calls the groups that it is in; absent: it says nothing of groups. */
  readonly groupAliases?: readonly string[]
}

/** What a client gets of an answer that is wrapped. */
export interface WrapInfo {
  readonly token: string
  readonly accessor: string
  readonly ttl: number
  readonly creation_time: string
  readonly creation_path: string
  readonly wrapped_accessor?: string
}

/** What a client gets of a token that is made or renewed. */
export interface AuthAnswer {
  readonly client_token: string
  readonly accessor: string
  readonly policies: readonly string[]
  readonly token_policies?: readonly string[] | undefined
  readonly identity_policies?: readonly string[] | undefined
  readonly metadata: Readonly<Record<string, string>> | null
  readonly lease_duration: number
  readonly renewable: boolean
  readonly entity_id: string
  readonly token_type: string
  readonly orphan: boolean
  readonly mfa_requirement: null
  readonly num_uses: number
}
