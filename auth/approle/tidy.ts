/**
 * Removes secret ids whose time is over and those of deleted roles. Logins do not wait for it: an expired secret id is
 * refused from that instant, and nobody reaches those of a deleted role.
 */
import { path } from '../../core/plugin/path.ts'
import type { Plugin } from '../../core/plugin/plugin.ts'
import {
  DELETION_PREFIX,
  deletions,
  EXPIRY_PREFIX,
  expiries,
  removeSecretId,
  secretIdPrefix,
  secretIds,
} from './records.ts'
import type { RequestBase } from '../../core/plugin/request.ts'

/** Secret ids that one step removes; each takes up to three changes of a commit. */
const PAGE = 200
type View = RequestBase['storage']

/** One step. @returns whether there is more to do */
export const tidySome: NonNullable<Plugin['periodic']> = async ({ storage, nowMs }) =>
  (await removeExpired(storage, nowMs)) || (await removeDeleted(storage))

async function removeExpired(storage: View, nowMs: number): Promise<boolean> {
  const names = await storage.list(EXPIRY_PREFIX, { limit: PAGE })
  const due = names.filter((name) => Number(name.split('.', 1)[0]) <= nowMs)
  for (const name of due) {
    const entry = await storage.get(expiries, EXPIRY_PREFIX + name)
    const found = entry && (await storage.get(secretIds, secretIdPrefix(entry.uid) + entry.hash))
    // The note may be older than the secret id: one of the user's choice can be made anew.
    const over = found !== undefined && found.expiresAtMs !== null && found.expiresAtMs <= nowMs
    if (entry !== undefined && over) removeSecretId(storage, entry.uid, entry.hash, found)
    storage.delete(EXPIRY_PREFIX + name)
  }
  return due.length === PAGE
}

async function removeDeleted(storage: View): Promise<boolean> {
  const [uid] = await storage.list(DELETION_PREFIX, { limit: 1 })
  if (uid === undefined) return false
  const hashes = await storage.list(secretIdPrefix(uid), { limit: PAGE })
  for (const hash of hashes) {
    const found = await storage.get(secretIds, secretIdPrefix(uid) + hash)
    if (found !== undefined) removeSecretId(storage, uid, hash, found)
  }
  if (hashes.length < PAGE) storage.delete(DELETION_PREFIX + uid)
  return true
}

/** Notes that the secret ids of a role are to go. */
export function removeSecretIdsLater(storage: View, uid: string): void {
  storage.put(deletions, DELETION_PREFIX + uid, { uid })
}

export const tidyPath = path('tidy/secret-id', {
  summary: 'Removes secret ids whose time is over',
  description:
    'The server does this by itself; nothing depends on a call. Kept for scripts that make it.',
  operations: {
    async update(request) {
      await tidySome(request)
      return { status: 202, data: null, warnings: [STARTED] }
    },
  },
})

const STARTED =
  'Tidy operation successfully started. Any information from the operation will be printed to the server logs.'
