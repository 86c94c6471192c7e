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
import { oidcKeyPaths } from './paths/oidc-keys.ts'
import { oidcTokenPaths } from './paths/oidc-tokens.ts'

const paths = [
  ...entityPaths,
  mergePath,
  ...entityAliasPaths,
  ...groupPaths,
  ...groupAliasPaths,
  ...lookupPaths,
  ...oidcKeyPaths,
]

/** @param apiAddress where clients reach the server; empty: unknown */
export function identityEngine(apiAddress: string): PluginType {
  const all = [...paths, ...oidcTokenPaths(apiAddress)]
  return {
    type: 'identity',
    kind: 'secret',
    privileged: true,
    singleton: true,
    help: 'Who somebody is across auth methods: entities, their aliases, groups, and tokens that say so.',
    create: () => ({ paths: all }),
  }
}
