/** `role/`: how accounts are made on demand, and how they are removed. */
import { BadRequest } from '../../../core/errors.ts'
import { decodeBase64 } from '../../../core/plugin/base64.ts'
import { duration, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import { checkLdifTemplate } from '../ldif-template.ts'
import { checkName, folderOf, name } from '../names.ts'
import { DYNAMIC_ROLES_PREFIX, dynamicRoles, type DynamicRole } from '../records.ts'

const fields = {
  name,
  creation_ldif: string('Template of LDIF that makes an account. May be sent in base64.'),
  deletion_ldif: string('Template of LDIF that removes it. May be sent in base64.'),
  rollback_ldif: string('Template of LDIF that removes what is left of one that failed.'),
  username_template: string('Template of the names of accounts.'),
  default_ttl: duration("How long an account lives; 0: the mount's."),
  max_ttl: duration("For how long it can be renewed; 0: the mount's."),
}
type RoleRequest = Request<typeof fields>

const NEW: DynamicRole = {
  creationLdif: '',
  deletionLdif: '',
  rollbackLdif: '',
  usernameTemplate: '',
  defaultTtlSeconds: 0,
  maxTtlSeconds: 0,
}

export const dynamicRolesPath = path('role', {
  summary: 'The names of the roles',
  fields: { name },
  operations: { list },
})

export const dynamicRolePath = path('role/:name*', {
  summary: 'A role: how accounts are made on demand, and how they are removed',
  fields,
  exists: async ({ storage, data }) =>
    (await storage.get(dynamicRoles, DYNAMIC_ROLES_PREFIX + data.name)) !== undefined,
  operations: { list, read: show, update: write, delete: remove },
  examples: [
    {
      summary: 'Accounts below ou=people',
      operation: 'update',
      path: 'role/reader',
      request: {
        creation_ldif:
          'dn: cn={{.Username}},ou=people,dc=example,dc=org\nobjectClass: person\nsn: {{.Username}}\nuserPassword: {{.Password}}\n',
        deletion_ldif: 'dn: cn={{.Username}},ou=people,dc=example,dc=org\nchangetype: delete\n',
        default_ttl: '1h',
      },
    },
  ],
})

async function list({ storage, data }: Request<{ name: typeof name }>): Promise<Response> {
  return { data: { keys: await storage.list(DYNAMIC_ROLES_PREFIX + folderOf(data.name)) } }
}

async function show({ storage, data }: RoleRequest): Promise<Response | undefined> {
  const role = await storage.get(dynamicRoles, DYNAMIC_ROLES_PREFIX + checkName(data.name))
  if (role === undefined) return undefined
  return {
    data: {
      creation_ldif: role.creationLdif,
      deletion_ldif: role.deletionLdif,
      rollback_ldif: role.rollbackLdif,
      username_template: role.usernameTemplate,
      default_ttl: role.defaultTtlSeconds,
      max_ttl: role.maxTtlSeconds,
    },
  }
}

async function write({ storage, data }: RoleRequest): Promise<void> {
  const key = DYNAMIC_ROLES_PREFIX + checkName(data.name)
  const before = (await storage.get(dynamicRoles, key)) ?? NEW
  const role = {
    creationLdif: textOf(data.creation_ldif) ?? before.creationLdif,
    deletionLdif: textOf(data.deletion_ldif) ?? before.deletionLdif,
    rollbackLdif: textOf(data.rollback_ldif) ?? before.rollbackLdif,
    usernameTemplate: data.username_template ?? before.usernameTemplate,
    defaultTtlSeconds: data.default_ttl ?? before.defaultTtlSeconds,
    maxTtlSeconds: data.max_ttl ?? before.maxTtlSeconds,
  }
  check(role)
  storage.put(dynamicRoles, key, role)
}

function check(role: DynamicRole): void {
  if (role.creationLdif === '') throw new BadRequest('missing creation_ldif')
  if (role.deletionLdif === '') throw new BadRequest('missing deletion_ldif')
  checkLdifTemplate('creation_ldif', role.creationLdif)
  checkLdifTemplate('deletion_ldif', role.deletionLdif)
  if (role.rollbackLdif !== '') checkLdifTemplate('rollback_ldif', role.rollbackLdif)
  if (role.usernameTemplate !== '') usernameTemplate(role.usernameTemplate)
  if (role.maxTtlSeconds > 0 && role.maxTtlSeconds < role.defaultTtlSeconds) {
    throw new BadRequest('max_ttl may not be less than default_ttl')
  }
}

function remove({ storage, data }: RoleRequest): void {
  storage.delete(DYNAMIC_ROLES_PREFIX + checkName(data.name))
}

/** What was sent in base64, which no LDIF is. */
function textOf(sent: string | undefined): string | undefined {
  if (sent === undefined || sent === '') return sent
  const bytes = decodeBase64(sent)
  return typeof bytes === 'number' ? sent : bytes.toString('utf8')
}
