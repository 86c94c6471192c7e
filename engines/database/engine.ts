/** Database: users that are made on demand and die by themselves (contract: engines-db-pki.md, part A). */
import { systemClock } from '../../core/clock.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { Connections } from './connections.ts'
import { configPaths } from './paths/config.ts'
import { credsPath } from './paths/creds.ts'
import { resetPaths } from './paths/reset.ts'
import { rootEffect, rotateRootPath } from './paths/rotate-root.ts'
import { staticCredsPaths } from './paths/static-creds.ts'
import { importEffect, staticRolePaths } from './paths/static-roles.ts'
import { nextDueRotation } from './rotation.ts'
import { rolePaths } from './paths/roles.ts'
import { userEffect } from './user-effect.ts'

export const databaseEngine: PluginType = {
  type: 'database',
  kind: 'secret',
  help: 'Makes users of databases on demand, and removes them when their leases end.',
  create() {
    const connections = new Connections(systemClock)
    return {
      paths: [
        ...configPaths(connections),
        ...resetPaths(connections),
        ...rolePaths,
        credsPath(connections),
        ...staticRolePaths(connections),
        ...staticCredsPaths(connections),
        rotateRootPath(connections),
      ],
      effects: {
        user: userEffect(connections),
        import: importEffect(connections),
        root: rootEffect,
        // The role remembers what it is being given, and goes on until the database has it.
        rotation: {},
        // What only looks at a database leaves nothing behind.
        connection: {},
      },
      timed: (context) => nextDueRotation(connections, context),
      close: () => connections.close(),
    }
  },
}
