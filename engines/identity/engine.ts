/**
 * The place of identity in the mount table: each namespace has `identity/` from its beginning, as clients expect. Who
 * somebody is across auth methods comes with a later release; until then nothing lies here.
 */
import type { PluginType } from '../../core/plugin/plugin.ts'

export const identityEngine: PluginType = {
  type: 'identity',
  kind: 'secret',
  privileged: true,
  singleton: true,
  help: 'Entities and groups; this release has none.',
  create: () => ({ paths: [] }),
}
