/** The system engine: `sys/`, part of the server itself. */
import type { Path } from '../../core/plugin/path.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'

/** @param paths of all parts of it, each made with what it uses of the server */
export function systemEngine(paths: readonly Path[]): PluginType {
  return {
    type: 'system',
    kind: 'secret',
    privileged: true,
    singleton: true,
    help: 'Control, policies and debugging of the server.',
    create: () => ({ paths }),
  }
}
