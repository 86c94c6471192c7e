/** Ends the tokens whose time has come. They were refused from that instant; this removes what is stored of them. */
import { CorruptRecord } from '../errors.ts'
import type { View } from '../store/view.ts'
import { tokenEnded, type Witness } from '../own-work.ts'
import { findStored } from './find.ts'
import { EXPIRY_PREFIX, expiryRecords, expiryTimeMs, type ServiceToken } from './record.ts'
import { revokeToken } from './revoke.ts'

/** Tokens that one step ends; each takes up to five changes of a commit. */
const PAGE = 100

/** One step. @returns whether more are due */
export async function expireTokens(root: View, nowMs: number, witness: Witness): Promise<boolean> {
  const names = await root.list(EXPIRY_PREFIX, { limit: PAGE })
  const due = names.filter((name) => expiryTimeMs(name) <= nowMs)
  for (const name of due) {
    const key = EXPIRY_PREFIX + name
    try {
      const ended = await expireOne(root, key, nowMs)
      if (ended !== undefined) witness.tell(tokenEnded(ended))
    } catch (error) {
      if (!(error instanceof CorruptRecord)) throw error
      witness.report(error)
    }
    root.delete(key)
  }
  return due.length === PAGE
}

async function expireOne(
  root: View,
  key: string,
  nowMs: number,
): Promise<ServiceToken | undefined> {
  const entry = await root.get(expiryRecords, key)
  const record = entry && (await findStored({ root }, entry.namespaceId, entry.accessor))
  // The index may be older than the token's last renewal: the token decides.
  const isOver = record !== undefined && record.expiresAtMs !== null && record.expiresAtMs <= nowMs
  if (!isOver) return undefined
  revokeToken(root, record)
  return record
}
