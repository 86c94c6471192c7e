/**
 * Key shares that people bring, one by one and each to any node, for an operation on the open server: a new root token,
 * new shares. They gather in the record of that operation, each sealed by the barrier and bound to the operation's
 * nonce, so that neither the storage nor a cache holds one in the clear; they are opened only to be put together.
 */
import type { Barrier } from '../barrier/barrier.ts'
import { BadRequest } from '../errors.ts'
import { isSame } from '../seal/ceremony.ts'
import { WrongShares, type Seal, type Sharing } from '../seal/seal.ts'
import { parseShare } from '../seal/share-text.ts'
import type { View } from '../store/view.ts'

/** An operation that nobody has touched for so long is over, and its shares are forgotten. */
export const CEREMONY_MS = 24 * 3600 * 1000

/** One request's view: the whole server's records, and its time. */
export interface Moment {
  readonly root: View
  readonly nowMs: number
}

export type ShareSealer = Pick<Barrier, 'sealAll' | 'openFetched'>

export interface Gathering<T> {
  readonly barrier: ShareSealer
  readonly seal: Pick<Seal, 'checkShare'>
  readonly sharing: Sharing
  readonly nonce: string
  /** What earlier shares became. */
  readonly shares: readonly string[]
  /** Called with a threshold of different shares, which are zeroed once it is done. @throws {WrongShares} */
  readonly attempt: (shares: readonly Buffer[]) => Promise<T>
}

export type Gathered<T> =
  | { readonly state: 'more'; readonly shares: readonly string[] }
  | { readonly state: 'enough'; readonly result: T }
  /** They do not belong together or not here; which of them cannot be told, so all begin anew. */
  | { readonly state: 'wrong'; readonly error: WrongShares }

/**
 * Takes one share more.
 *
 * @throws {BadRequest} it is no share, or was given before; nothing changed
 */
export async function gather<T>(text: string, gathering: Gathering<T>): Promise<Gathered<T>> {
  const { barrier, seal, sharing, nonce } = gathering
  if (text === '') throw new BadRequest("'key' must be specified in request body as JSON")
  const share = parseShare(text)
  const shares = [share]
  try {
    seal.checkShare(share, sharing)
    for (const sealed of gathering.shares) {
      const known = await barrier.openFetched(placeOf(nonce), Buffer.from(sealed, 'base64'))
      shares.push(known)
      if (isSame(known, share)) throw new GivenBefore()
    }
    if (shares.length >= sharing.threshold) {
      return { state: 'enough', result: await gathering.attempt(shares) }
    }
    const sealed = await barrier.sealAll(new Map([[placeOf(nonce), share]]))
    const texts = [...sealed.values()].map((bytes) => bytes.toString('base64'))
    return { state: 'more', shares: [...gathering.shares, ...texts] }
  } catch (error) {
    if (error instanceof WrongShares) return { state: 'wrong', error }
    throw error
  } finally {
    for (const bytes of shares) bytes.fill(0)
  }
}

class GivenBefore extends BadRequest {
  override readonly name = 'GivenBefore'
  constructor() {
    super('given key has already been provided during this generation operation')
  }
}

/** What the sealed shares of one operation are bound to; nothing is stored under this key. */
function placeOf(nonce: string): string {
  return `core/ceremony/${nonce}`
}
