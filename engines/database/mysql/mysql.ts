/** MySQL and MariaDB (contract: engines-db-pki.md, A2 and A3). */
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import type { Database } from '../database.ts'
import { connectionUrl, poolLimits } from '../details.ts'
import { connectMysql } from './connect.ts'
import { parseMysqlDsn } from './dsn.ts'
import { MysqlSession } from './session.ts'
import { mysqlTls } from './tls.ts'

const USERNAMES = usernameTemplate(
  '{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 10) (.RoleName | truncate 10) (random 20) (unix_time) | truncate 32 }}',
)
/** Of servers whose names of users end at 16 characters. */
const SHORT_USERNAMES = usernameTemplate(
  '{{ printf "v-%s-%s" (.RoleName | truncate 4) (random 20) | truncate 16 }}',
)

export const mysql: Database = {
  credentialTypes: new Set(['password']),
  needsCreationStatements: true,
  usernames: (pluginName) => (pluginName === 'mysql-database-plugin' ? USERNAMES : SHORT_USERNAMES),
  read(details) {
    const limits = poolLimits(details)
    const dsn = parseMysqlDsn(connectionUrl(details))
    const ssl = mysqlTls(dsn.tls, details)
    return {
      limits,
      connect: async (signal) => new MysqlSession(await connectMysql(dsn, ssl, signal)),
    }
  },
}
