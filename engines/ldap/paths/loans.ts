/** `library/NAME/check-out`, `check-in` and `status`: lending the accounts of a set. */
import { BadRequest } from '../../../core/errors.ts'
import { duration, list } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { changePasswords, demandSet, findAccount, isBorrower, putAccount } from '../library.ts'
import { checkName, name } from '../names.ts'
import { newPassword } from '../passwords.ts'
import type { LibraryAccount, LibrarySet } from '../records.ts'
import { demandConfig } from './config.ts'

type Loan = NonNullable<LibraryAccount['loan']>

const outFields = { name, ttl: duration('For how long, where that is shorter than the set says.') }
const inFields = {
  name,
  service_account_names: list('Which; not needed where only one is lent.').default([]),
}
type InRequest = Request<typeof inFields>

export const loanPaths = [
  path('library/manage/:name*/check-in', {
    summary: 'Takes accounts back, whoever has them',
    fields: inFields,
    operations: { update: (request) => checkIn(request, { isManager: true }) },
  }),
  path('library/:name*/check-out', {
    summary: 'Lends an account that is available',
    fields: outFields,
    operations: { update: checkOut },
  }),
  path('library/:name*/check-in', {
    summary: 'Takes accounts back from the caller',
    fields: inFields,
    operations: { update: (request) => checkIn(request, { isManager: false }) },
  }),
  path('library/:name*/status', {
    summary: 'Which accounts are available',
    fields: { name },
    operations: { read: status },
  }),
]

/** The account has its password already: nothing has to be asked of the directory. */
async function checkOut(request: Request<typeof outFields>): Promise<Response> {
  const { storage, data, caller, random } = request
  const setName = checkName(data.name)
  const set = await demandSet(storage, setName)
  const found = await firstAvailable(storage, set)
  if (found === undefined) throw new BadRequest('No service accounts available for check-out.')
  const { account, password } = found
  const loan: Loan = {
    id: random.uuid(),
    entityId: caller?.entityId ?? '',
    accessor: caller?.accessor ?? '',
    nextPassword: await newPassword(request, await demandConfig(request)),
  }
  putAccount(storage, account, { password, loan })
  return {
    data: { service_account_name: account, password },
    secret: {
      type: 'loan',
      internal: { account, set: setName, loan: loan.id },
      ttlSeconds: spanOf(set, data.ttl),
      maxTtlSeconds: set.maxTtlSeconds,
      renewable: true,
    },
  }
}

async function firstAvailable(storage: Request['storage'], { accounts }: LibrarySet) {
  for (const account of accounts) {
    const found = await findAccount(storage, account)
    if (found?.loan === null) return { account, password: found.password }
  }
  return undefined
}

/** What is asked for counts where it is shorter; a set of 0 seconds has no span of its own. */
function spanOf({ ttlSeconds }: LibrarySet, asked: number | undefined): number {
  if (asked === undefined || asked === 0) return ttlSeconds
  return ttlSeconds === 0 ? asked : Math.min(asked, ttlSeconds)
}

async function checkIn(
  request: InRequest,
  { isManager }: { isManager: boolean },
): Promise<Response> {
  const { storage, data, nowMs } = request
  const set = await demandSet(storage, checkName(data.name))
  const config = await demandConfig(request)
  const returned = await chosen(request, set, isManager || set.checkInIsFree)
  const check_ins = returned.map(([account]) => account)
  if (returned.length === 0) return { data: { check_ins } }
  return {
    effect: {
      type: 'rotation',
      internal: {},
      async act(signal) {
        const changes = returned.map(([account, loan]) => [account, loan.nextPassword] as const)
        await changePasswords(config, { nowMs, signal }, changes)
        return async ({ storage: later }) => {
          for (const [account, loan] of returned) await takeBack(later, account, loan)
          return { data: { check_ins } }
        }
      },
    },
  }
}

async function takeBack(storage: Request['storage'], account: string, loan: Loan): Promise<void> {
  const found = await findAccount(storage, account)
  if (found?.loan?.id !== loan.id) return
  putAccount(storage, account, { password: loan.nextPassword, loan: null })
}

/** What is taken back, each with its loan. @param isFree whoever has it */
async function chosen(
  { storage, data, caller }: InRequest,
  set: LibrarySet,
  isFree: boolean,
): Promise<(readonly [string, Loan])[]> {
  const asked = data.service_account_names
  const found: (readonly [string, Loan])[] = []
  for (const account of asked.length === 0 ? set.accounts : new Set(asked)) {
    if (!set.accounts.includes(account)) {
      throw new BadRequest('service_account_names names an account that is not of the set')
    }
    const loan = (await findAccount(storage, account))?.loan
    if (loan === undefined || loan === null) continue
    if (isFree || isBorrower(loan, caller)) found.push([account, loan])
    else if (asked.length > 0) {
      throw new BadRequest(
        "an account can't be checked in because it wasn't checked out by the caller",
      )
    }
  }
  if (asked.length === 0 && found.length > 1) {
    throw new BadRequest(
      "when multiple service accounts are checked out, the 'service_account_names' to check in must be provided",
    )
  }
  return found
}

async function status({ storage, data }: Request<{ name: typeof name }>): Promise<Response> {
  const set = await demandSet(storage, checkName(data.name))
  const shown: [string, Record<string, unknown>][] = []
  for (const account of set.accounts) {
    const loan = (await findAccount(storage, account))?.loan
    shown.push([account, loan === null || loan === undefined ? { available: true } : lent(loan)])
  }
  return { data: Object.fromEntries(shown) }
}

/** The token itself is known to nobody: its accessor stands for it. */
function lent({ accessor, entityId }: Loan): Record<string, unknown> {
  return {
    available: false,
    ...(accessor !== '' && { borrower_client_token: accessor }),
    ...(entityId !== '' && { borrower_entity_id: entityId }),
  }
}
