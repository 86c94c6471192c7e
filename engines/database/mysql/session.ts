/** A connection to MySQL or MariaDB that makes, changes and removes users. */
import type { Connection } from 'mysql2'
import { nothingDone } from '../errors.ts'
import { DatabaseError, refused } from '../errors.ts'
import { passwordOf } from '../credential.ts'
import type { NewUser, Session, Statements } from '../database.ts'
import { expirationText } from '../expiration.ts'
import { MYSQL } from '../sql/scan.ts'
import { fillStatement, splitStatements, type Statement, type Values } from '../sql/statements.ts'
import { mysqlFailure, query } from './connect.ts'

const ROTATION: Statements = [`ALTER USER '{{username}}'@'%' IDENTIFIED BY '{{password}}';`]
/** No such user, no such grant, operation on a user failed: what is said of a user who is not there. */
const UNKNOWN_USER = new Set(['1133', '1141', '1269', '1396'])
/** The engine's own user may not look. */
const DENIED = new Set(['1044', '1045', '1142', '1143', '1227'])

export class MysqlSession implements Session {
  readonly #connection: Connection
  #broken: Error | undefined

  constructor(connection: Connection) {
    this.#connection = connection
    connection.on('error', (error: Error) => void (this.#broken = error))
    connection.on('end', () => (this.#broken ??= new Error('the connection has ended')))
  }

  get broken(): Error | undefined {
    return this.#broken
  }

  async ping(): Promise<void> {
    await this.#query('SELECT 1', '', [])
  }

  async exists(username: string): Promise<boolean> {
    return ((await this.#hosts(username)) ?? []).length > 0
  }

  /** What makes users commits by itself here: what was made before a failure stays, and is undone. */
  async create({ username, credential, expiresAtMs, creation, rollback }: NewUser): Promise<void> {
    const password = passwordOf(credential)
    const values = { ...names(username), password, expiration: expirationText(expiresAtMs) }
    const statements = await this.#checked(username, creation, values)
    try {
      await this.#run(statements, [password])
    } catch (error) {
      if (rollback.length > 0 && this.#broken === undefined) await this.#rollBack(rollback, values)
      throw error
    }
  }

  async renew({ username, expiresAtMs, statements }: Parameters<Session['renew']>[0]) {
    const values = { ...names(username), expiration: expirationText(expiresAtMs) }
    await this.#run(filled(statements, 'renewal', values), [])
  }

  async drop({ username, statements }: Parameters<Session['drop']>[0]) {
    if (statements.length === 0) {
      // Privileges go with the user; it may have been made for other hosts than any.
      for (const host of (await this.#hosts(username)) ?? ['%']) {
        await this.#query('DROP USER IF EXISTS ?@?', 'revocation', [], [username, host])
      }
      return
    }
    try {
      await this.#run(filled(statements, 'revocation', names(username)), [])
    } catch (error) {
      const isUnknown = error instanceof DatabaseError && UNKNOWN_USER.has(error.code)
      if (!isUnknown || (await this.exists(username))) throw error
    }
  }

  async change({ username, credential, statements }: Parameters<Session['change']>[0]) {
    const password = passwordOf(credential)
    const wanted = statements.length > 0 ? statements : ROTATION
    const values = { ...names(username), password }
    await this.#run(filled(wanted, 'rotation', values), [password])
  }

  close(): void {
    this.#broken ??= new Error('the connection was closed')
    this.#connection.destroy()
  }

  /** @throws {NothingDone} a value cannot stand where a statement wants it, or the name is taken */
  async #checked(username: string, creation: Statements, values: Values): Promise<Statement[]> {
    try {
      const statements = filled(creation, 'creation', values)
      if (await this.exists(username))
        throw refused('there is a user of this name already', 'taken')
      return statements
    } catch (error) {
      throw error instanceof DatabaseError ? nothingDone(error) : error
    }
  }

  /** Of which hosts there is such a user; `undefined`: it may not be asked. */
  async #hosts(username: string): Promise<string[] | undefined> {
    try {
      const text = 'SELECT Host AS host FROM mysql.user WHERE User = ?'
      const rows = await this.#query(text, '', [], [username])
      return rows.flatMap((row) =>
        typeof row === 'object' && row !== null && 'host' in row ? [String(row.host)] : [],
      )
    } catch (error) {
      if (error instanceof DatabaseError && DENIED.has(error.code)) return undefined
      throw error
    }
  }

  async #rollBack(rollback: Statements, values: Values): Promise<void> {
    try {
      await this.#run(filled(rollback, 'rollback', values), [])
    } catch (error) {
      // What it left is undone with the rest.
      if (!(error instanceof DatabaseError)) throw error
    }
  }

  /** In a transaction, for statements that are not about users. */
  async #run(statements: readonly Statement[], secrets: readonly string[]): Promise<void> {
    if (statements.length === 0) return
    await this.#query('START TRANSACTION', '', [])
    try {
      for (const { text, label } of statements) await this.#query(text, label, secrets)
    } catch (error) {
      if (this.#broken === undefined) await this.#query('ROLLBACK', '', [])
      throw error
    }
    await this.#query('COMMIT', '', [])
  }

  async #query(
    text: string,
    label: string,
    secrets: readonly string[],
    values: readonly string[] = [],
  ): Promise<readonly unknown[]> {
    try {
      return await query(this.#connection, text, values)
    } catch (error) {
      const where = label === '' ? '' : `${label}: `
      const failure = mysqlFailure(error, `failed to execute query: ${where}`, secrets)
      if (failure.code === '') this.#broken ??= failure
      throw failure
    }
  }
}

const names = (username: string) => ({ name: username, username })

function filled(statements: Statements, purpose: string, values: Values): Statement[] {
  return splitStatements(statements, { dialect: MYSQL, purpose }).map((statement) => ({
    ...statement,
    text: fillStatement(statement, values, MYSQL),
  }))
}
