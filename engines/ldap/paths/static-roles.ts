/** `static-role/`: existing accounts, whose passwords are kept here and changed by the clock. */
import { BadRequest } from '../../../core/errors.ts'
import { boolean, duration, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { changePassword } from '../change-password.ts'
import { withDirectory } from '../connect.ts'
import { accountKey, claim, release, settle } from '../managed.ts'
import { checkName, folderOf, name } from '../names.ts'
import { newPassword } from '../passwords.ts'
import { STATIC_ROLES_PREFIX, staticRoles, type Config, type StaticRole } from '../records.ts'
import { accountOf, putRole, removeRole, roleKey } from '../rotate.ts'
import { changedRule, dueAfter, nextRotationMs, type RotationRule } from '../rotation-time.ts'
import { demandConfig } from './config.ts'

const fields = {
  name,
  username: string('Name of the account; it cannot be changed later.'),
  dn: string('Its DN, where it is not searched by its name.'),
  rotation_period: duration('A new password after so long.'),
  rotation_schedule: string("Times of new passwords, as cron's five fields, in UTC."),
  rotation_window: duration('Within which after a time of the schedule; 0: however late.'),
  skip_import_rotation: boolean('The account keeps its password until it is due.'),
}
type RoleRequest = Request<typeof fields>

export const staticRolePaths = [
  path('static-role', {
    summary: 'The names of the static roles',
    fields: { name },
    operations: { list },
  }),
  path('static-role/:name*', {
    summary: 'A static role: an existing account, whose password is changed by the clock',
    fields,
    exists: async ({ storage, data }) =>
      (await storage.get(staticRoles, roleKey(data.name))) !== undefined,
    operations: { list, read: show, create, update, delete: remove },
    examples: [
      {
        summary: 'A new password each day',
        operation: 'update',
        path: 'static-role/app',
        request: { username: 'app', rotation_period: '24h' },
      },
    ],
  }),
]

async function list({ storage, data }: Request<{ name: typeof name }>): Promise<Response> {
  return { data: { keys: await storage.list(STATIC_ROLES_PREFIX + folderOf(data.name)) } }
}

async function show({ storage, data }: RoleRequest): Promise<Response | undefined> {
  const role = await storage.get(staticRoles, roleKey(checkName(data.name)))
  return role && { data: { dn: role.dn, username: role.username, ...shownRotation(role) } }
}

export function shownRotation({
  periodSeconds,
  schedule,
  windowSeconds,
  rotatedAtMs,
}: StaticRole): Record<string, unknown> {
  return {
    ...(schedule === ''
      ? { rotation_period: periodSeconds }
      : {
          rotation_schedule: schedule,
          ...(windowSeconds > 0 && { rotation_window: windowSeconds }),
        }),
    ...(rotatedAtMs > 0 && { last_vault_rotation: new Date(rotatedAtMs).toISOString() }),
  }
}

async function create(request: RoleRequest): Promise<Response | undefined> {
  const { storage, data, nowMs, id } = request
  const roleName = checkName(data.name)
  const { username, dn = '' } = data
  if (username === undefined) {
    throw new BadRequest('username is a required field to manage a static account')
  }
  if (username === '') throw new BadRequest('username must not be empty')
  accountKey(username)
  const role = newRole({ username, dn, nowMs }, changedRule(undefined, data))
  const config = await demandConfig(request)
  const owner = roleKey(roleName)
  await claim(storage, username, { owner, request: id, nowMs })
  if (data.skip_import_rotation ?? config.skipImportRotation) {
    await settle(storage, username, { owner, request: id })
    putRole(storage, roleName, role, undefined)
    return undefined
  }
  const password = await newPassword(request, config)
  return takeOver({ roleName, role, config, password, request: id })
}

function newRole(
  { username, dn, nowMs }: { username: string; dn: string; nowMs: number },
  rule: RotationRule,
): StaticRole {
  return {
    username,
    dn,
    ...rule,
    password: '',
    lastPassword: '',
    nextPassword: '',
    attempts: 0,
    failures: 0,
    createdAtMs: nowMs,
    rotatedAtMs: 0,
    dueAtMs: dueAfter(rule, nowMs),
  }
}

interface TakeOver {
  readonly roleName: string
  readonly role: StaticRole
  readonly config: Config
  readonly password: string
  /** Its id. */
  readonly request: string
}

/** The account gets a new password, and then there is the role. Nobody knows its old one, so there is nothing to go back to. */
function takeOver({ roleName, role, config, password, request }: TakeOver): Response {
  return {
    effect: {
      type: 'rotation',
      internal: {},
      async act(signal) {
        const limits = { nowMs: role.createdAtMs, signal }
        await withDirectory(config, limits, [password], (run) =>
          changePassword(run, config, accountOf(role), password),
        )
        return async ({ storage, nowMs }) => {
          await settle(storage, role.username, { owner: roleKey(roleName), request })
          const before = await storage.get(staticRoles, roleKey(roleName))
          const rotated = { ...role, password, rotatedAtMs: nowMs }
          putRole(storage, roleName, { ...rotated, dueAtMs: dueAfter(rotated, nowMs) }, before)
        }
      },
    },
  }
}

async function update({ storage, data, nowMs }: RoleRequest): Promise<void> {
  const roleName = checkName(data.name)
  const before = await storage.get(staticRoles, roleKey(roleName))
  if (before === undefined) throw new BadRequest('the static role is gone')
  if (data.username !== undefined && data.username !== before.username) {
    throw new BadRequest('cannot update static account username')
  }
  if (data.dn !== undefined && data.dn !== '' && data.dn !== before.dn) {
    throw new BadRequest('cannot update static account distinguished name (dn)')
  }
  if (data.skip_import_rotation !== undefined) {
    throw new BadRequest('skip_import_rotation has no effect on updates')
  }
  const role = { ...before, dn: data.dn ?? before.dn, ...changedRule(before, data) }
  const dueAtMs = role.failures > 0 ? role.dueAtMs : Math.max(nextRotationMs(role), nowMs)
  putRole(storage, roleName, { ...role, dueAtMs }, before)
}

/** The account stays as it is. */
async function remove({ storage, data }: RoleRequest): Promise<void> {
  const roleName = checkName(data.name)
  const role = await storage.get(staticRoles, roleKey(roleName))
  if (role === undefined) return
  removeRole(storage, roleName, role)
  release(storage, role.username)
}
