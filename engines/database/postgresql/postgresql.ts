/** PostgreSQL, and what speaks its protocol (contract: engines-db-pki.md, A2 and A3). */
import { BadRequest } from '../../../core/errors.ts'
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import type { Database } from '../database.ts'
import { booleanDetail, connectionUrl, fillUrl, poolLimits, textDetail } from '../details.ts'
import { connect } from './connect.ts'
import { isUri, parseDsn } from './dsn.ts'
import { scramVerifier } from './scram.ts'
import { PostgresqlSession } from './session.ts'
import { tlsSettings } from './tls.ts'

const USERNAMES = usernameTemplate(
  '{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 63 }}',
)

export const postgresql: Database = {
  credentialTypes: new Set(['password']),
  needsCreationStatements: true,
  usernames: () => USERNAMES,
  read(details) {
    const limits = poolLimits(details)
    const stored = storedPassword(textDetail(details, 'password_authentication'))
    const url = connectionUrl(details)
    const escape = booleanDetail(details, 'disable_escaping') ? String : escapeFor(url.url)
    const dsn = parseDsn(fillUrl(url, { username: escape, password: escape }))
    const login = {
      dsn,
      user: dsn.user || url.username,
      password: dsn.password || url.password,
      tls: tlsSettings(dsn, details),
    }
    return {
      limits,
      connect: async (signal) => new PostgresqlSession(await connect(login, signal), stored),
    }
  },
}

function escapeFor(url: string): (text: string) => string {
  return isUri(url) ? encodeURIComponent : (text) => text.replaceAll(/[\s'\\]/g, String.raw`\$&`)
}

/** What the database is given: where nothing is said, never the password itself, so that no log of it can hold one. */
function storedPassword(authentication: string): (password: string) => Promise<string> {
  switch (authentication) {
    case '':
    case 'scram-sha-256':
      return scramVerifier
    case 'password':
      return (password) => Promise.resolve(password)
    default:
      throw new BadRequest(
        'it is not a valid password authentication type; password_authentication is "scram-sha-256" or "password"',
      )
  }
}
