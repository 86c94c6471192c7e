/** Sets of accounts that are lent: the accounts, and who has them. */
import { z } from 'zod'
import { BadRequest } from '../../core/errors.ts'
import type { EffectType, UndoContext } from '../../core/plugin/effects.ts'
import type { Caller } from '../../core/plugin/request.ts'
import type { View } from '../../core/store/view.ts'
import { changePassword } from './change-password.ts'
import { withDirectory, type Limits } from './connect.ts'
import { accountKey } from './managed.ts'
import {
  LIBRARY_ACCOUNTS_PREFIX,
  libraryAccounts,
  LIBRARY_PREFIX,
  librarySets,
  type Config,
  type LibraryAccount,
  type LibrarySet,
} from './records.ts'
import { demandConfig } from './paths/config.ts'

type Loan = NonNullable<LibraryAccount['loan']>

const LENT = z.object({ account: z.string(), set: z.string(), loan: z.string() })
type Lent = z.infer<typeof LENT>

export const setKey = (name: string) => LIBRARY_PREFIX + name
const libraryAccountKey = (account: string) => LIBRARY_ACCOUNTS_PREFIX + accountKey(account)

/** @throws {BadRequest} there is no such set */
export async function demandSet(storage: View, name: string): Promise<LibrarySet> {
  const set = await storage.get(librarySets, setKey(name))
  if (set === undefined) throw new BadRequest(`"${name}" doesn't exist`)
  return set
}

export function findAccount(storage: Pick<View, 'get'>, account: string) {
  return storage.get(libraryAccounts, libraryAccountKey(account))
}

export function putAccount(storage: View, account: string, record: LibraryAccount): void {
  storage.put(libraryAccounts, libraryAccountKey(account), record)
}

export function removeAccount(storage: View, account: string): void {
  storage.delete(libraryAccountKey(account))
}

/** Whether it is the entity, or the token, that has borrowed it. */
export function isBorrower({ entityId, accessor }: Loan, caller: Caller | undefined): boolean {
  if (entityId !== '' && caller?.entityId === entityId) return true
  return accessor !== '' && caller?.accessor === accessor
}

/** A loan ends with its lease: the account gets its next password, and is there for others. */
export const loans: EffectType = {
  async undo(context, internal) {
    const { account, loan } = await loanOf(context.storage, LENT.parse(internal))
    if (loan !== undefined) await changeBack(context, account, loan)
  },
  async renew({ storage }, { internal }) {
    const lent = LENT.parse(internal)
    const set = await storage.get(librarySets, setKey(lent.set))
    if (set === undefined) return { refused: `"${lent.set}" doesn't exist` }
    const { loan } = await loanOf(storage, lent)
    if (loan === undefined) {
      return {
        refused: `${lent.account} is already checked in, please call check-out to regain it`,
      }
    }
    return { ttlSeconds: set.ttlSeconds, maxTtlSeconds: set.maxTtlSeconds }
  },
  async removed({ storage }, internal) {
    const { account, loan } = await loanOf(storage, LENT.parse(internal))
    if (loan !== undefined) {
      putAccount(storage, account, { password: loan.nextPassword, loan: null })
    }
  },
}

/** The loan that a lease is of, unless it has ended. */
async function loanOf(storage: Pick<View, 'get'>, { account, loan: id }: Lent) {
  const loan = (await findAccount(storage, account))?.loan
  return { account, loan: loan?.id === id ? loan : undefined }
}

async function changeBack(context: UndoContext, account: string, loan: Loan): Promise<void> {
  await changePasswords(await demandConfig(context), context, [[account, loan.nextPassword]])
}

/** @param changes accounts, each with its new password */
export async function changePasswords(
  config: Config,
  limits: Limits,
  changes: readonly (readonly [account: string, password: string])[],
): Promise<void> {
  const secrets = changes.map(([, password]) => password)
  await withDirectory(config, limits, secrets, async (run) => {
    for (const [username, password] of changes) {
      await changePassword(run, config, { username }, password)
    }
  })
}
