/** AppRole: programs log in with the id of a role and a secret id (contract: sys-auth.md, approle). */
import type { PluginType } from '../../core/plugin/plugin.ts'
import { loginPath, loginRole } from './paths/login.ts'
import { renew } from './renew.ts'
import { roleFieldPaths } from './paths/role-fields.ts'
import { rolePaths } from './paths/role.ts'
import { secretIdPaths } from './paths/secret-id.ts'
import { tidyPath, tidySome } from './tidy.ts'

const paths = [loginPath, tidyPath, ...rolePaths, ...secretIdPaths, ...roleFieldPaths]

export const approleMethod: PluginType = {
  type: 'approle',
  kind: 'auth',
  help: 'Programs log in with the id of a role and a secret id that was made for it.',
  create: () => ({ paths, renew, loginRole, periodic: tidySome }),
}
