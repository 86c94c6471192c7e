/** The mount as a plugin sees it, and the limits of time that hold for it. */
import type { Mount } from '../plugin/request.ts'
import type { MountEntry } from './record.ts'

/** The server's own limits, from its configuration. */
export interface SystemTtl {
  readonly defaultSeconds: number
  readonly maxSeconds: number
}

const made = new WeakMap<MountEntry, Mount>()

/** hot: made once for each version of the entry. */
export function mountOf(entry: MountEntry, system: SystemTtl): Mount {
  let mount = made.get(entry)
  if (mount === undefined) {
    const maxTtlSeconds = entry.config.maxTtlSeconds || system.maxSeconds
    mount = Object.freeze({
      uuid: entry.uuid,
      path: entry.path,
      type: entry.type,
      accessor: entry.accessor,
      options: entry.options ?? {},
      defaultTtlSeconds: Math.min(
        entry.config.defaultTtlSeconds || system.defaultSeconds,
        maxTtlSeconds,
      ),
      maxTtlSeconds,
      tokenType: entry.config.tokenType ?? 'default-service',
    })
    made.set(entry, mount)
  }
  return mount
}
