/** What is stored now, where the next write builds on it: for kv patch and rollback. */
import type { Json, JsonObject } from '../../../core/json.ts'
import type { Connection } from '../../client/connection.ts'
import { readSecret } from '../../client/logical.ts'
import { objectOf } from '../../client/secret.ts'
import { CommandFailed, orFail } from '../failure.ts'

/** The metadata and the data of a version that the next request builds on; read even where that one is only shown. */
export async function readBefore(
  connection: Connection,
  path: string,
  what: 'patch' | 'rollback',
  query: Readonly<Record<string, string>>,
): Promise<{ metadata: JsonObject; data: JsonObject | null }> {
  const secret = await orFail(
    `Error doing pre-read at ${path}`,
    readSecret({ ...connection, mode: 'send', wrapTtl: undefined }, path, query),
  )
  if (secret?.data === undefined) throw new CommandFailed(`No value found at ${path}`)
  const metadata = objectOf(secret.data['metadata'])
  if (metadata === null)
    throw new CommandFailed(`No metadata found at ${path}; ${what} only works on existing data`)
  return { metadata, data: objectOf(secret.data['data']) }
}

/** The number of the newest version, deleted or not: what the next write expects. */
export async function newestVersion(connection: Connection, path: string): Promise<Json> {
  const { metadata } = await readBefore(connection, path, 'rollback', {})
  return metadata['version'] ?? 0
}

/** The data of an older version that is still there. */
export async function readVersion(
  connection: Connection,
  path: string,
  version: number,
): Promise<JsonObject> {
  const { metadata, data } = await readBefore(connection, path, 'rollback', {
    version: String(version),
  })
  refuseGone(metadata)
  return existing(data, path, 'rollback')
}

export function existing(
  data: JsonObject | null,
  path: string,
  what: 'patch' | 'rollback',
): JsonObject {
  if (data !== null) return data
  throw new CommandFailed(`No data found at ${path}; ${what} only works on existing data`)
}

function refuseGone({ deletion_time: deletedAt, destroyed }: JsonObject): void {
  if (typeof deletedAt === 'string' && deletedAt !== '')
    throw new CommandFailed('Cannot roll back to a version that has been deleted')
  if (destroyed === true)
    throw new CommandFailed('Cannot roll back to a version that has been destroyed')
}
