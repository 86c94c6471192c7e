/** `roles/`: what the users that are made of a role may do. */
import { BadRequest } from '../../../core/errors.ts'
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../../core/json.ts'
import { anything, string } from '../../../core/plugin/fields.ts'
import { listPath } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import { ROLES_PREFIX, roles } from '../records.ts'

const fields = {
  name: string('Name of the role.').required(),
  tags: string('Tags of the users, with commas between: `management`, `monitoring`.').default(''),
  vhosts: anything(
    'Rights in virtual hosts: `{"/": {"configure": "", "write": "^orders", "read": ".*"}}`, or that as text.',
  ),
  vhost_topics: anything(
    'Rights to topics: `{"/": {"amq.topic": {"write": "^a", "read": "^a"}}}`, or that as text.',
  ),
}
type RoleRequest = Request<typeof fields>

export const rolePaths = [
  listPath('roles', { summary: 'The names of the roles', prefix: ROLES_PREFIX }),
  path('roles/:name', {
    summary: 'A role: what its users may do',
    fields,
    operations: { read: show, update: write, delete: remove },
    examples: [
      {
        summary: 'Users that read from the queues of one virtual host',
        operation: 'update',
        path: 'roles/reader',
        request: { vhosts: '{"/": {"configure": "", "write": "", "read": ".*"}}' },
      },
    ],
  }),
]

async function show({ storage, data }: RoleRequest) {
  const role = await storage.get(roles, ROLES_PREFIX + data.name)
  if (role === undefined) return undefined
  return { data: { tags: role.tags, vhosts: role.vhosts, vhost_topics: role.vhostTopics } }
}

function write({ storage, data }: RoleRequest): void {
  const vhosts = mapOf('vhosts', data.vhosts)
  const vhostTopics = mapOf('vhost_topics', data.vhost_topics)
  if (data.tags === '' && Object.keys(vhosts).length === 0) {
    throw new BadRequest('both tags and vhosts not specified')
  }
  storage.put(roles, ROLES_PREFIX + data.name, {
    tags: data.tags,
    vhosts: each('vhosts', vhosts, vhostRights),
    vhostTopics: each('vhost_topics', vhostTopics, (exchanges) =>
      each('vhost_topics', objectIn('vhost_topics', exchanges), topicRights),
    ),
  })
}

function remove({ storage, data }: RoleRequest): void {
  storage.delete(ROLES_PREFIX + data.name)
}

/** Clients of Vault send the object as text. */
function mapOf(field: string, sent: Json | undefined): JsonObject {
  if (sent === undefined || sent === '') return {}
  return objectIn(field, typeof sent === 'string' ? parsed(field, sent) : sent)
}

function parsed(field: string, text: string): Json {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadRequest(`failed to unmarshal ${field}: no JSON`)
    throw error
  }
}

function objectIn(field: string, value: Json | undefined): JsonObject {
  if (isJsonObject(value)) return value
  throw new BadRequest(
    `failed to unmarshal ${field}: it is an object by virtual host${field === 'vhosts' ? '' : ' and exchange'}`,
  )
}

function each<T>(
  field: string,
  object: JsonObject,
  make: (value: Json | undefined) => T,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [checkedName(field, name), make(value)]),
  )
}

/** The name becomes a segment of an address, where these mean something else. */
function checkedName(field: string, name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && name.isWellFormed()) return name
  throw new BadRequest(`${field} has a name that is empty, a dot, two dots, or no Unicode`)
}

function vhostRights(given: Json | undefined) {
  const rights = rightsIn('vhosts', given, ['configure', 'write', 'read'])
  return {
    configure: expressionIn('vhosts', rights['configure']),
    write: expressionIn('vhosts', rights['write']),
    read: expressionIn('vhosts', rights['read']),
  }
}

function topicRights(given: Json | undefined) {
  const rights = rightsIn('vhost_topics', given, ['write', 'read'])
  return {
    write: expressionIn('vhost_topics', rights['write']),
    read: expressionIn('vhost_topics', rights['read']),
  }
}

/** A right that is misspelt would be one that is not given. */
function rightsIn(field: string, given: Json | undefined, names: readonly string[]): JsonObject {
  const object = objectIn(field, given)
  if (Object.keys(object).every((name) => names.includes(name))) return object
  throw new BadRequest(`failed to unmarshal ${field}: rights are ${names.join(', ')}, no others`)
}

/** A regular expression for the broker; one that is left out matches nothing. */
function expressionIn(field: string, value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw new BadRequest(`failed to unmarshal ${field}: a right is a regular expression, as text`)
}
