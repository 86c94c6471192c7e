/**
 * Does what was announced, once, and stores what came of it in a second transaction, which takes the announcement back.
 * Whatever fails on the way, the announcement stays and the timed duties undo it.
 */
import type { Clock } from '../clock.ts'
import { NothingDone, RequestError, Sealed } from '../errors.ts'
import type { Conclude, Effect } from '../plugin/effects.ts'
import { runTransaction } from '../store/run.ts'
import type { Store } from '../store/store.ts'
import type { View } from '../store/view.ts'
import { ACT_MS, closeIntent, undoSoon, type Intent } from './intents.ts'
import { within } from './within.ts'

export interface PerformParts {
  readonly store: Store
  readonly clock: Clock
  /** Told where the announcement could not be changed. */
  readonly onFailure: (error: unknown) => void
}

/** An effect whose announcement is durable. */
export interface Announced {
  readonly effect: Effect
  readonly intent: Intent
}

/** @throws it was not done, or is being undone */
export async function perform<T>(
  parts: PerformParts,
  { effect, intent }: Announced,
  finish: (root: View, nowMs: number, conclude: Conclude) => Promise<T>,
): Promise<T> {
  try {
    const conclude = await within(parts.clock, ACT_MS, (signal) => effect.act(signal))
    return await runTransaction(parts, async (root, nowMs) => {
      if (await closeIntent(root, intent)) return finish(root, nowMs, conclude)
      throw new RequestError(503, 'it took too long, and so it was undone again; please try again')
    })
  } catch (error) {
    await giveUp(parts, intent, error)
    throw error
  }
}

/** Lets it be undone at once. If that cannot be written now, it will be undone when its time is over. */
async function giveUp(parts: PerformParts, intent: Intent, why: unknown): Promise<void> {
  try {
    await runTransaction(parts, (root, nowMs) =>
      why instanceof NothingDone ? closeIntent(root, intent) : undoSoon(root, intent, nowMs),
    )
  } catch (error) {
    if (!(error instanceof Sealed)) parts.onFailure(error)
  }
}
