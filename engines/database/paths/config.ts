/** `config/:name`: how a database is reached, and who may use it (contract: engines-db-pki.md, A2). */
import { BadRequest, NothingDone, RequestError } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import { boolean, list, string, stringArray } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import type { MountContext } from '../../../core/plugin/plugin.ts'
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import { withSession, type Connections } from '../connections.ts'
import { findDatabase } from '../databases.ts'
import { HIDDEN_DETAILS, textDetail } from '../details.ts'
import { DatabaseError } from '../errors.ts'
import { CONFIG_PREFIX, configs, findConfig, type Config } from '../records.ts'
import { hasInlinePassword, shownUrl } from '../shown-url.ts'

const fields = {
  name: string('Name of the connection.').default(''),
  plugin_name: string('Kind of the database, such as postgresql-database-plugin.'),
  plugin_version: string('Version of an external plugin; the built-in ones have none.').default(''),
  verify_connection: boolean('Connect before it is stored.').default(true),
  allowed_roles: list('Roles that may use it; * stands for any text, and nothing for no role.'),
  root_rotation_statements: stringArray('Statements that change the password of its own user.'),
  password_policy: string('Password policy for the passwords of its users.'),
  skip_static_role_import_rotation: boolean(
    'Static roles keep the password that their user has until their first rotation.',
  ),
}
type ConfigRequest = Request<typeof fields>
/** What is sent beside them and is no part of the connection details. */
const OWN_FIELDS = new Set(Object.keys(fields))
/** Of Vault Enterprise: taken, and without effect. */
const IGNORED_FIELDS = new Set([
  'rotation_period',
  'rotation_schedule',
  'rotation_window',
  'rotation_policy',
  'disable_automated_rotation',
])
const SEMANTIC_VERSION = /^v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/
const INLINE_PASSWORD =
  'Password found in connection_url, use a templated url to enable root rotation and prevent read access to password information.'

export const configPaths = (connections: Connections) => [
  path('config', {
    summary: 'The names of the connections',
    operations: {
      list: async ({ storage }) => ({ data: { keys: await storage.list(CONFIG_PREFIX) } }),
    },
  }),
  path('config/:name', {
    summary: 'A connection to a database',
    description:
      'How a database is reached and who may use it. Fields that are not listed here are for the database itself, such as connection_url, username and password.',
    fields,
    takesAnyField: true,
    exists: async ({ storage, data }) => (await findConfig(storage, data.name)) !== undefined,
    operations: {
      read: show,
      update: write,
      delete({ storage, data, mount }) {
        storage.delete(CONFIG_PREFIX + data.name)
        connections.drop({ mountUuid: mount.uuid, name: data.name })
      },
    },
    examples: [
      {
        summary: 'A PostgreSQL database',
        operation: 'update',
        path: 'config/app',
        request: {
          plugin_name: 'postgresql-database-plugin',
          connection_url: 'postgresql://{{username}}:{{password}}@db.example.com:5432/app',
          username: 'keyhold',
          password: 'secret',
          allowed_roles: ['app-*'],
        },
      },
    ],
  }),
]

async function show({ storage, data }: ConfigRequest): Promise<Response | undefined> {
  const config = await findConfig(storage, data.name)
  if (config === undefined) return undefined
  const details: Record<string, unknown> = { ...config.details }
  for (const name of HIDDEN_DETAILS) delete details[name]
  if (typeof details['connection_url'] === 'string') {
    details['connection_url'] = shownUrl(details['connection_url'])
  }
  return {
    data: {
      plugin_name: config.pluginName,
      plugin_version: '',
      connection_details: details,
      allowed_roles: config.allowedRoles,
      root_credentials_rotate_statements: config.rootRotationStatements,
      password_policy: config.passwordPolicy,
      ...(config.skipStaticRoleImportRotation && { skip_static_role_import_rotation: true }),
    },
  }
}

async function write(request: ConfigRequest): Promise<Response | undefined> {
  const { storage, data, random } = request
  const before = await findConfig(storage, data.name)
  const config = merged(request, before, random.uuid())
  check(config)
  if (!data.verify_connection) return store(request, config)
  return {
    effect: {
      type: 'connection',
      internal: {},
      async act(signal) {
        await verify(config, signal)
        return async (context) => {
          const now = await findConfig(context.storage, data.name)
          if (now?.generation !== before?.generation) throw new ChangedMeanwhile()
          return store({ ...context, data }, config)
        }
      },
    },
  }
}

/** 409: the answer of a database belongs to what was configured before. */
export class ChangedMeanwhile extends RequestError {
  override readonly name = 'ChangedMeanwhile'
  constructor() {
    super(409, 'the connection was changed meanwhile, and nothing is stored; please try again')
  }
}

function merged(
  { data, body }: ConfigRequest,
  before: Config | undefined,
  generation: string,
): Config {
  const pluginName = data.plugin_name ?? before?.pluginName ?? ''
  if (pluginName === '') throw new BadRequest('empty plugin name')
  if (data.plugin_version !== '' && !SEMANTIC_VERSION.test(data.plugin_version)) {
    throw new BadRequest('plugin_version is not a valid semantic version, such as v1.2.3')
  }
  const details: Record<string, JsonObject[string]> = { ...before?.details }
  for (const [name, value] of Object.entries(body)) {
    if (OWN_FIELDS.has(name) || IGNORED_FIELDS.has(name)) continue
    if (value === null) delete details[name]
    else details[name] = value
  }
  return {
    pluginName,
    allowedRoles: data.allowed_roles ?? before?.allowedRoles ?? [],
    rootRotationStatements: data.root_rotation_statements ?? before?.rootRotationStatements ?? [],
    passwordPolicy: data.password_policy ?? before?.passwordPolicy ?? '',
    skipStaticRoleImportRotation:
      data.skip_static_role_import_rotation ?? before?.skipStaticRoleImportRotation ?? false,
    details,
    generation,
  }
}

/** @throws {BadRequest} the database could not be used with it */
function check({ pluginName, details }: Config): void {
  try {
    const database = findDatabase(pluginName)
    const template = textDetail(details, 'username_template')
    if (template !== '') demandDistinctNames(template)
    database.read(details)
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    throw new BadRequest(`error creating database object: ${error.message}`)
  }
}

/** A name that comes again would be another user's, and revoking one would end both. */
function demandDistinctNames(text: string): void {
  const template = usernameTemplate(text)
  const names = ['a', 'b'].map((one) =>
    template.render(
      { displayName: 'token', roleName: 'role' },
      { random: { base62: (length) => one.repeat(length), uuid: () => one }, nowMs: 0 },
    ),
  )
  if (names[0] === names[1]) {
    throw new BadRequest(
      'the username template gives the same name again and again; put (random 20) or (uuid) into it',
    )
  }
}

async function verify(config: Config, signal: AbortSignal): Promise<void> {
  try {
    await withSession(config, signal, (session) => session.ping())
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    const text = `error creating database object: error verifying connection: ${error.text}`
    throw new NothingDone(400, text)
  }
}

function store(
  { storage, data }: Pick<MountContext, 'storage'> & Pick<ConfigRequest, 'data'>,
  config: Config,
): Response | undefined {
  storage.put(configs, CONFIG_PREFIX + data.name, config)
  const url = textDetail(config.details, 'connection_url')
  return hasInlinePassword(url) ? { data: null, warnings: [INLINE_PASSWORD] } : undefined
}
