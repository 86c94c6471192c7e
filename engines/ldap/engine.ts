/** LDAP: accounts that are made on demand, and existing ones whose passwords are kept and changed (contract: OpenBao's `ldap`). */
import type { PluginType } from '../../core/plugin/plugin.ts'
import { configPath } from './paths/config.ts'
import { accounts, beginnings, dynamicCredsPath } from './paths/dynamic-creds.ts'
import { dynamicRolePath, dynamicRolesPath } from './paths/dynamic-roles.ts'

const paths = [configPath, dynamicRolesPath, dynamicRolePath, dynamicCredsPath]
const effects = { creds: accounts, creation: beginnings }
const help = 'Makes accounts in a directory on demand, and changes the passwords of others.'

export const ldapEngine: PluginType = {
  type: 'ldap',
  kind: 'secret',
  help,
  create: () => ({ paths, effects }),
}

/** The name that it has had in Vault first. */
export const openldapEngine: PluginType = { ...ldapEngine, type: 'openldap' }
