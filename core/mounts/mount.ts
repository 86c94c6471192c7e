/** The mount as a plugin sees it, and the limits of time that hold for it. */
import type { Lockout, Mount } from '../plugin/request.ts'
import type { MountConfig, MountEntry } from './record.ts'

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
      lockout: lockoutOf(entry.config.userLockout),
    })
    made.set(entry, mount)
  }
  return mount
}

const LOCKOUT: Lockout = {
  disable: false,
  threshold: 5,
  durationSeconds: 15 * 60,
  counterResetSeconds: 15 * 60,
}

/** What is 0 in the mount's tuning is the system's. */
function lockoutOf(tuned: MountConfig['userLockout']): Lockout {
  if (tuned === undefined) return LOCKOUT
  return {
    disable: tuned.disable,
    threshold: tuned.threshold || LOCKOUT.threshold,
    durationSeconds: tuned.durationSeconds || LOCKOUT.durationSeconds,
    counterResetSeconds: tuned.counterResetSeconds || LOCKOUT.counterResetSeconds,
  }
}
