/** How a user of PostgreSQL is removed where a role says nothing of it (contract: engines-db-pki.md, A3.1). */
import { DatabaseError, refused } from '../errors.ts'

type Rows = (text: string, values: readonly string[]) => Promise<readonly unknown[]>

/** Statements for `name`, each quoted by the database itself. */
const REVOKE = `
SELECT format('REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA %I FROM %I', s, $1::text) AS statement
  FROM (SELECT DISTINCT table_schema AS s FROM information_schema.role_table_grants WHERE grantee = $1) AS granted
UNION SELECT format('REVOKE USAGE ON SCHEMA %I FROM %I', s, $1::text)
  FROM (SELECT DISTINCT table_schema AS s FROM information_schema.role_table_grants WHERE grantee = $1) AS granted
UNION SELECT format('REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA public FROM %I', $1::text)
UNION SELECT format('REVOKE ALL PRIVILEGES ON ALL SEQUENCES IN SCHEMA public FROM %I', $1::text)
UNION SELECT format('REVOKE USAGE ON SCHEMA public FROM %I', $1::text)
UNION SELECT format('REVOKE CONNECT ON DATABASE %I FROM %I', current_database(), $1::text)`
const DROP = `SELECT format('DROP ROLE IF EXISTS %I', $1::text) AS statement`
const EXISTS = 'SELECT 1 FROM pg_roles WHERE rolname = $1'

/** @throws {DatabaseError} some statement failed, and the user is there still */
export async function defaultRevocation(username: string, rows: Rows): Promise<void> {
  if ((await rows(EXISTS, [username])).length === 0) return
  const failed: string[] = []
  for (const statement of statementsOf(await rows(REVOKE, [username]))) {
    const failure = await attempt(() => rows(statement, []))
    if (failure !== undefined) failed.push(failure)
  }
  if (failed.length > 0) {
    throw refused(`could not perform all revocation statements: ${failed.join('; ')}`)
  }
  for (const statement of statementsOf(await rows(DROP, [username]))) await rows(statement, [])
}

/** What the database refuses; a connection that broke ends it all. */
async function attempt(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof DatabaseError && error.code !== '') return error.text
    throw error
  }
}

function statementsOf(rows: readonly unknown[]): string[] {
  return rows.flatMap((row) =>
    typeof row === 'object' && row !== null && 'statement' in row ? [String(row.statement)] : [],
  )
}
