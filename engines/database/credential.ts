/** Credentials of users, as far as a database that knows passwords alone has to do with them. */
import { refused } from './errors.ts'
import type { Credential } from './database.ts'

/** @throws {DatabaseError} it is none; who offers only passwords is never given another */
export function passwordOf(credential: Credential): string {
  if (credential.type === 'password') return credential.password
  throw refused('the database takes passwords only')
}
