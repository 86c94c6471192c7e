/** Cubbyhole: each token's own secrets, which nobody else reads and which end with it (contract: engines-core.md, 1.3). */
import type { PluginType } from '../../core/plugin/plugin.ts'
import { secretPath } from './paths/secret.ts'

export const cubbyholeEngine: PluginType = {
  type: 'cubbyhole',
  kind: 'secret',
  privileged: true,
  singleton: true,
  help: 'Secrets of the token that asks: no other token sees them, and they are removed when it ends.',
  create: () => ({ paths: [secretPath] }),
}
