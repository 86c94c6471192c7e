/** A mount as answers show it (contract: sys-auth.md, Mounts). */
import { ROOT } from '../../core/namespaces.ts'
import type { Namespace } from '../../core/plugin/request.ts'
import type { MountEntry } from '../../core/mounts/record.ts'
import { BUILTIN_VERSION } from '../../core/request/audit.ts'
import { shownConfig } from './mount-config.ts'

/** The server's own mounts are not in the catalogue, so nothing is said of their support. */
const OWN_TYPES = new Set(['system', 'identity', 'cubbyhole', 'token'])

/** @param namespace of the mount: the server's own have other types than those of the root namespace */
export function shownMount(
  entry: MountEntry,
  namespace: Pick<Namespace, 'id'>,
): Record<string, unknown> {
  const isOwn = OWN_TYPES.has(entry.type)
  const isTenants = isOwn && namespace.id !== ROOT.id
  return {
    type: isTenants ? `ns_${entry.type}` : entry.type,
    description: entry.description,
    accessor: entry.accessor,
    local: entry.local,
    seal_wrap: entry.sealWrap,
    external_entropy_access: entry.externalEntropyAccess,
    options: entry.options,
    uuid: entry.uuid,
    plugin_version: '',
    running_plugin_version: BUILTIN_VERSION,
    running_sha256: '',
    config: { ...shownConfig(entry.config), ...(isTenants && usualTokenType(entry)) },
    deprecation_status: isOwn ? undefined : 'supported',
  }
}

/** The reference has another word for the usual type of tokens there. */
function usualTokenType({ config }: MountEntry): { token_type?: string } {
  return config.tokenType === 'default-service' ? { token_type: 'default' } : {}
}
