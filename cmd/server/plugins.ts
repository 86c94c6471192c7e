/** The engines and auth methods that are built in. */
import { approleMethod } from '../../auth/approle/engine.ts'
import { tokenMethod } from '../../auth/token/engine.ts'
import type { AuditBroker } from '../../core/audit/broker.ts'
import type { Node } from '../../core/node.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { auditPaths, type AuditSettings } from '../../engines/system/paths/audit.ts'
import { sealPaths } from '../../engines/system/paths/seal.ts'
import { wrappingPaths } from '../../engines/system/paths/wrapping.ts'

export interface PluginParts {
  readonly audit: AuditBroker
  readonly auditSettings: AuditSettings
}

/** Each is given just what it uses of the node that it is part of. */
export function builtinPlugins(parts: PluginParts): (node: Node) => readonly PluginType[] {
  return (node) => {
    const unsealed = () => node.unsealed
    const mounts = () => ({ registry: node.registry, systemTtl: node.parts.systemTtl })
    const systemPaths = [
      ...wrappingPaths(unsealed),
      ...auditPaths(parts.audit, parts.auditSettings),
      ...sealPaths(() => node.seal()),
    ]
    return [
      {
        type: 'system',
        kind: 'secret',
        privileged: true,
        singleton: true,
        help: 'System',
        create: () => ({ paths: systemPaths }),
      },
      tokenMethod(unsealed, mounts),
      approleMethod,
    ]
  }
}
