/** `roles/:name`: what a user is made of, for as long as a lease lasts (contract: engines-db-pki.md, A3). */
import { BadRequest } from '../../../core/errors.ts'
import { duration, keyValues, string, stringArray } from '../../../core/plugin/fields.ts'
import { listPath } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import {
  checkedCredentialConfig,
  parseCredentialType,
  shownCredentialConfig,
} from '../credential-kinds.ts'
import { findRole, findStaticRole, ROLE_PREFIX, roles } from '../records.ts'

const fields = {
  name: string('Name of the role.').default(''),
  db_name: string('Name of the connection.'),
  creation_statements: stringArray('Statements that make a user.'),
  revocation_statements: stringArray(
    'Statements that remove a user; default: as the database has it.',
  ),
  renew_statements: stringArray('Statements that prolong a user; default: as the database has it.'),
  rollback_statements: stringArray('Statements after a creation that failed in the middle.'),
  default_ttl: duration('Span of a lease; 0: the default of the mount.'),
  max_ttl: duration('Longest span of a lease; 0: the maximum of the mount.'),
  credential_type: string('password, rsa_private_key or client_certificate.'),
  credential_config: keyValues('Settings of that type, such as password_policy.'),
}
type RoleRequest = Request<typeof fields>

export const SHARED_NAME = 'Role and Static Role names must be unique'

export const rolePaths = [
  listPath('roles', { summary: 'The names of the roles', prefix: ROLE_PREFIX }),
  path('roles/:name', {
    summary: 'A role: what a user is made of',
    fields,
    exists: async ({ storage, data }) => (await findRole(storage, data.name)) !== undefined,
    operations: {
      read: show,
      update: write,
      delete: ({ storage, data }) => storage.delete(ROLE_PREFIX + data.name),
    },
    examples: [
      {
        summary: 'Users who may read',
        operation: 'update',
        path: 'roles/read-only',
        request: {
          db_name: 'app',
          creation_statements: [
            `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';`,
            'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";',
          ],
          default_ttl: '1h',
          max_ttl: '24h',
        },
      },
    ],
  }),
]

async function show({ storage, data }: RoleRequest): Promise<Response | undefined> {
  const role = await findRole(storage, data.name)
  return (
    role && {
      data: {
        db_name: role.dbName,
        creation_statements: role.creation,
        revocation_statements: role.revocation,
        renew_statements: role.renewal,
        rollback_statements: role.rollback,
        default_ttl: role.defaultTtlSeconds,
        max_ttl: role.maxTtlSeconds,
        credential_type: role.credentialType,
        credential_config: shownCredentialConfig(role.credentialConfig),
      },
    }
  )
}

async function write({ storage, data }: RoleRequest): Promise<void> {
  const before = await findRole(storage, data.name)
  const dbName = data.db_name ?? before?.dbName ?? ''
  if (dbName === '') throw new BadRequest('database name is required')
  if ((await findStaticRole(storage, data.name)) !== undefined) throw new BadRequest(SHARED_NAME)
  const credentialType = parseCredentialType(
    data.credential_type ?? before?.credentialType ?? 'password',
  )
  const given =
    data.credential_config ?? (data.credential_type === undefined ? before?.credentialConfig : {})
  storage.put(roles, ROLE_PREFIX + data.name, {
    dbName,
    creation: data.creation_statements ?? before?.creation ?? [],
    revocation: (data.revocation_statements ?? before?.revocation ?? []).filter(
      (one) => one !== '',
    ),
    renewal: data.renew_statements ?? before?.renewal ?? [],
    rollback: data.rollback_statements ?? before?.rollback ?? [],
    defaultTtlSeconds: data.default_ttl ?? before?.defaultTtlSeconds ?? 0,
    maxTtlSeconds: data.max_ttl ?? before?.maxTtlSeconds ?? 0,
    credentialType,
    credentialConfig: checkedCredentialConfig(credentialType, given ?? {}),
  })
}
