/** The kinds of databases, by the plugin names that clients know. A further one is a file and a line here. */
import { BadRequest, listed } from '../../core/errors.ts'
import type { Database } from './database.ts'
import { mysql } from './mysql/mysql.ts'
import { postgresql } from './postgresql/postgresql.ts'
import { redis } from './redis/redis.ts'

const DATABASES: ReadonlyMap<string, Database> = new Map([
  ['postgresql-database-plugin', postgresql],
  ['mysql-database-plugin', mysql],
  ['mysql-aurora-database-plugin', mysql],
  ['mysql-rds-database-plugin', mysql],
  ['mysql-legacy-database-plugin', mysql],
  ['redis-database-plugin', redis],
  ['valkey-database-plugin', redis],
])

/** @throws {BadRequest} there is none of that name */
export function findDatabase(pluginName: string): Database {
  const found = DATABASES.get(pluginName)
  if (found !== undefined) return found
  const missing = `plugin not found in the catalog: ${pluginName}`
  throw new BadRequest(`invalid database version: ${listed(missing, missing)}`)
}
