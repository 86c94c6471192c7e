/**
 * What the audit log is told of a request and of its answer: plain facts, nothing hashed yet. The pipeline makes them,
 * `entry.ts` turns them into a line for each device.
 *
 * Facts are never changed once handed over, and an object given again (the same `auth` and `request` with the response
 * entry, the same `mount` with every request) is not encoded again: whoever reuses one saves its hashes.
 */

/**
 * What the devices made of some facts, kept with these. In a WeakMap they would cost twice the time that collecting
 * the young objects takes (measured: 1 ms instead of 0.4).
 */
export interface Encoded {
  /** The device's writer. */
  readonly by: object
  readonly text: string
  readonly next: Encoded | undefined
}

/** The entry before the handler runs. */
export interface RequestEntry {
  readonly timeMs: number
  readonly auth: AuthFacts
  readonly request: RequestFacts
  /** Why the request is refused; in the clear, so never with a value that a user sent. */
  readonly error?: string | undefined
}

/** The entry before the answer is sent. */
export interface ResponseEntry extends RequestEntry {
  readonly response: ResponseFacts
}

/** Who asks, or the token that is granted. What is empty, 0 or false is left out of the line. */
export interface AuthFacts {
  /** Hashed. */
  readonly clientToken?: string | undefined
  /** Hashed unless the device says otherwise. */
  readonly accessor?: string | undefined
  readonly displayName?: string | undefined
  readonly policies?: readonly string[] | undefined
  readonly tokenPolicies?: readonly string[] | undefined
  readonly identityPolicies?: readonly string[] | undefined
  readonly noDefaultPolicy?: boolean | undefined
  readonly policyResults?: PolicyResults | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly numUses?: number | undefined
  readonly remainingUses?: number | undefined
  readonly entityId?: string | undefined
  readonly entityCreated?: boolean | undefined
  /** `default` while there is no token. */
  readonly tokenType: 'default' | 'service' | 'batch'
  readonly tokenTtlSeconds?: number | undefined
  readonly tokenIssueTimeMs?: number | undefined
  encoded?: Encoded | undefined
}

export interface PolicyResults {
  readonly allowed: boolean
  readonly grantingPolicies?: readonly GrantingPolicy[] | undefined
}

export interface GrantingPolicy {
  readonly name: string
  readonly namespaceId: string
  /** Empty for the root namespace. */
  readonly namespacePath?: string | undefined
  readonly type: string
}

export interface RequestFacts {
  readonly id: string
  readonly clientId?: string | undefined
  readonly operation: string
  readonly mount?: MountFacts | undefined
  /** Hashed. */
  readonly clientToken?: string | undefined
  /** Hashed unless the device says otherwise. */
  readonly clientTokenAccessor?: string | undefined
  readonly namespace: { readonly id: string; readonly path: string }
  /** With its mount, relative to the namespace: `secret/data/app`. In the clear. */
  readonly path: string
  /** Body or query. Every string in it is hashed. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
  /** Objects in it whose texts are not hashed, by their keys: what the path declares to be meant for the log. */
  readonly clearFields?: ReadonlySet<string> | undefined
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly wrapTtlSeconds?: number | undefined
  /** All of the request's, names in lower case; only those of `auditedHeaders` reach the log. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined
  readonly auditedHeaders?: AuditedHeaders | undefined
  readonly clientCertificateSerialNumber?: string | undefined
  encoded?: Encoded | undefined
}

/** The mount that is asked. The pipeline keeps one object a mount and makes a new one when something of it changes. */
export interface MountFacts {
  /** With a trailing '/', relative to its namespace. */
  readonly path: string
  readonly type?: string | undefined
  readonly accessor?: string | undefined
  readonly runningVersion?: string | undefined
  readonly class?: 'secret' | 'auth' | undefined
  /** Tuned `audit_non_hmac_request_keys`: a string whose nearest key is one of these stays readable. */
  readonly clearRequestKeys?: ReadonlySet<string> | undefined
  /** Tuned `audit_non_hmac_response_keys`. */
  readonly clearResponseKeys?: ReadonlySet<string> | undefined
}

export interface ResponseFacts {
  /** The token that is granted. */
  readonly auth?: AuthFacts | undefined
  readonly mount?: MountFacts | undefined
  readonly leaseId?: string | undefined
  /**
   * Every string and every run of bytes in it is hashed. An error is `{ error: text }`; an answer without the envelope
   * is `{ http_content_type, http_raw_body, http_status_code }`.
   */
  readonly data?: Readonly<Record<string, unknown>> | null | undefined
  readonly warnings?: readonly string[] | undefined
  readonly redirect?: string | undefined
  readonly wrapInfo?: WrapFacts | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface WrapFacts {
  readonly ttlSeconds: number
  /** Hashed. */
  readonly token: string
  /** Hashed unless the device says otherwise. */
  readonly accessor: string
  readonly creationTimeMs: number
  readonly creationPath: string
  readonly wrappedAccessor?: string | undefined
}

/** Request headers that are logged: name in lower case -> whether hashed. */
export type AuditedHeaders = ReadonlyMap<string, { readonly hmac: boolean }>

/** What is logged until an operator changes it, as in Vault. */
export const DEFAULT_AUDITED_HEADERS: AuditedHeaders = new Map([
  ['correlation-id', { hmac: false }],
  ['user-agent', { hmac: false }],
  ['x-correlation-id', { hmac: false }],
])
