/** A connection to PostgreSQL that makes, changes and removes users. */
import { refused, unreachable, nothingDone, DatabaseError } from '../errors.ts'
import type { Credential, NewUser, Session, Statements } from '../database.ts'
import { POSTGRESQL } from '../sql/scan.ts'
import { fillStatement, splitStatements, type Statement, type Values } from '../sql/statements.ts'
import { isPgError, said, type Connected } from './connect.ts'
import { defaultRevocation } from './revocation.ts'
import { expirationText } from '../expiration.ts'
import { passwordOf } from '../credential.ts'

/** What the user that it is about is unknown by. */
const UNDEFINED_OBJECT = '42704'
/** A name is taken. */
const TAKEN = '42710'
const NO_STATEMENT = { label: '', secrets: [] }
const RENEWAL: Statements = [`ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}';`]
const ROTATION: Statements = [`ALTER ROLE "{{username}}" WITH PASSWORD '{{password}}';`]

interface Run {
  /** Filled with their values. */
  readonly statements: readonly Statement[]
  /** What no error may hold. */
  readonly secrets: readonly string[]
}

export class PostgresqlSession implements Session {
  readonly #connected: Connected
  /** What the database is given of a password. */
  readonly #stored: (password: string) => Promise<string>
  #broken: Error | undefined

  constructor(connected: Connected, stored: (password: string) => Promise<string>) {
    this.#connected = connected
    this.#stored = stored
    connected.client.on('error', (error) => (this.#broken = error))
    connected.client.on('end', () => (this.#broken ??= new Error('the connection has ended')))
  }

  get broken(): Error | undefined {
    return this.#broken
  }

  async ping(): Promise<void> {
    await this.#query('SELECT 1', NO_STATEMENT)
  }

  async exists(username: string): Promise<boolean> {
    return (await this.#rows('SELECT 1 FROM pg_roles WHERE rolname = $1', [username])).length > 0
  }

  async create({ username, credential, expiresAtMs, creation }: NewUser): Promise<void> {
    const { stored, secrets } = await this.#prepared(credential)
    const values = { ...names(username), password: stored, expiration: expirationText(expiresAtMs) }
    const statements = filledOrNothing(creation, values)
    try {
      if (await this.exists(username)) throw refused('there is a user of this name already', TAKEN)
      await this.#query('BEGIN', NO_STATEMENT)
      await this.#run({ statements, secrets })
    } catch (error) {
      await this.#rollBack()
      // It said no and is there still: then nothing is left of the transaction.
      const isCertain = error instanceof DatabaseError && error.code !== '' && !this.#broken
      throw isCertain ? nothingDone(error) : error
    }
    await this.#query('COMMIT', { label: 'COMMIT', secrets })
  }

  async renew(user: { username: string; expiresAtMs: number; statements: Statements }) {
    const { username, expiresAtMs, statements } = user
    const values = { ...names(username), expiration: expirationText(expiresAtMs) }
    const wanted = statements.length > 0 ? statements : RENEWAL
    await this.#transaction({ statements: filled(wanted, 'renewal', values), secrets: [] })
  }

  async drop({ username, statements }: { username: string; statements: Statements }) {
    if (statements.length === 0) {
      await defaultRevocation(username, (text, values) => this.#rows(text, values))
      return
    }
    try {
      const run = { statements: filled(statements, 'revocation', names(username)), secrets: [] }
      await this.#transaction(run)
    } catch (error) {
      const isUnknown = error instanceof DatabaseError && error.code === UNDEFINED_OBJECT
      if (!isUnknown || (await this.exists(username))) throw error
    }
  }

  async change({ username, credential, statements }: Parameters<Session['change']>[0]) {
    const { stored, secrets } = await this.#prepared(credential)
    const values = { ...names(username), password: stored }
    const wanted = statements.length > 0 ? statements : ROTATION
    await this.#transaction({ statements: filled(wanted, 'rotation', values), secrets })
  }

  close(): void {
    this.#broken ??= new Error('the connection was closed')
    const { client, socket } = this.#connected
    // The server is told, and nobody waits for what it does about it.
    client.end().catch(() => undefined)
    socket.destroySoon()
  }

  async #prepared(credential: Credential) {
    const password = passwordOf(credential)
    const stored = await this.#stored(password)
    return { stored, secrets: [stored, password] }
  }

  async #transaction(run: Run): Promise<void> {
    await this.#query('BEGIN', NO_STATEMENT)
    try {
      await this.#run(run)
    } catch (error) {
      await this.#rollBack()
      throw error
    }
    await this.#query('COMMIT', { label: 'COMMIT', secrets: run.secrets })
  }

  async #run({ statements, secrets }: Run): Promise<void> {
    for (const { text, label } of statements) await this.#query(text, { label, secrets })
  }

  /** A connection that cannot do even that is broken, and its transaction with it. */
  async #rollBack(): Promise<void> {
    if (this.#broken !== undefined) return
    try {
      await this.#query('ROLLBACK', NO_STATEMENT)
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
      this.close()
    }
  }

  async #query(
    text: string,
    { label, secrets }: { readonly label: string; readonly secrets: readonly string[] },
  ): Promise<void> {
    try {
      await this.#connected.client.query(text)
    } catch (error) {
      throw this.#failure(error, label, secrets)
    }
  }

  async #rows(text: string, values: readonly string[]): Promise<readonly unknown[]> {
    try {
      const { rows } = await this.#connected.client.query<Record<string, unknown>>(text, [
        ...values,
      ])
      return rows
    } catch (error) {
      throw this.#failure(error, '', [])
    }
  }

  #failure(error: unknown, label: string, secrets: readonly string[]): DatabaseError {
    const where = label === '' ? '' : `${label}: `
    if (isPgError(error)) {
      return refused(`failed to execute query: ${where}${said(error, secrets)}`, error.code)
    }
    const why = error instanceof Error ? error : new Error('the connection broke')
    this.#broken ??= why
    return unreachable(`failed to execute query: ${where}the connection broke`)
  }
}

const names = (username: string) => ({ name: username, username })

function filled(statements: Statements, purpose: string, values: Values): Statement[] {
  const options = { dialect: POSTGRESQL, purpose, blocks: true }
  return splitStatements(statements, options).map((statement) => ({
    ...statement,
    text: fillStatement(statement, values, POSTGRESQL),
  }))
}

/** @throws {NothingDone} a value cannot stand where a statement wants it */
function filledOrNothing(creation: Statements, values: Values): Statement[] {
  try {
    return filled(creation, 'creation', values)
  } catch (error) {
    throw error instanceof DatabaseError ? nothingDone(error) : error
  }
}
