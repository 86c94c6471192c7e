/** Userpass: people log in with a name and a password that is kept here (contract: sys-auth.md, userpass). */
import { removeEnded } from '../../core/plugin/lockout.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { loginPath, renew } from './paths/login.ts'
import { userPaths } from './paths/users.ts'

const paths = [loginPath, ...userPaths]

export const userpassMethod: PluginType = {
  type: 'userpass',
  kind: 'auth',
  help: 'People log in with a name and a password that is kept here.',
  create: () => ({ paths, renew, periodic: removeEnded }),
}
