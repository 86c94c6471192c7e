/**
 * What a handler is given. It is canonical: whoever reads the path, the data or the caller, here, in a policy, in the
 * audit log or as a storage key, reads the same values.
 */
import type { JsonObject } from '../json.ts'
import type { Random } from '../random.ts'
import type { View } from '../store/view.ts'
import type { LocalMount } from './local.ts'
import type { Fields, Parsed } from './fields.ts'
import type { Operation } from './path.ts'

/** Everything but the typed data. */
export interface RequestBase {
  /** UUID; the same in the answer and in the audit log. */
  readonly id: string
  readonly operation: Operation
  /** Relative to the mount, without a leading '/'. */
  readonly path: string
  /** The path was sent in another form, such as a name with capitals: worth telling the client, and no more than that. */
  readonly nameFolded: boolean
  /** The fields as they were sent: body, or query for reads. Numbers verbatim. */
  readonly body: JsonObject
  /** This mount's own records, in the transaction of this request. */
  readonly storage: View
  readonly mount: Mount
  readonly namespace: Namespace
  /** Whose token it is; `undefined` on unauthenticated paths. */
  readonly caller: Caller | undefined
  /** The token as it was sent; empty but for privileged plugins, and where none was sent. */
  readonly clientToken: string
  /** The span for which the answer will be wrapped; 0: it will not. */
  readonly wrapTtlSeconds: number
  readonly client: Client
  /** The request headers that the mount's tuning lets pass, names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** Milliseconds since 1970 at the start of the request; the same for all that it writes. */
  readonly nowMs: number
  readonly random: Random
  readonly generatePassword: GeneratePassword
  /** The mount at this node, for work beside the request's transaction. */
  readonly local: LocalMount
}

/**
 * A password by the password policy of that name, of the mount's namespace; empty: 20 characters of `A-Za-z0-9-`.
 *
 * @throws {BadRequest} there is no such policy
 */
export type GeneratePassword = (policy: string) => Promise<string>

/** The request of a path that declares the fields F. */
export interface Request<F extends Fields = Fields> extends RequestBase {
  readonly data: Parsed<F>
}

/** The mount through which a request came. */
export interface Mount {
  readonly uuid: string
  /** With a trailing '/', relative to its namespace: `secret/`, `auth/approle/`. */
  readonly path: string
  readonly type: string
  readonly accessor: string
  readonly options: Readonly<Record<string, string>>
  /** Effective: the mount's tuning, else the system's. */
  readonly defaultTtlSeconds: number
  readonly maxTtlSeconds: number
  /** Of auth mounts: the type of the tokens that it grants where the role leaves it open. */
  readonly tokenType: 'default-service' | 'default-batch' | 'service' | 'batch'
  /** Of auth mounts: when who fails to log in is locked out. */
  readonly lockout: Lockout
}

export interface Lockout {
  readonly disable: boolean
  /** So many failures in a row. */
  readonly threshold: number
  /** For so long. */
  readonly durationSeconds: number
  /** A failure counts for so long. */
  readonly counterResetSeconds: number
}

export interface Namespace {
  /** `root`, or 6 characters. */
  readonly id: string
  /** Empty for the root namespace, else `a/b/`. */
  readonly path: string
}

export interface Caller {
  readonly tokenType: 'service' | 'batch'
  /** Names the token, but is not it. Empty for batch tokens. */
  readonly accessor: string
  readonly policies: readonly string[]
  readonly displayName: string
  readonly entityId: string
  /** The role by which an auth method granted the token; empty: none. What it says cannot be chosen by the caller. */
  readonly role: string
  /** Where the token lives; it is good there and below. */
  readonly namespaceId: string
}

export interface Client {
  /** IP address; of the client behind a trusted proxy, else of the peer. Empty on a unix socket. */
  readonly address: string
  readonly port: number
  /** DER of the client certificate that TLS verified, leaf first. */
  readonly certificates?: readonly Buffer[]
}
