/** A mount as answers show it (contract: sys-auth.md, Mounts). */
import type { MountEntry } from '../../core/mounts/record.ts'
import { BUILTIN_VERSION } from '../../core/request/audit.ts'
import { shownConfig } from './mount-config.ts'

/** The server's own mounts are not in the catalogue, so nothing is said of their support. */
const OWN_TYPES = new Set(['system', 'identity', 'cubbyhole', 'token'])

export function shownMount(entry: MountEntry): Record<string, unknown> {
  return {
    type: entry.type,
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
    config: shownConfig(entry.config),
    deprecation_status: OWN_TYPES.has(entry.type) ? undefined : 'supported',
  }
}
