/**
 * Recalls: from one commit on, no token works any more that matches a filter and was granted before it, batch tokens
 * too, however many there are. A recall raises the epoch; each token carries the epoch in which it was granted, and
 * whoever looks one up asks the recalls that are in force. Timed work then removes the tokens (`recall-work.ts`).
 *
 * Exact without clocks: granting a token reads the epoch, so of a grant and a recall at the same time one comes first.
 * A recall is in force until all stored tokens were looked at, and the last batch token of its time has ended.
 */
import { z } from 'zod'
import { RequestError } from '../errors.ts'
import { isInSpan } from '../namespaces.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { matchesFilter, tokenFilter } from './filter.ts'
import type { TokenRecord } from './record.ts'

const recallSchema = z
  .object({
    id: z.string(),
    epoch: z.number().int(),
    namespaceId: z.string(),
    /** In the namespaces below as well. */
    recursive: z.boolean(),
    filter: tokenFilter,
    /** The accessor of the token that asked for it, which lives on; empty: it has none. */
    spared: z.string(),
    atMs: z.number(),
    /** When the last batch token that it may be about has ended; 0: it is about none. */
    batchUntilMs: z.number(),
    /** All stored tokens were looked at: from here on it is about batch tokens alone. */
    scanned: z.boolean(),
  })
  .readonly()
export type Recall = z.infer<typeof recallSchema>

/** What is in force; read with each token that is granted or looked up, written with a recall and at its end. */
const tableSchema = z
  .object({ epoch: z.number().int(), recalls: z.array(recallSchema).readonly() })
  .readonly()
type RecallTable = z.infer<typeof tableSchema>
const recallTable = kind('token-recalls', tableSchema)
const TABLE_KEY = 'core/token-recalls'
const EMPTY: RecallTable = { epoch: 0, recalls: [] }

/** How far the removing of tokens has come; kept for a day after its end. */
export const recallProgress = kind(
  'token-recall',
  z
    .object({
      recall: recallSchema,
      /** Where the scan goes on (`scan.ts`). */
      after: z.string(),
      examined: z.number().int(),
      revoked: z.number().int(),
      finishedAtMs: z.number().nullable(),
    })
    .readonly(),
)
export const PROGRESS_PREFIX = 'core/token-recall/'

/** The time by which all batch tokens granted so far have ended, rounded up, so that it is seldom written. */
const batchHorizon = kind('batch-horizon', z.object({ untilMs: z.number() }).readonly())
const HORIZON_KEY = 'core/batch-horizon'
const HORIZON_STEP_MS = 86_400_000

/** In force at once: each look-up asks them all. */
const MAX_RECALLS = 64

export async function readRecalls(root: View): Promise<RecallTable> {
  return (await root.get(recallTable, TABLE_KEY)) ?? EMPTY
}

/** Notes that a batch token is granted that ends then. */
export async function noteBatchToken(root: View, expiresAtMs: number): Promise<void> {
  const known = (await root.get(batchHorizon, HORIZON_KEY))?.untilMs ?? 0
  if (expiresAtMs <= known) return
  const untilMs = (Math.floor(expiresAtMs / HORIZON_STEP_MS) + 1) * HORIZON_STEP_MS
  root.put(batchHorizon, HORIZON_KEY, { untilMs })
}

/** hot: whether a recall in force is about this token. */
export async function isRecalled(
  root: View,
  recalls: readonly Recall[],
  record: TokenRecord,
): Promise<boolean> {
  for (const recall of recalls) {
    if (recall.scanned && record.type === 'service') continue
    if (isMeant(recall, record) && (await isInSpan(root, recall, record.namespaceId))) {
      return true
    }
  }
  return false
}

/** Whether the token is one that the recall is about, wherever it lives. */
export function isMeant({ epoch, filter, spared }: Recall, record: TokenRecord): boolean {
  if ((record.epoch ?? 0) >= epoch) return false
  if (record.type === 'service' && record.accessor === spared) return false
  return matchesFilter(filter, record)
}

type NewRecall = Pick<Recall, 'id' | 'namespaceId' | 'recursive' | 'filter' | 'spared' | 'atMs'>

/**
 * Puts a recall in force. An earlier one of the same filter is replaced: this one is about all that it was about.
 *
 * @throws {RequestError} 429: too many are in force
 */
export async function addRecall(root: View, asked: NewRecall): Promise<Recall> {
  const { epoch, recalls } = await readRecalls(root)
  const { type } = asked.filter
  const horizonMs = (await root.get(batchHorizon, HORIZON_KEY))?.untilMs ?? 0
  const recall: Recall = {
    ...asked,
    epoch: epoch + 1,
    batchUntilMs: type === 'service' ? 0 : horizonMs,
    scanned: type === 'batch',
  }
  const others = recalls.filter((other) => !isSame(other, recall))
  if (others.length >= MAX_RECALLS) {
    throw new RequestError(
      429,
      `${MAX_RECALLS} revocations by filter are in force, which is the most; see auth/token/inventory/revocations for when they end, or use a wider filter`,
    )
  }
  root.put(recallTable, TABLE_KEY, { epoch: recall.epoch, recalls: [...others, recall] })
  const finishedAtMs = recall.scanned ? recall.atMs : null
  const progress = { recall, after: '', examined: 0, revoked: 0, finishedAtMs }
  root.put(recallProgress, PROGRESS_PREFIX + recall.id, progress)
  return recall
}

function isSame(a: Recall, b: Recall): boolean {
  return sameness(a) === sameness(b)
}

function sameness({ namespaceId, recursive, filter, spared }: Recall): string {
  return JSON.stringify([namespaceId, recursive, spared, Object.entries(filter).sort()])
}

/** Writes what is in force, if that has changed. Each write makes all nodes look up their tokens anew. */
export async function keepRecalls(
  root: View,
  still: (recall: Recall) => Recall | undefined,
): Promise<void> {
  const { epoch, recalls } = await readRecalls(root)
  const kept = recalls.flatMap((recall) => still(recall) ?? [])
  if (kept.length === recalls.length && kept.every((one, at) => one === recalls[at])) return
  root.put(recallTable, TABLE_KEY, { epoch, recalls: kept })
}
