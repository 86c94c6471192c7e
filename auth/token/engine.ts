/** The token method: `auth/token/`, part of the server itself. */
import type { MountServices } from '../../core/mounts/services.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import type { UnsealedParts } from '../../core/pipeline.ts'
import { accessorPaths } from './paths/accessors.ts'
import { createPaths } from './paths/create.ts'
import { inventoryPaths } from './paths/inventory.ts'
import { inventoryRevokePaths } from './paths/inventory-revoke.ts'
import { lookupPaths } from './paths/lookup.ts'
import { renewPaths } from './paths/renew.ts'
import { revokePaths } from './paths/revoke.ts'
import { rolePaths } from './paths/roles.ts'

export type Unsealed = () => Pick<UnsealedParts, 'acls' | 'batch'>

export function tokenMethod(unsealed: Unsealed, mounts: () => MountServices): PluginType {
  const paths = [
    ...createPaths(unsealed),
    ...lookupPaths(unsealed),
    ...renewPaths(unsealed, mounts),
    ...revokePaths(unsealed),
    ...accessorPaths(unsealed),
    ...inventoryPaths(unsealed),
    ...inventoryRevokePaths(unsealed),
    ...rolePaths(),
  ]
  return {
    type: 'token',
    kind: 'auth',
    privileged: true,
    singleton: true,
    help: 'Creates, shows, lists, renews and revokes tokens.',
    create: () => ({ paths }),
  }
}
