/**
 * What a kind of database must do. One file each implements it (`postgresql.ts` is the one to read first); `databases.ts` lists
 * them. A driver is loaded when it is first needed, so a server that has no such database pays nothing for it.
 */
import type { JsonObject } from '../../core/json.ts'
import type { UsernameTemplate } from '../../core/plugin/username-template.ts'

export type CredentialType = 'password' | 'rsa_private_key' | 'client_certificate'

/** With what a user logs in, as far as the database has to know it. */
export type Credential =
  | { readonly type: 'password'; readonly password: string }
  | { readonly type: 'rsa_private_key'; readonly publicKey: string }
  | { readonly type: 'client_certificate'; readonly subject: string }

export interface Database {
  /** The credentials that it can give a user. */
  readonly credentialTypes: ReadonlySet<CredentialType>
  /** A role without creation statements gives nothing: it would make a user whom nothing is known of. */
  readonly needsCreationStatements: boolean
  /** How its users are named where the configuration says nothing. @param pluginName one of those that it serves */
  readonly usernames: (pluginName: string, details: JsonObject) => UsernameTemplate
  /** What the connection details of a configuration mean. Connects to nothing. @throws {BadRequest} they are wrong */
  read(details: JsonObject): Access
}

/** How a database is reached. */
export interface Access {
  readonly limits: PoolLimits
  /**
   * A connection that is logged in.
   *
   * @throws {DatabaseError} whatever the reason, in words for an operator
   */
  connect(signal: AbortSignal): Promise<Session>
}

export interface PoolLimits {
  /** Connections at the same time, at least 1. */
  readonly maxOpen: number
  /** Those that are kept while nobody uses them; 0: none. */
  readonly maxIdle: number
  /** 0: a connection may live for ever. */
  readonly maxLifetimeMs: number
}

/**
 * One connection. All that fails throws a `DatabaseError`, whose text says which statement failed and what the database
 * said, and never holds a password.
 */
export interface Session {
  /** Why it cannot be used any more; `undefined`: it can. */
  readonly broken: Error | undefined
  ping(): Promise<void>
  exists(username: string): Promise<boolean>
  /**
   * Makes a user.
   *
   * @throws {NothingDone} and nothing is left of it {DatabaseError} it may be there, in part
   */
  create(user: NewUser): Promise<void>
  renew(user: { username: string; expiresAtMs: number; statements: Statements }): Promise<void>
  /** Removes a user; who is not there counts as removed. */
  drop(user: { username: string; statements: Statements }): Promise<void>
  /** Gives a user another credential. */
  change(user: { username: string; credential: Credential; statements: Statements }): Promise<void>
  /** Ends it at once, whatever it does. */
  close(): void
}

export type Statements = readonly string[]

export interface NewUser {
  readonly username: string
  readonly credential: Credential
  readonly expiresAtMs: number
  readonly creation: Statements
  /** For databases without transactions: run where the creation fails in the middle. */
  readonly rollback: Statements
}
