/** Removes the tokens that were recalled, which are dead already, and ends recalls that are about none any more. */
import { tokenEnded, type Witness } from '../own-work.ts'
import type { View } from '../store/view.ts'
import {
  isMeant,
  keepRecalls,
  PROGRESS_PREFIX,
  readRecalls,
  recallProgress,
  type Recall,
} from './recalls.ts'
import { revokeToken } from './revoke.ts'
import { scanTokens } from './scan.ts'

/** Tokens that one step looks at, and that it revokes: each takes four changes of a commit. */
const MAX_EXAMINED = 500
const MAX_REVOKED = 200
/** How long it can be read how a recall went. */
const SHOWN_MS = 24 * 60 * 60 * 1000
const MAX_LISTED = 100

/** One step. It goes on where the step before ended, after a crash too. @returns whether there is more to do */
export async function removeRecalled(
  root: View,
  nowMs: number,
  witness: Witness,
): Promise<boolean> {
  const { recalls } = await readRecalls(root)
  const recall = recalls.find(({ scanned }) => !scanned)
  if (recall !== undefined) return removeSome(root, nowMs, recall, witness)
  await keepRecalls(root, (one) => (one.batchUntilMs > nowMs ? one : undefined))
  await forgetFinished(root, nowMs)
  return false
}

async function removeSome(root: View, nowMs: number, recall: Recall, { report, tell }: Witness) {
  const key = PROGRESS_PREFIX + recall.id
  const before = await root.get(recallProgress, key)
  const { found, examined, next } = await scanTokens(root, {
    span: recall,
    filter: recall.filter,
    after: before?.after ?? '',
    maxExamined: MAX_EXAMINED,
    maxFound: MAX_REVOKED,
    accept: (record) => isMeant(recall, record),
    report,
  })
  for (const record of found) {
    revokeToken(root, record)
    tell(tokenEnded(record))
  }
  const isDone = next === ''
  root.put(recallProgress, key, {
    recall,
    after: next,
    examined: (before?.examined ?? 0) + examined,
    revoked: (before?.revoked ?? 0) + found.length,
    finishedAtMs: isDone ? nowMs : null,
  })
  if (isDone) {
    await keepRecalls(root, (one) =>
      one.id !== recall.id ? one : one.batchUntilMs > nowMs ? { ...one, scanned: true } : undefined,
    )
  }
  return true
}

async function forgetFinished(root: View, nowMs: number): Promise<void> {
  const { recalls } = await readRecalls(root)
  const inForce = new Set(recalls.map(({ id }) => id))
  for (const id of await root.list(PROGRESS_PREFIX, { limit: MAX_LISTED })) {
    if (inForce.has(id)) continue
    const key = PROGRESS_PREFIX + id
    const finishedAtMs = (await root.get(recallProgress, key))?.finishedAtMs ?? 0
    if (finishedAtMs + SHOWN_MS <= nowMs) root.delete(key)
  }
}
