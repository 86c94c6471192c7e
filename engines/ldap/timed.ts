/** What time brings: static roles whose passwords are due, and rotations that have not ended. */
import type { TimedContext, TimedEffect } from '../../core/plugin/plugin.ts'
import { CONFIG_KEY, configs, ROTATIONS_PREFIX, rotations, staticRoles } from './records.ts'
import { begin, carryOut, dueAtOf, putRole, roleKey } from './rotate.ts'
import { rotateRoot } from './rotate-root.ts'
import { dueAfter, hasMissedWindow } from './rotation-time.ts'

/** Those that are passed over in one transaction, because their windows are over or their roles are gone. */
const MOST_PASSED = 50

export async function nextRotation(context: TimedContext): Promise<TimedEffect | undefined> {
  const { storage, nowMs } = context
  const config = await storage.get(configs, CONFIG_KEY)
  if (config === undefined) return undefined
  if (config.nextBindPassword !== '' && config.nextBindAtMs <= nowMs) {
    return { ...(await rotateRoot(context, config)), path: 'rotate-root' }
  }
  for (const key of await storage.list(ROTATIONS_PREFIX, { limit: MOST_PASSED })) {
    if (dueAtOf(key) > nowMs) return undefined
    const name = (await storage.get(rotations, ROTATIONS_PREFIX + key))?.name ?? ''
    const role = await storage.get(staticRoles, roleKey(name))
    if (role === undefined) storage.delete(ROTATIONS_PREFIX + key)
    else if (hasMissedWindow(role, nowMs)) {
      putRole(storage, name, { ...role, dueAtMs: dueAfter(role, nowMs) }, role)
    } else {
      const begun = await begin(context, name, role, config)
      return {
        type: 'rotation',
        path: `rotate-role/${name}`,
        internal: {},
        act: (signal) => carryOut(begun, signal),
      }
    }
  }
  return undefined
}
