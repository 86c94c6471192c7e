/** The engines and auth methods that are built in. */
import { approleMethod } from '../../auth/approle/engine.ts'
import { tokenMethod } from '../../auth/token/engine.ts'
import { userpassMethod } from '../../auth/userpass/engine.ts'
import type { AuditBroker } from '../../core/audit/broker.ts'
import type { MountServices } from '../../core/mounts/services.ts'
import type { Node } from '../../core/node.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { toolPaths } from '../../core/plugin/tools.ts'
import { cubbyholeEngine } from '../../engines/cubbyhole/engine.ts'
import { databaseEngine } from '../../engines/database/engine.ts'
import { identityEngine } from '../../engines/identity/engine.ts'
import { kvEngine } from '../../engines/kv/engine.ts'
import { ldapEngine, openldapEngine } from '../../engines/ldap/engine.ts'
import { rabbitmqEngine } from '../../engines/rabbitmq/engine.ts'
import { transitEngine } from '../../engines/transit/engine.ts'
import { systemEngine } from '../../engines/system/engine.ts'
import { auditPaths, type AuditSettings } from '../../engines/system/paths/audit.ts'
import { capabilityPaths } from '../../engines/system/paths/capabilities.ts'
import { corsPaths } from '../../engines/system/paths/cors.ts'
import { generateRootPaths } from '../../engines/system/paths/generate-root.ts'
import { inspectPaths } from '../../engines/system/paths/inspect.ts'
import { keyPaths } from '../../engines/system/paths/keys.ts'
import { intentPaths } from '../../engines/system/paths/intents.ts'
import { leaseReportPaths } from '../../engines/system/paths/lease-reports.ts'
import { leasePaths } from '../../engines/system/paths/leases.ts'
import { leaseQuotaPaths } from '../../engines/system/paths/lease-quotas.ts'
import { lockedUserPaths } from '../../engines/system/paths/locked-users.ts'
import { loggerPaths, type LogLevels } from '../../engines/system/paths/loggers.ts'
import { metricsPaths } from '../../engines/system/paths/metrics.ts'
import { monitorPath, type Follow } from '../../engines/system/paths/monitor.ts'
import { mountPaths } from '../../engines/system/paths/mounts.ts'
import { namespacePaths } from '../../engines/system/paths/namespaces.ts'
import { passwordPolicyPaths } from '../../engines/system/paths/password-policies.ts'
import { pluginPinPaths } from '../../engines/system/paths/plugin-pins.ts'
import { pluginReloadPaths } from '../../engines/system/paths/plugin-reload.ts'
import { pluginPaths } from '../../engines/system/paths/plugins.ts'
import { rawPaths } from '../../engines/system/paths/raw.ts'
import { quotaPaths } from '../../engines/system/paths/quotas.ts'
import { rekeyPaths } from '../../engines/system/paths/rekey.ts'
import { sharesPaths } from '../../engines/system/paths/shares.ts'
import { policyPaths } from '../../engines/system/paths/policies.ts'
import { policyExplainPaths } from '../../engines/system/paths/policy-explain.ts'
import { sealPaths } from '../../engines/system/paths/seal.ts'
import { statusPaths } from '../../engines/system/paths/status.ts'
import { uiPaths } from '../../engines/system/paths/ui.ts'
import { uiHeaderPaths } from '../../engines/system/paths/ui-headers.ts'
import { wrappingPaths } from '../../engines/system/paths/wrapping.ts'
import { measuredOf } from './measured.ts'

export interface PluginParts {
  readonly audit: AuditBroker
  readonly auditSettings: AuditSettings
  /** As clients reach this node; empty: unknown. */
  readonly apiAddress?: string
  /** The server's log; nothing where there is none. */
  readonly logLevels?: LogLevels
  /** Its lines as they are written; none where there is no log. */
  readonly followLog?: Follow
  /** Names of the headers that the listeners' configuration sets. */
  readonly responseHeaders?: readonly string[]
  /** False: `sys/metrics` has no Prometheus text. */
  readonly prometheus?: boolean
  /** What the configuration opens for who looks for a fault; absent: nothing. */
  readonly debugging?: Debugging
  /** Tells the operator; nobody where there is none. */
  readonly warn?: (text: string) => void
  /** What may be shown of the configuration. */
  readonly configuration?: Readonly<Record<string, unknown>>
}

export interface Debugging {
  /** `sys/raw` is there. */
  readonly rawStorage: boolean
  /** `sys/internal/inspect` answers. */
  readonly introspection: boolean
}

const NO_LOG: LogLevels = { levels: () => ({}), set: () => undefined }
async function* noLines() {}

/** Each is given just what it uses of the node that it is part of. */
export function builtinPlugins(parts: PluginParts): (node: Node) => readonly PluginType[] {
  return (node) => {
    const unsealed = () => node.unsealed
    const mounts = () => mountServices(node)
    const types: PluginType[] = [
      identityEngine(parts.apiAddress ?? ''),
      cubbyholeEngine,
      kvEngine,
      transitEngine,
      ldapEngine,
      openldapEngine,
      rabbitmqEngine,
      databaseEngine,
      approleMethod,
      userpassMethod,
      tokenMethod(unsealed, mounts),
    ]
    return [systemEngine(systemPaths(node, parts)), ...types]
  }
}

function mountServices({ registry, parts }: Node): MountServices {
  return { registry, systemTtl: parts.systemTtl }
}

/** The registry is there only when the node is: the paths that need it ask for it. */
function systemPaths(node: Node, parts: PluginParts) {
  const unsealed = () => node.unsealed
  const registry = () => node.registry
  return [
    ...mountPaths(registry, node.parts.systemTtl),
    ...namespacePaths(unsealed),
    ...policyPaths(),
    ...quotaPaths(registry),
    ...leaseQuotaPaths(registry),
    ...policyExplainPaths(unsealed, registry),
    ...passwordPolicyPaths,
    ...leasePaths({ unsealed, mounts: () => mountServices(node), revoker: () => node.revoker }),
    ...leaseReportPaths(() => mountServices(node)),
    ...intentPaths(() => mountServices(node)),
    ...capabilityPaths(unsealed),
    ...lockedUserPaths,
    ...auditPaths(parts.audit, parts.auditSettings, parts.warn ?? (() => undefined)),
    ...wrappingPaths(unsealed),
    ...sealPaths(() => node.seal()),
    ...keyPaths(() => node.barrier),
    ...generateRootPaths(node.generateRoot, parts.warn ?? (() => undefined)),
    ...sharesPaths(node),
    ...rekeyPaths(node, parts.warn ?? (() => undefined)),
    ...uiPaths(unsealed, registry),
    ...uiHeaderPaths(parts.responseHeaders ?? []),
    ...pluginPaths(registry, node.parts.external.directory),
    ...pluginPinPaths,
    ...pluginReloadPaths,
    ...toolPaths('tools/'),
    ...corsPaths,
    ...metricsPaths(measuredOf(node, { prometheus: parts.prometheus ?? true })),
    ...loggerPaths(parts.logLevels ?? NO_LOG),
    monitorPath(parts.followLog ?? noLines),
    ...(parts.debugging?.rawStorage ? rawPaths(unsealed) : []),
    ...inspectPaths({ isOpen: parts.debugging?.introspection ?? false }),
    ...statusPaths({
      apiAddress: parts.apiAddress ?? '',
      configuration: parts.configuration ?? {},
    }),
  ]
}
