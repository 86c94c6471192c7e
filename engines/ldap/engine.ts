/** LDAP: accounts that are made on demand, and existing ones whose passwords are kept and changed, or which are lent (contract: OpenBao's `ldap`). */
import type { PluginType } from '../../core/plugin/plugin.ts'
import { loans } from './library.ts'
import { configPath } from './paths/config.ts'
import { accounts, beginnings, dynamicCredsPath } from './paths/dynamic-creds.ts'
import { dynamicRolePath, dynamicRolesPath } from './paths/dynamic-roles.ts'
import { libraryPaths } from './paths/library.ts'
import { loanPaths } from './paths/loans.ts'
import { rotateRootPath } from './paths/rotate-root.ts'
import { staticCredPaths } from './paths/static-creds.ts'
import { staticRolePaths } from './paths/static-roles.ts'
import { nextRotation } from './timed.ts'

const paths = [
  configPath,
  rotateRootPath,
  dynamicRolesPath,
  dynamicRolePath,
  dynamicCredsPath,
  ...staticRolePaths,
  ...staticCredPaths,
  ...loanPaths,
  ...libraryPaths,
]
/** A rotation is gone on with, never taken back: nobody knows the password before it, or it is known to be void. */
const effects = { creds: accounts, creation: beginnings, loan: loans, rotation: {} }

export const ldapEngine: PluginType = {
  type: 'ldap',
  kind: 'secret',
  help: 'Makes accounts in a directory on demand, changes the passwords of others, and lends accounts.',
  create: () => ({ paths, effects, timed: nextRotation }),
}

/** The name that it has had in Vault first. */
export const openldapEngine: PluginType = { ...ldapEngine, type: 'openldap' }
