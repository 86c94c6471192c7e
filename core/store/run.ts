/** Work in a transaction of its own, beside the way of a request. */
import type { Clock } from '../clock.ts'
import { TooManyConflicts } from '../errors.ts'
import type { Store } from './store.ts'
import { Transaction } from './transaction.ts'
import { View } from './view.ts'

/** Times that work is run before it is given up. */
const MAX_ATTEMPTS = 10
/** The pause before each further attempt, times the number of those before. */
const PAUSE_MS = 2

/**
 * Runs it, and again where another writer came between: it does nothing outside of the storage.
 *
 * @throws {TooManyConflicts} nothing was written
 */
export async function runTransaction<T>(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  work: (root: View, nowMs: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    store.cache.refresh()
    const transaction = new Transaction(store)
    const result = await work(new View(transaction, ''), clock.nowMs())
    if ((await transaction.commit()) === undefined) return result
    await new Promise<void>((resolve) => clock.after(PAUSE_MS * attempt, resolve))
  }
  throw new TooManyConflicts()
}
