/** A mount as answers show it (contract: sys-auth.md, Mounts). */
import { findRegistered, servingVersion } from '../../core/external/catalog.ts'
import { ROOT } from '../../core/namespaces.ts'
import type { Namespace } from '../../core/plugin/request.ts'
import type { MountEntry } from '../../core/mounts/record.ts'
import { BUILTIN_VERSION } from '../../core/request/audit.ts'
import type { View } from '../../core/store/view.ts'
import { shownConfig } from './mount-config.ts'

/** The server's own mounts are not in the catalogue, so nothing is said of their support. */
const OWN_TYPES = new Set(['system', 'identity', 'cubbyhole', 'token'])

/**
 * @param root where the catalog of plugins is read
 * @param namespace of the mount: the server's own have other types than those of the root namespace
 */
export async function shownMount(
  root: View,
  entry: MountEntry,
  namespace: Pick<Namespace, 'id'>,
): Promise<Record<string, unknown>> {
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
    ...(await shownVersion(root, entry)),
    config: { ...shownConfig(entry.config), ...(isTenants && usualTokenType(entry)) },
    deprecation_status: isOwn || entry.pluginVersion !== undefined ? undefined : 'supported',
  }
}

async function shownVersion(root: View, entry: MountEntry): Promise<Record<string, unknown>> {
  const { kind, type, pluginVersion } = entry
  if (pluginVersion === undefined) {
    return { plugin_version: '', running_plugin_version: BUILTIN_VERSION, running_sha256: '' }
  }
  const running = await servingVersion(root, entry)
  const registered = await findRegistered(root, kind, type, running)
  return {
    plugin_version: pluginVersion,
    running_plugin_version: running,
    running_sha256: registered?.sha256 ?? '',
  }
}

/** The reference has another word for the usual type of tokens there. */
function usualTokenType({ config }: MountEntry): { token_type?: string } {
  return config.tokenType === 'default-service' ? { token_type: 'default' } : {}
}
