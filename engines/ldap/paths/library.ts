/** `library/`: sets of existing accounts that are lent. */
import { BadRequest } from '../../../core/errors.ts'
import { boolean, duration, list } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import type { View } from '../../../core/store/view.ts'
import { changePasswords, findAccount, putAccount, removeAccount, setKey } from '../library.ts'
import { accountKey, claim, release, settle } from '../managed.ts'
import { checkName, folderOf, name } from '../names.ts'
import { newPassword } from '../passwords.ts'
import { LIBRARY_PREFIX, librarySets, type LibrarySet } from '../records.ts'
import { demandConfig } from './config.ts'

const fields = {
  name,
  service_account_names: list('Names of the accounts.'),
  ttl: duration('How long an account is lent: 24 hours unless told otherwise.'),
  max_ttl: duration('For how long that can be renewed: 24 hours unless told otherwise.'),
  disable_check_in_enforcement: boolean('Others than the borrower may check in, too.'),
}
type SetRequest = Request<typeof fields>

const DAY_SECONDS = 24 * 3600
/** All of them get a new password in one request. */
const MAX_ACCOUNTS = 100
/** What stands after the name of a set in other paths. */
const VERBS = new Set(['check-in', 'check-out', 'status'])

const NEW: LibrarySet = {
  accounts: [],
  ttlSeconds: DAY_SECONDS,
  maxTtlSeconds: DAY_SECONDS,
  checkInIsFree: false,
}

export const libraryPaths = [
  path('library', {
    summary: 'The names of the sets',
    fields: { name },
    operations: { list: listSets },
  }),
  path('library/:name*', {
    summary: 'A set of existing accounts that are lent',
    description:
      'The accounts of a set get passwords that only the server knows, and a new one whenever one comes back.',
    fields,
    exists: async ({ storage, data }) =>
      (await storage.get(librarySets, setKey(data.name))) !== undefined,
    operations: { list: listSets, read: show, update: write, delete: remove },
    examples: [
      {
        summary: 'Two accounts that are lent for an hour',
        operation: 'update',
        path: 'library/support',
        request: { service_account_names: ['support-1', 'support-2'], ttl: '1h' },
      },
    ],
  }),
]

async function listSets({ storage, data }: Request<{ name: typeof name }>): Promise<Response> {
  return { data: { keys: await storage.list(LIBRARY_PREFIX + folderOf(data.name)) } }
}

async function show({ storage, data }: SetRequest): Promise<Response | undefined> {
  const set = await storage.get(librarySets, setKey(checkName(data.name)))
  if (set === undefined) return undefined
  return {
    data: {
      service_account_names: set.accounts,
      ttl: set.ttlSeconds,
      max_ttl: set.maxTtlSeconds,
      disable_check_in_enforcement: set.checkInIsFree,
    },
  }
}

async function write(request: SetRequest): Promise<Response | undefined> {
  const { storage, data, nowMs, id } = request
  const setName = checkSetName(data.name)
  const before = (await storage.get(librarySets, setKey(setName))) ?? NEW
  const set = changed(before, data)
  const added = set.accounts.filter((one) => !includes(before.accounts, one))
  const dropped = before.accounts.filter((one) => !includes(set.accounts, one))
  for (const account of dropped) await demandReturned(storage, account)
  if (added.length === 0) {
    put(storage, setName, set, dropped)
    return undefined
  }
  const owner = setKey(setName)
  for (const account of added) await claim(storage, account, { owner, request: id, nowMs })
  return takeOver(request, { setName, before, set, added, dropped })
}

function changed(before: LibrarySet, data: SetRequest['data']): LibrarySet {
  const set = {
    accounts: data.service_account_names ?? before.accounts,
    ttlSeconds: data.ttl ?? before.ttlSeconds,
    maxTtlSeconds: data.max_ttl ?? before.maxTtlSeconds,
    checkInIsFree: data.disable_check_in_enforcement ?? before.checkInIsFree,
  }
  if (set.accounts.length === 0) throw new BadRequest("'service_account_names' must be provided")
  if (set.accounts.length > MAX_ACCOUNTS) {
    throw new BadRequest(`service_account_names has up to ${MAX_ACCOUNTS} names`)
  }
  if (new Set(set.accounts.map(accountKey)).size < set.accounts.length) {
    throw new BadRequest('service_account_names names an account twice')
  }
  if (set.maxTtlSeconds > 0 && set.maxTtlSeconds < set.ttlSeconds) {
    throw new BadRequest(
      `max_ttl (${set.maxTtlSeconds} seconds) may not be less than ttl (${set.ttlSeconds} seconds)`,
    )
  }
  return set
}

const includes = (accounts: readonly string[], account: string) =>
  accounts.some((one) => accountKey(one) === accountKey(account))

interface TakeOver {
  readonly setName: string
  readonly before: LibrarySet
  readonly set: LibrarySet
  readonly added: readonly string[]
  readonly dropped: readonly string[]
}

/** Accounts that are new get passwords that only the server knows. */
async function takeOver(
  request: SetRequest,
  { setName, before, set, added, dropped }: TakeOver,
): Promise<Response> {
  const { id, nowMs } = request
  const config = await demandConfig(request)
  const changes: (readonly [string, string])[] = []
  for (const account of added) changes.push([account, await newPassword(request, config)])
  return {
    effect: {
      type: 'rotation',
      internal: {},
      async act(signal) {
        await changePasswords(config, { nowMs, signal }, changes)
        return async ({ storage }) => {
          const now = (await storage.get(librarySets, setKey(setName))) ?? NEW
          if (now.accounts.join() !== before.accounts.join()) {
            throw new BadRequest('another request has changed the set meanwhile; please try again')
          }
          for (const account of dropped) await demandReturned(storage, account)
          for (const [account, password] of changes) {
            await settle(storage, account, { owner: setKey(setName), request: id })
            putAccount(storage, account, { password, loan: null })
          }
          put(storage, setName, set, dropped)
        }
      },
    },
  }
}

function put(storage: View, setName: string, set: LibrarySet, dropped: readonly string[]): void {
  for (const account of dropped) letGo(storage, account)
  storage.put(librarySets, setKey(setName), set)
}

function letGo(storage: View, account: string): void {
  removeAccount(storage, account)
  release(storage, account)
}

async function demandReturned(storage: RequestBase['storage'], account: string): Promise<void> {
  const found = await findAccount(storage, account)
  if (found !== undefined && found.loan !== null) {
    throw new BadRequest("an account can't be deleted because it is currently checked out")
  }
}

async function remove({ storage, data }: SetRequest): Promise<void> {
  const setName = checkName(data.name)
  const set = await storage.get(librarySets, setKey(setName))
  if (set === undefined) return
  for (const account of set.accounts) await demandReturned(storage, account)
  for (const account of set.accounts) letGo(storage, account)
  storage.delete(setKey(setName))
}

/** What other paths mean something else by is no name. */
function checkSetName(given: string): string {
  const segments = checkName(given).split('/')
  if (segments[0] === 'manage' || VERBS.has(segments.at(-1) ?? '')) {
    throw new BadRequest(
      'the name of a set does not begin with "manage/", nor end with check-in, check-out or status',
    )
  }
  return given
}
