/** `static-roles/:name`: a user that was there before, whose credential is changed by the clock (contract: A4). */
import { z } from 'zod'
import { rfc3339 } from '../../../core/clock.ts'
import { BadRequest, listed } from '../../../core/errors.ts'
import type { EffectType } from '../../../core/plugin/effects.ts'
import { boolean, duration, keyValues, string, stringArray } from '../../../core/plugin/fields.ts'
import { listPath } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { InvalidSchedule, parseSchedule } from '../../../core/plugin/schedule.ts'
import { demandAllowed } from '../allowed.ts'
import type { Connections } from '../connections.ts'
import {
  checkedCredentialConfig,
  demandSupported,
  makeCredential,
  parseCredentialType,
  shownCredentialConfig,
} from '../credential-kinds.ts'
import { findDatabase } from '../databases.ts'
import { booleanDetail } from '../details.ts'
import { DatabaseError, nothingDone, prefixed } from '../errors.ts'
import {
  findRole,
  findStaticRole,
  readConfig,
  STATIC_ROLE_PREFIX,
  type Config,
  type StaticCredential,
  type StaticRole,
} from '../records.ts'
import { change, deleteStaticRole, putStaticRole, restoreStored } from '../rotation.ts'
import { nextRotation, type RotationTimes } from '../rotation-times.ts'
import { ChangedMeanwhile } from './config.ts'
import { SHARED_NAME } from './roles.ts'

const MIN_PERIOD_SECONDS = 5
const MIN_WINDOW_SECONDS = 3600

const fields = {
  name: string('Name of the static role.').default(''),
  db_name: string('Name of the connection.'),
  username: string('The user, who is there already.'),
  rotation_period: duration('Span from one rotation to the next.'),
  rotation_schedule: string("When it is rotated: cron's five fields, in UTC."),
  rotation_window: duration(
    'For how long after a time of the schedule it is tried; 0: until it succeeds.',
  ),
  rotation_statements: stringArray(
    'Statements that change the credential; default: as the database has it.',
  ),
  credential_type: string('password or rsa_private_key.'),
  credential_config: keyValues('Settings of that type, such as password_policy.'),
  skip_import_rotation: boolean('The user keeps its password until the first rotation.'),
  password: string('The password that the user has, where it is not rotated now.').default(''),
  self_managed_password: string('As password, of a user that changes its own password.').default(
    '',
  ),
}
type StaticRoleRequest = Request<typeof fields>

export const staticRolePaths = (connections: Connections) => [
  listPath('static-roles', {
    summary: 'The names of the static roles',
    prefix: STATIC_ROLE_PREFIX,
  }),
  path('static-roles/:name', {
    summary: 'A static role: a user whose credential is changed by the clock',
    fields,
    exists: async ({ storage, data }) => (await findStaticRole(storage, data.name)) !== undefined,
    operations: {
      read: show,
      update: (request) => write(connections, request),
      async delete({ storage, data }) {
        const role = await findStaticRole(storage, data.name)
        if (role !== undefined) deleteStaticRole(storage, data.name, role)
      },
    },
  }),
]

async function show({ storage, data }: StaticRoleRequest): Promise<Response | undefined> {
  const role = await findStaticRole(storage, data.name)
  return (
    role && {
      data: {
        db_name: role.dbName,
        username: role.username,
        rotation_statements: role.rotation,
        credential_type: role.credentialType,
        credential_config: shownCredentialConfig(role.credentialConfig),
        ...shownTimes(role),
      },
    }
  )
}

/** As a read of a static role or its credential shows them. */
export function shownTimes(role: StaticRole): Record<string, unknown> {
  const { periodSeconds, schedule, windowSeconds, rotatedAtMs } = role
  return {
    ...(rotatedAtMs !== null && { last_vault_rotation: rfc3339(rotatedAtMs) }),
    ...(schedule === '' ? { rotation_period: periodSeconds } : { rotation_schedule: schedule }),
    ...(windowSeconds > 0 && { rotation_window: windowSeconds }),
  }
}

async function write(
  connections: Connections,
  request: StaticRoleRequest,
): Promise<Response | undefined> {
  const { storage, data, nowMs } = request
  const before = await findStaticRole(storage, data.name)
  const dbName = data.db_name ?? before?.dbName ?? ''
  if (dbName === '') throw new BadRequest('database name is a required field')
  const username = checkedUsername(data, before)
  const times = checkedTimes(data, before)
  if ((await findRole(storage, data.name)) !== undefined) throw new BadRequest(SHARED_NAME)
  const config = await readConfig(storage, dbName)
  const credentialType = parseCredentialType(
    data.credential_type ?? before?.credentialType ?? 'password',
  )
  if (credentialType === 'client_certificate') {
    throw new BadRequest('a client certificate cannot be rotated in a static role')
  }
  demandSupported(findDatabase(config.pluginName), credentialType)
  const given = data.credential_type === undefined ? before?.credentialConfig : {}
  const role: StaticRole = {
    dbName,
    username,
    rotation: data.rotation_statements ?? before?.rotation ?? [],
    credentialType,
    credentialConfig: checkedCredentialConfig(
      credentialType,
      data.credential_config ?? given ?? {},
    ),
    ...times,
    credential: before?.credential ?? null,
    rotatedAtMs: before?.rotatedAtMs ?? null,
    dueAtMs: nextRotation(times, before?.rotatedAtMs ?? nowMs),
    attempts: 0,
  }
  if (before === undefined) return create(connections, request, config, role)
  if (data.skip_import_rotation !== undefined) {
    throw new BadRequest('skip_import_rotation has no effect on updates')
  }
  putStaticRole(storage, data.name, role, before)
  return undefined
}

function checkedUsername(
  { username }: StaticRoleRequest['data'],
  before: StaticRole | undefined,
): string {
  if (before !== undefined && before.username !== username) {
    throw new BadRequest('cannot update static account username')
  }
  if (username !== undefined && username !== '') return username
  throw new BadRequest('username is a required field to create a static account')
}

/** What is set of one kind clears the other. */
function checkedTimes(
  data: StaticRoleRequest['data'],
  before: StaticRole | undefined,
): RotationTimes {
  const {
    rotation_period: period,
    rotation_schedule: schedule = '',
    rotation_window: window,
  } = data
  if (period !== undefined && schedule !== '') {
    throw new BadRequest(
      'mutually exclusive fields rotation_period and rotation_schedule were both specified; only one of them can be provided',
    )
  }
  if (schedule !== '') return scheduled(schedule, window ?? before?.windowSeconds ?? 0)
  if (period !== undefined) {
    if (period < MIN_PERIOD_SECONDS) {
      throw new BadRequest(`rotation_period must be ${MIN_PERIOD_SECONDS} seconds or more`)
    }
    if (window !== undefined) throw windowWithPeriod()
    return { periodSeconds: period, schedule: '', windowSeconds: 0 }
  }
  if (before === undefined) {
    throw new BadRequest(
      'one of rotation_schedule or rotation_period must be provided to create a static account',
    )
  }
  if (window === undefined) return before
  if (before.schedule === '') throw windowWithPeriod()
  return scheduled(before.schedule, window)
}

function scheduled(schedule: string, windowSeconds: number): RotationTimes {
  if (parseSchedule(schedule).after(0) === undefined) {
    throw new InvalidSchedule('there is no such time')
  }
  if (windowSeconds > 0 && windowSeconds < MIN_WINDOW_SECONDS) {
    throw new BadRequest(
      `rotation_window is invalid: rotation_window must be ${MIN_WINDOW_SECONDS} seconds or more`,
    )
  }
  return { periodSeconds: 0, schedule, windowSeconds }
}

function windowWithPeriod(): BadRequest {
  return new BadRequest('rotation_window is invalid with use of rotation_period')
}

async function create(
  connections: Connections,
  request: StaticRoleRequest,
  config: Config,
  role: StaticRole,
): Promise<Response | undefined> {
  const { storage, data, mount } = request
  demandAllowed(config, data.name)
  const known = knownPassword(data, config)
  const skips = data.skip_import_rotation ?? config.skipStaticRoleImportRotation
  if (skips) {
    putStaticRole(storage, data.name, { ...role, credential: known }, undefined)
    return undefined
  }
  const { credentialType: type, credentialConfig } = role
  const wanted = { type, config: credentialConfig, passwordPolicy: config.passwordPolicy }
  const credential = await makeCredential(wanted, request.generatePassword)
  const at = { mountUuid: mount.uuid, name: role.dbName }
  return {
    effect: {
      type: 'import',
      internal: { role: data.name },
      async act(signal) {
        try {
          const withKnown = { ...role, credential: known }
          await change(connections, { at, config, role: withKnown, credential }, signal)
        } catch (error) {
          if (!(error instanceof DatabaseError)) throw error
          const failure = prefixed('error setting credentials: ', error)
          throw error.code === '' ? failure : nothingDone(failure)
        }
        return async (after) => {
          if ((await findStaticRole(after.storage, data.name)) !== undefined) {
            throw new ChangedMeanwhile()
          }
          const dueAtMs = nextRotation(role, after.nowMs)
          const rotated = { ...role, credential, rotatedAtMs: after.nowMs, dueAtMs }
          putStaticRole(after.storage, data.name, rotated, undefined)
        }
      },
    },
  }
}

/** The password that the user has, which one that manages itself needs. */
function knownPassword(
  { password, self_managed_password: own }: StaticRoleRequest['data'],
  { details }: Config,
): StaticCredential | null {
  const given = own || password
  if (given !== '') return { type: 'password', password: given }
  if (!booleanDetail(details, 'self_managed')) return null
  throw new BadRequest(
    listed(
      'self_managed_password is required: the connection lets users change their own passwords only',
    ),
  )
}

const IMPORTED = z.object({ role: z.string() })

/** A creation that did not come to its end. */
export function importEffect(connections: Connections): EffectType {
  return {
    undo: (context, internal) => restoreStored(connections, context, IMPORTED.parse(internal).role),
  }
}
