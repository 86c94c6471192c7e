/**
 * Identity: who somebody is across auth methods, and which groups they are in (contract: sys-auth.md, part 3). Each
 * namespace has one mount of it from its beginning.
 */
import type { PluginType } from '../../core/plugin/plugin.ts'
import { entityAliasPaths } from './paths/entity-alias.ts'
import { entityPaths } from './paths/entity.ts'
import { groupAliasPaths } from './paths/group-alias.ts'
import { groupPaths } from './paths/group.ts'
import { lookupPaths } from './paths/lookup.ts'
import { mergePath } from './paths/merge.ts'

const paths = [
  ...entityPaths,
  mergePath,
  ...entityAliasPaths,
  ...groupPaths,
  ...groupAliasPaths,
  ...lookupPaths,
]

export const identityEngine: PluginType = {
  type: 'identity',
  kind: 'secret',
  privileged: true,
  singleton: true,
  help: 'Who somebody is across auth methods: entities, their aliases, and groups with policies.',
  create: () => ({ paths }),
}
