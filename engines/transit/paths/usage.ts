/** `usage`, beyond Vault: who used which version of which key, for what and when last. */
import { rfc3339 } from '../../../core/clock.ts'
import { integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import type { View } from '../../../core/store/view.ts'
import { findKey } from '../keys.ts'
import { countsOf } from '../operations.ts'
import { keyUses, NAMES_PREFIX, usesKey, type KeyVersion, type TransitKey } from '../records.ts'
import { lastOf, UNUSED, type OperationUses } from '../uses-record.ts'
import { name } from './keys.ts'

const MOST_KEYS = 1000

const listFields = {
  after: string('Only keys whose names sort after this one.').inQuery(),
  limit: integer(`At most so many keys, up to ${MOST_KEYS}.`).inQuery().default(100),
}

export const usagePaths = [
  path('usage', {
    summary: 'Who used which version of which key',
    description:
      'By name of the key, those of one page. A node writes it once a minute: what was done since then is not in it.',
    fields: listFields,
    operations: { read: showAll },
  }),
  path('usage/:name', {
    summary: 'Who used which version of the key',
    fields: { name },
    operations: { read: showOne },
  }),
]

async function showAll({ storage, data }: Request<typeof listFields>): Promise<Response> {
  const limit = Math.min(Math.max(data.limit, 1), MOST_KEYS)
  const page = data.after === undefined ? { limit } : { limit, after: data.after }
  const keys = new Map<string, unknown>()
  for (const one of await storage.list(NAMES_PREFIX, page)) {
    const key = await findKey(storage, one)
    if (key !== undefined) keys.set(one, await usageOf(storage, key))
  }
  return { data: { keys: Object.fromEntries(keys) } }
}

async function showOne({
  storage,
  data,
}: Request<{ name: typeof name }>): Promise<Response | undefined> {
  const key = await findKey(storage, data.name)
  return key && { data: { name: data.name, ...(await usageOf(storage, key)) } }
}

async function usageOf(storage: View, key: TransitKey) {
  const uses = (await storage.get(keyUses, usesKey(key.id))) ?? {}
  const counts = await countsOf(storage, key)
  const versions = Object.entries(key.versions).map(([number, version]) => {
    const { operations, users, more } = uses[number] ?? UNUSED
    const shown = {
      ...shownVersion(version, operations),
      ...(counts[number] !== undefined && { reserved_operations: counts[number] }),
      users: users.map((user) => ({
        entity_id: user.entityId,
        display_name: user.displayName,
        role: user.role,
        namespace_id: user.namespaceId,
        ...shownOperations(user.operations),
      })),
      more_users: more,
    }
    return [number, shown] as const
  })
  const { latestVersion, minDecryptionVersion, minEncryptionVersion } = key
  return {
    latest_version: latestVersion,
    min_decryption_version: minDecryptionVersion,
    min_encryption_version: minEncryptionVersion,
    min_available_version: key.minAvailableVersion,
    versions: Object.fromEntries(versions),
  }
}

function shownVersion({ createdAtMs }: KeyVersion, operations: OperationUses) {
  return { creation_time: rfc3339(createdAtMs), ...shownOperations(operations) }
}

function shownOperations(operations: OperationUses) {
  const last = lastOf(operations)
  const counts = Object.entries(operations).map(
    ([operation, { count, lastAtMs }]) =>
      [operation, { count, last_time: rfc3339(lastAtMs) }] as const,
  )
  return {
    last_used_time: last === 0 ? null : rfc3339(last),
    operations: Object.fromEntries(counts),
  }
}
