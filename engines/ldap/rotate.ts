/**
 * Changes the password of a static role: the new one is stored, then set in the directory, then stored as the one in force. Whatever
 * happens between, the next attempt sets the same password again, so that what is stored becomes true.
 */
import type { Conclude } from '../../core/plugin/effects.ts'
import type { RequestBase } from '../../core/plugin/request.ts'
import type { View } from '../../core/store/view.ts'
import { changePassword, type Account } from './change-password.ts'
import { withDirectory } from './connect.ts'
import { newPassword } from './passwords.ts'
import {
  ROTATIONS_PREFIX,
  rotations,
  STATIC_ROLES_PREFIX,
  staticRoles,
  type Config,
  type StaticRole,
} from './records.ts'
import { dueAfter, pauseMs } from './rotation-time.ts'

const TIME_DIGITS = 14

export const roleKey = (name: string) => STATIC_ROLES_PREFIX + name

const rotationKey = (name: string, dueAtMs: number) =>
  `${ROTATIONS_PREFIX}${String(dueAtMs).padStart(TIME_DIGITS, '0')}.${encodeURIComponent(name)}`

/** When the first of the keys below `ROTATIONS_PREFIX` is due. */
export const dueAtOf = (key: string) => Number(key.slice(0, TIME_DIGITS))

/** Stores it, and that it is due. */
export function putRole(
  storage: View,
  name: string,
  role: StaticRole,
  before: StaticRole | undefined,
): void {
  if (before !== undefined) storage.delete(rotationKey(name, before.dueAtMs))
  storage.put(staticRoles, roleKey(name), role)
  storage.put(rotations, rotationKey(name, role.dueAtMs), { name })
}

export function removeRole(storage: View, name: string, role: StaticRole): void {
  storage.delete(rotationKey(name, role.dueAtMs))
  storage.delete(roleKey(name))
}

export const accountOf = ({ dn, username }: Pick<StaticRole, 'dn' | 'username'>): Account =>
  dn === '' ? { username } : { dn }

/** A rotation that is stored and not yet done. */
export interface Begun {
  readonly name: string
  readonly role: StaticRole
  readonly config: Config
  readonly nowMs: number
}

type Context = Pick<RequestBase, 'storage' | 'random' | 'generatePassword' | 'nowMs'>

/** In the first transaction. If nothing comes of it, it is tried again after a pause. */
export async function begin(
  context: Context,
  name: string,
  before: StaticRole,
  config: Config,
): Promise<Begun> {
  const { storage, nowMs } = context
  const role = {
    ...before,
    nextPassword: before.nextPassword || (await newPassword(context, config)),
    attempts: before.attempts + 1,
    failures: before.failures + 1,
    dueAtMs: nowMs + pauseMs(before.failures),
  }
  putRole(storage, name, role, before)
  return { name, role, config, nowMs }
}

/** Between the transactions. */
export async function carryOut(
  { name, role, config, nowMs }: Begun,
  signal: AbortSignal,
): Promise<Conclude> {
  const { nextPassword } = role
  await withDirectory(config, { nowMs, signal }, [nextPassword], (run) =>
    changePassword(run, config, accountOf(role), nextPassword),
  )
  return ({ storage, nowMs: doneAtMs }) => end(storage, { name, role, doneAtMs })
}

async function end(
  storage: View,
  { name, role, doneAtMs }: { name: string; role: StaticRole; doneAtMs: number },
): Promise<undefined> {
  const found = await storage.get(staticRoles, roleKey(name))
  if (found === undefined) return undefined
  if (found.attempts !== role.attempts) {
    // Another one came between, and either password may be in force: one more decides it.
    putRole(storage, name, { ...found, dueAtMs: doneAtMs }, found)
    return undefined
  }
  const rotated = {
    ...found,
    password: role.nextPassword,
    lastPassword: found.password,
    nextPassword: '',
    failures: 0,
    rotatedAtMs: doneAtMs,
  }
  putRole(storage, name, { ...rotated, dueAtMs: dueAfter(rotated, doneAtMs) }, found)
  return undefined
}
