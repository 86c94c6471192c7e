/** `sys/namespaces`: tenants, each with its own mounts, policies and tokens (contract: sys-auth.md, Namespaces). */
import { BadRequest } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import {
  deleteNamespace,
  lockNamespace,
  patchNamespace,
  setNamespace,
  unlockNamespace,
} from '../../../core/namespace/change.ts'
import { parseNamespaceName } from '../../../core/namespace/names.ts'
import { listChildren, scanChildren } from '../../../core/namespace/table.ts'
import { childNamespace, type NamespaceRecord } from '../../../core/namespaces.ts'
import type { UnsealedParts } from '../../../core/pipeline.ts'
import { anything, object, string, stringArray } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Namespace, Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { aclOf } from '../../../core/request/authorize.ts'

type Unsealed = () => Pick<UnsealedParts, 'acls'>

const fields = {
  path: string('Name of the namespace.').default(''),
  custom_metadata: object('Texts to remember about it.'),
  seal: anything('Keys of its own; not offered.'),
  pgp_keys: stringArray('Encrypts the shares of keys of its own; not offered.'),
}
const lockFields = {
  path: string('Of the namespace below; empty: the one of the request.').default(''),
}
const unlockFields = {
  ...lockFields,
  unlock_key: string('What locking it gave; who has sudo may leave it out.').default(''),
}
type NamespaceRequest = Request<typeof fields>

export function namespacePaths(unsealed: Unsealed) {
  return [
    path('namespaces', {
      summary: 'Lists the namespaces right below; a scan lists all below',
      operations: {
        async list({ storage, namespace }) {
          const records = await listChildren(storage, namespace.id)
          return records.length === 0 ? { data: { keys: [] } } : listing(namespace, records)
        },
        async scan({ storage, namespace }) {
          const records = await scanChildren(storage, namespace.id)
          return records.length === 0 ? { data: {} } : listing(namespace, records)
        },
      },
    }),
    path(['namespaces/api-lock/lock', 'namespaces/api-lock/lock/:path*'], {
      summary: 'Closes a namespace, and those below it, until it is unlocked',
      fields: lockFields,
      operations: { update: lock },
    }),
    path(['namespaces/api-lock/unlock', 'namespaces/api-lock/unlock/:path*'], {
      summary: 'Opens a namespace that was locked',
      fields: unlockFields,
      operations: { update: (request) => unlock(request, unsealed()) },
    }),
    path('namespaces/:path*', {
      summary: 'A namespace right below',
      description:
        'Each namespace has its own mounts, policies and tokens. It is made below the one of the request. Deleting one closes it at once; what it holds is removed afterwards.',
      fields,
      operations: { read: show, update: set, patch, delete: remove },
      examples: [
        {
          summary: 'A namespace for a team',
          operation: 'update',
          path: 'namespaces/team-a',
          request: { custom_metadata: { owner: 'a@example.com' } },
        },
      ],
    }),
  ]
}

function shown({ uuid, id, path: own, tainted, lock: key, customMetadata }: NamespaceRecord) {
  return {
    custom_metadata: customMetadata,
    id,
    locked: key !== null,
    path: own,
    tainted,
    uuid,
  }
}

function listing(parent: Namespace, records: readonly NamespaceRecord[]): Response {
  const named = records.map((record) => [record.path.slice(parent.path.length), record] as const)
  return {
    data: {
      key_info: Object.fromEntries(named.map(([name, record]) => [name, shown(record)])),
      keys: named.map(([name]) => name),
    },
  }
}

async function show({ storage, namespace, data }: NamespaceRequest): Promise<Response | undefined> {
  const record = await childNamespace(storage, namespace.id, parseNamespaceName(data.path))
  return record && { data: shown(record) }
}

async function set(request: NamespaceRequest): Promise<Response> {
  const { storage: root, namespace, data, random, nowMs } = request
  const name = parseNamespaceName(data.path)
  const metadata = data.custom_metadata && texts(data.custom_metadata)
  if (data.seal !== undefined) {
    throw new BadRequest(
      "'seal' is not offered: every namespace is sealed by the keys of the server; leave it out",
    )
  }
  const record = await setNamespace({ root, random, nowMs }, namespace, name, metadata)
  return { data: shown(record) }
}

/** @throws {BadRequest} a value is no text */
function texts(metadata: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => {
      if (typeof value !== 'string') throw new BadRequest('custom_metadata values must be strings')
      return [key, value]
    }),
  )
}

async function patch({ storage, namespace, data, body }: NamespaceRequest): Promise<Response> {
  const name = parseNamespaceName(data.path)
  const change = body['custom_metadata'] === null ? null : textsOrNull(data.custom_metadata ?? {})
  return { data: shown(await patchNamespace(storage, namespace, name, change)) }
}

function textsOrNull(metadata: JsonObject): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => {
      if (typeof value === 'string' || value === null) return [key, value]
      throw new BadRequest('metadata patch can only have string or null values')
    }),
  )
}

async function remove({ storage, namespace, data }: NamespaceRequest): Promise<Response> {
  const found = await deleteNamespace(storage, namespace, parseNamespaceName(data.path))
  return found
    ? { data: { status: 'in-progress' } }
    : { warnings: ['requested namespace does not exist'] }
}

async function lock(request: Request<typeof lockFields>): Promise<Response> {
  const { storage: root, namespace, data, random } = request
  const key = await lockNamespace({ root, random }, namespace, data.path)
  return { data: { unlock_key: key } }
}

async function unlock(
  request: Request<typeof unlockFields>,
  { acls }: ReturnType<Unsealed>,
): Promise<Response | undefined> {
  const { storage: root, namespace, data, caller, nowMs, mount } = request
  const { path: below, unlock_key: key } = data
  if (key !== '') {
    await unlockNamespace(root, namespace, below, key)
    return undefined
  }
  const acl = caller && (await aclOf(root, acls, caller, nowMs))
  if (!acl?.sudo(mount.path + request.path, namespace.path)) {
    throw new BadRequest('provided empty key')
  }
  await unlockNamespace(root, namespace, below, undefined)
  return { warnings: ['Namespace unlocked using sudo capabilities'] }
}
