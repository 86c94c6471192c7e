/**
 * Changes the credential of a static role. The new one is stored before the database has it, and every attempt until it succeeds
 * uses the same one: whatever dies or hangs on the way, the next attempt makes record and database agree.
 */
import { assert, RequestError } from '../../core/errors.ts'
import type { Effect } from '../../core/plugin/effects.ts'
import type { MountContext, TimedContext, TimedEffect } from '../../core/plugin/plugin.ts'
import type { GeneratePassword, Mount } from '../../core/plugin/request.ts'
import { withSession, type ConnectionName, type Connections } from './connections.ts'
import { demandAllowed } from './allowed.ts'
import { forDatabase, makeCredential } from './credential-kinds.ts'
import { booleanDetail } from './details.ts'
import { DatabaseError, nothingDone, prefixed } from './errors.ts'
import {
  DUE_PREFIX,
  dueName,
  dueRotations,
  findConfig,
  findStaticRole,
  PENDING_PREFIX,
  pendingCredentials,
  readConfig,
  STATIC_ROLE_PREFIX,
  staticRoles,
  type Config,
  type StaticCredential,
  type StaticRole,
} from './records.ts'
import { isWithinWindow, nextRotation, retryAt } from './rotation-times.ts'

type Storage = MountContext['storage']

/** Names that one look goes through whose roles turn out not to be due. */
const MOST_STALE = 100

/** Stores a static role, and when it is due. */
export function putStaticRole(
  storage: Storage,
  name: string,
  role: StaticRole,
  before: StaticRole | undefined,
): void {
  if (before !== undefined) storage.delete(DUE_PREFIX + dueName(before.dueAtMs, name))
  storage.put(staticRoles, STATIC_ROLE_PREFIX + name, role)
  storage.put(dueRotations, DUE_PREFIX + dueName(role.dueAtMs, name), { role: name })
}

export function deleteStaticRole(storage: Storage, name: string, role: StaticRole): void {
  storage.delete(DUE_PREFIX + dueName(role.dueAtMs, name))
  storage.delete(PENDING_PREFIX + name)
  storage.delete(STATIC_ROLE_PREFIX + name)
}

export interface RotationContext extends MountContext {
  readonly mount: Mount
  readonly generatePassword: GeneratePassword
}

/** What changes the credential now. @param before words before a failure @throws {BadRequest} the configuration is gone, or names the role no more */
export async function beginRotation(
  connections: Connections,
  context: RotationContext,
  name: string,
  role: StaticRole,
  { before = '' } = {},
): Promise<Effect> {
  const { storage, nowMs, mount } = context
  // Whatever comes of this attempt, there is another.
  const attempts = role.attempts + 1
  putStaticRole(storage, name, { ...role, attempts, dueAtMs: retryAt(nowMs, attempts) }, role)
  const config = await readConfig(storage, role.dbName)
  demandAllowed(config, name)
  const credential = await pendingCredential(context, name, role, config)
  const at = { mountUuid: mount.uuid, name: role.dbName }
  return {
    type: 'rotation',
    internal: {},
    async act(signal) {
      try {
        await change(connections, { at, config, role, credential }, signal)
      } catch (error) {
        // There is nothing to undo, whatever came of it: the next attempt goes on.
        if (error instanceof DatabaseError) throw nothingDone(prefixed(before, error))
        throw error
      }
      return (after) => conclude(after, name, credential)
    },
  }
}

async function pendingCredential(
  { storage, generatePassword }: RotationContext,
  name: string,
  { dbName, username, credentialType, credentialConfig }: StaticRole,
  { passwordPolicy }: Config,
): Promise<StaticCredential> {
  const pending = await storage.get(pendingCredentials, PENDING_PREFIX + name)
  const isSame = pending?.dbName === dbName && pending.username === username
  if (isSame && pending.credential.type === credentialType) return pending.credential
  const wanted = { type: credentialType, config: credentialConfig, passwordPolicy }
  const credential = await makeCredential(wanted, generatePassword)
  storage.put(pendingCredentials, PENDING_PREFIX + name, { dbName, username, credential })
  return credential
}

async function conclude(
  { storage, nowMs }: MountContext,
  name: string,
  credential: StaticCredential,
): Promise<undefined> {
  const now = await findStaticRole(storage, name)
  if (now === undefined) return
  const rotated = { ...now, credential, rotatedAtMs: nowMs, attempts: 0 }
  putStaticRole(storage, name, { ...rotated, dueAtMs: nextRotation(now, nowMs) }, now)
  storage.delete(PENDING_PREFIX + name)
}

export interface Change {
  readonly at: ConnectionName
  readonly config: Config
  readonly role: Pick<StaticRole, 'username' | 'rotation' | 'credential'>
  readonly credential: StaticCredential
}

/** Has the database take it. @throws {DatabaseError} */
export async function change(
  connections: Connections,
  { at, config, role, credential }: Change,
  signal: AbortSignal,
): Promise<void> {
  const { username, rotation: statements } = role
  const wanted = { username, credential: forDatabase(credential), statements }
  if (!booleanDetail(config.details, 'self_managed')) {
    await connections.use(at, config, signal, (session) => session.change(wanted))
    return
  }
  try {
    await withSession(loginOf(config, role, role.credential), signal, (session) =>
      session.change(wanted),
    )
  } catch (error) {
    // An attempt before may have come so far: then the new one is what it takes.
    if (!(error instanceof DatabaseError) || error.code === '') throw error
    await withSession(loginOf(config, role, credential), signal, (session) => session.ping()).catch(
      () => {
        throw error
      },
    )
  }
}

/** The connection as the user itself: in a self-managed configuration nobody else may change its password. */
function loginOf(
  { pluginName, details }: Config,
  { username }: Pick<StaticRole, 'username'>,
  credential: StaticCredential | null,
) {
  assert(credential?.type === 'password', 'a user that manages itself has a password')
  return { pluginName, details: { ...details, username, password: credential.password } }
}

/** What of the static roles is due now. */
export async function nextDueRotation(
  connections: Connections,
  context: TimedContext,
): Promise<TimedEffect | undefined> {
  const { storage, nowMs } = context
  for (const due of await storage.list(DUE_PREFIX, { limit: MOST_STALE })) {
    if (due > dueName(nowMs, '~')) return undefined
    const name = due.slice(due.indexOf('.') + 1)
    const role = await findStaticRole(storage, name)
    if (role === undefined || dueName(role.dueAtMs, name) !== due) {
      storage.delete(DUE_PREFIX + due)
    } else if (!isWithinWindow(role, nowMs)) {
      putStaticRole(storage, name, { ...role, dueAtMs: nextRotation(role, nowMs) }, role)
    } else {
      const effect = await begun(connections, context, name, role)
      if (effect !== undefined) return { ...effect, path: `rotate-role/${name}` }
    }
  }
  return undefined
}

/** One that cannot even be begun, such as for want of its connection, is tried again later and holds up no other. */
async function begun(
  connections: Connections,
  context: TimedContext,
  name: string,
  role: StaticRole,
): Promise<Effect | undefined> {
  try {
    return await beginRotation(connections, context, name, role)
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    return undefined
  }
}

/** What a creation of a static role that went wrong may have changed: the database gets what is stored, if something is. */
export async function restoreStored(
  connections: Connections,
  { storage, mount, signal }: { storage: Pick<Storage, 'get'>; mount: Mount; signal: AbortSignal },
  name: string,
): Promise<void> {
  const role = await findStaticRole(storage, name)
  const pending = await storage.get(pendingCredentials, PENDING_PREFIX + name)
  const credential = pending?.credential ?? role?.credential
  const config = role && (await findConfig(storage, role.dbName))
  if (role === undefined || config === undefined || !credential) return
  const at = { mountUuid: mount.uuid, name: role.dbName }
  await change(connections, { at, config, role, credential }, signal)
}
