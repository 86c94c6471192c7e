/**
 * Which role or set manages an account. An account is claimed before its password is changed: two that change it at once would
 * leave one of them with a password that is not the account's.
 */
import { BadRequest } from '../../core/errors.ts'
import type { View } from '../../core/store/view.ts'
import { MANAGED_PREFIX, managed } from './records.ts'

/** What is taken over is so within the time of a request. */
const CLAIM_MS = 3 * 60_000
const MAX_ACCOUNT_CHARACTERS = 256

export interface Claim {
  /** The key of the role or set. */
  readonly owner: string
  /** Id of the request. */
  readonly request: string
  readonly nowMs: number
}

/** A name as part of a key: directories do not tell upper from lower case. @throws {BadRequest} */
export function accountKey(account: string): string {
  if (account === '' || account.length > MAX_ACCOUNT_CHARACTERS || !account.isWellFormed()) {
    throw new BadRequest(
      `the name of an account is not empty, and has up to ${MAX_ACCOUNT_CHARACTERS} characters`,
    )
  }
  return encodeURIComponent(account.toLowerCase())
}

/** In the first transaction. @throws {BadRequest} another role or set manages it */
export async function claim(
  storage: View,
  account: string,
  { owner, request, nowMs }: Claim,
): Promise<void> {
  const key = MANAGED_PREFIX + accountKey(account)
  const found = await storage.get(managed, key)
  const isFree = found === undefined || (found.untilMs > 0 && found.untilMs <= nowMs)
  if (!isFree && found.owner !== owner) {
    throw new BadRequest('the account is already managed by the secrets engine')
  }
  storage.put(managed, key, { owner, request, untilMs: nowMs + CLAIM_MS })
}

/** In the transaction that stores what came of it. @throws {BadRequest} another request has claimed it meanwhile */
export async function settle(
  storage: View,
  account: string,
  { owner, request }: Pick<Claim, 'owner' | 'request'>,
): Promise<void> {
  const key = MANAGED_PREFIX + accountKey(account)
  if ((await storage.get(managed, key))?.request !== request) {
    throw new BadRequest('another request has taken the account over meanwhile')
  }
  storage.put(managed, key, { owner, request: '', untilMs: 0 })
}

export function release(storage: View, account: string): void {
  storage.delete(MANAGED_PREFIX + accountKey(account))
}
