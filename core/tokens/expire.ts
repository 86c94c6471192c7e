/** Ends the tokens whose time has come. They were refused from that instant; this removes what is stored of them. */
import type { View } from '../store/view.ts'
import { findStored } from './find.ts'
import { EXPIRY_PREFIX, expiryRecords, expiryTimeMs } from './record.ts'
import { revokeToken } from './revoke.ts'

/** Tokens that one step ends; each takes up to six changes of a commit. */
const PAGE = 100

/** One step. @returns whether more are due */
export async function expireTokens(root: View, nowMs: number): Promise<boolean> {
  const names = await root.list(EXPIRY_PREFIX, { limit: PAGE })
  const due = names.filter((name) => expiryTimeMs(name) <= nowMs)
  for (const name of due) await expireOne(root, EXPIRY_PREFIX + name, nowMs)
  return due.length === PAGE
}

async function expireOne(root: View, key: string, nowMs: number): Promise<void> {
  const entry = await root.get(expiryRecords, key)
  const record = entry && (await findStored({ root }, entry.namespaceId, entry.tokenId))
  // The index may be older than the token's last renewal: the token decides.
  if (record !== undefined && record.expiresAtMs !== null && record.expiresAtMs <= nowMs) {
    revokeToken(root, record)
  }
  root.delete(key)
}
