/** The kinds of databases, by the plugin names that clients know. A further one is a file and a line here. */
import { BadRequest, listed } from '../../core/errors.ts'
import type { Database } from './database.ts'
import { postgresql } from './postgresql/postgresql.ts'

const DATABASES: ReadonlyMap<string, Database> = new Map([
  ['postgresql-database-plugin', postgresql],
])

/** @throws {BadRequest} there is none of that name */
export function findDatabase(pluginName: string): Database {
  const found = DATABASES.get(pluginName)
  if (found !== undefined) return found
  const missing = `plugin not found in the catalog: ${pluginName}`
  throw new BadRequest(`invalid database version: ${listed(missing, missing)}`)
}
