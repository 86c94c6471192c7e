/** `sys/seal` and `sys/step-down`; what else works while sealed lies in `core/direct`. */
import { path } from '../../../core/plugin/path.ts'

/** @param seal closes this node and all others */
export function sealPaths(seal: () => Promise<void>) {
  return [
    path('seal', {
      rootOnly: 'operation unavailable in namespaces',
      summary: 'Seals all nodes: keys leave the memory, and nothing is served until it is unsealed',
      sudo: true,
      operations: { update: () => ({ afterwards: seal }) },
    }),
    path('step-down', {
      rootOnly: 'operation unavailable in namespaces',
      summary: 'Does nothing: every node serves, so there is no leader to step down',
      sudo: true,
      operations: { update: () => undefined },
    }),
  ]
}
