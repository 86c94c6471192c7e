/**
 * Intents: what a request is about to do outside of the storage, written before it does it. The request's second commit
 * removes it. One that is still there when its time is over, because the process died, the other system hung, or the request
 * failed, is undone by the timed duties.
 *
 * Twice: what was under way when the first attempt undid it may have come into being after it, for nobody can call it back.
 */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../json.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { dueName, readDueName } from './due-name.ts'
import type { Source } from './source.ts'
import type { Undoing } from './undo.ts'

const intentSchema = z
  .object({
    /** The id of the request. */
    id: z.string(),
    namespaceId: z.string(),
    /** Of the request, relative to the namespace. */
    path: z.string(),
    mountUuid: z.string(),
    type: z.string(),
    internal: z.custom<JsonObject>(isJsonObject),
    /** Whose request it is; empty: nobody's, or a batch token's. */
    accessor: z.string(),
    openedAtMs: z.number(),
    dueAtMs: z.number(),
    /** To undo it; 0: the request may still be on its way. */
    attempts: z.number().int(),
    /** Why the last attempt to undo it failed; empty: there was none. */
    error: z.string(),
    /** It was undone once and will be once more. */
    undoneAtMs: z.number().nullable(),
  })
  .readonly()

export type Intent = z.infer<typeof intentSchema>
const intentRecords = kind('intent', intentSchema, { keptWhenWritten: false })
const INTENT_PREFIX = 'intent/'

/** The longest that `act` may take. */
export const ACT_MS = 90_000
/** Then the request is certainly given up, whatever the clocks of two nodes say. */
const OVER_MS = ACT_MS + 60_000
/** From undoing it to undoing it once more: no system finishes later what was given up. */
const AGAIN_MS = 10 * 60_000
const FIRST_PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 3_600_000
/** Intents that are looked through for those of one mount. */
const MOST = 100_000

const intentKey = ({ dueAtMs, mountUuid, id }: Intent) =>
  INTENT_PREFIX + dueName(dueAtMs, mountUuid, id)

/** What is told of the request that announces it. */
export type Announced = Pick<
  Intent,
  'id' | 'namespaceId' | 'path' | 'mountUuid' | 'type' | 'internal' | 'accessor'
>

/** Announces an effect, in the request's first transaction. */
export function openIntent(root: View, announced: Announced, nowMs: number): Intent {
  const intent: Intent = {
    ...announced,
    openedAtMs: nowMs,
    dueAtMs: nowMs + OVER_MS,
    attempts: 0,
    error: '',
    undoneAtMs: null,
  }
  root.put(intentRecords, intentKey(intent), intent)
  return intent
}

/**
 * Removes it, in the transaction that stores what came of it.
 *
 * @returns false: it took so long that it is being undone
 */
export async function closeIntent(root: View, intent: Intent): Promise<boolean> {
  const key = intentKey(intent)
  const stored = await root.get(intentRecords, key)
  // Once an attempt to undo it has begun it is another one.
  if (stored?.attempts !== intent.attempts) return false
  root.delete(key)
  return true
}

/** Lets the timed duties undo it at once, or an operator try it again. @returns false: it is not there as it was any more */
export async function undoSoon(root: View, intent: Intent, nowMs: number): Promise<boolean> {
  if (!(await closeIntent(root, intent))) return false
  put(root, { ...intent, dueAtMs: nowMs })
  return true
}

function put(root: View, intent: Intent): void {
  root.put(intentRecords, intentKey(intent), intent)
}

/** Those that are open, in the order in which they are due; at most `limit`. */
export async function listIntents(root: View, limit: number): Promise<Intent[]> {
  const found: Intent[] = []
  for (const name of await root.list(INTENT_PREFIX, { limit })) {
    const intent = await root.get(intentRecords, INTENT_PREFIX + name)
    if (intent !== undefined) found.push(intent)
  }
  return found
}

/** Whether a mount has some. */
export async function hasIntents(root: View, mountUuid: string): Promise<boolean> {
  const names = await root.list(INTENT_PREFIX, { limit: MOST })
  return names.some((name) => readDueName(name).mountUuid === mountUuid)
}

export interface IntentUndoing extends Undoing {
  readonly intent: Intent
}

/** The intents whose time is over, for the sweep. */
export const overdueIntents: Source<IntentUndoing> = {
  what: 'undoing what a request had begun',
  prefix: INTENT_PREFIX,
  async claim(root, key) {
    const intent = await root.get(intentRecords, key)
    if (intent === undefined) return undefined
    // From here on the request's second commit is refused, if it is still on its way.
    const claimed = { ...intent, attempts: intent.attempts + 1 }
    put(root, claimed)
    const { namespaceId, mountUuid, type, internal } = intent
    return { namespaceId, mountUuid, type, internal, intent: claimed }
  },
  async undone(root, { intent }, nowMs) {
    const again = intent.undoneAtMs === null
    if ((await closeIntent(root, intent)) && again) {
      put(root, { ...intent, error: '', undoneAtMs: nowMs, dueAtMs: nowMs + AGAIN_MS })
    }
  },
  async failed(root, { intent }, nowMs, error) {
    if (!(await closeIntent(root, intent))) return
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (intent.attempts - 1), LONGEST_PAUSE_MS)
    put(root, { ...intent, error, dueAtMs: nowMs + pauseMs })
  },
  facts: ({ intent: { path, accessor } }) => ({ operation: 'rollback', path, accessor }),
}
