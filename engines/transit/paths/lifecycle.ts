/** Beyond Vault: further names of a key, and its end on a day that can still be called off. */
import { BadRequest } from '../../../core/errors.ts'
import { duration, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { replaceKey } from '../change.ts'
import { findKey } from '../keys.ts'
import { keyNames, nameKey, type TransitKey } from '../records.ts'
import { shownKey } from '../shown.ts'
import { name } from './keys.ts'

const DAY_SECONDS = 86_400
/** The bounds and the default of AWS KMS. */
const LEAST_WINDOW = 7 * DAY_SECONDS
const LONGEST_WINDOW = 30 * DAY_SECONDS
const MOST_NAMES = 50

const aliasFields = { name, alias: string('Another name.').required() }
const renameFields = { name, to: string('The new name.').default('') }
const deletionFields = {
  name,
  window: duration('From now to its end: 7 to 30 days.').default(LONGEST_WINDOW),
}

export const lifecyclePaths = [
  path('keys/:name/aliases/:alias', {
    summary: 'A further name of a key, which leads to the same material',
    fields: aliasFields,
    operations: { update: addAlias, delete: removeAlias },
  }),
  path('keys/:name/rename', {
    summary: 'Gives a key another name; the old one leads nowhere then',
    fields: renameFields,
    operations: { update: rename },
  }),
  path('keys/:name/schedule-deletion', {
    summary: 'Ends a key on a day to come; until then nobody may use it, and it can be called off',
    fields: deletionFields,
    operations: { update: schedule },
  }),
  path('keys/:name/cancel-deletion', {
    summary: 'Calls off the end of a key; it is disabled then',
    fields: { name },
    operations: { update: cancel },
  }),
]

type Named = RequestBase & { readonly data: { readonly name: string } }

async function demandKey({ storage, data }: Named): Promise<TransitKey> {
  const key = await findKey(storage, data.name)
  if (key === undefined) throw new BadRequest('key not found')
  return key
}

async function demandFree({ storage }: RequestBase, text: string): Promise<void> {
  if ((await storage.get(keyNames, nameKey(text))) !== undefined) {
    throw new BadRequest('a key of that name exists')
  }
}

async function addAlias(request: Request<typeof aliasFields>): Promise<Response> {
  const { storage, data } = request
  const key = await demandKey(request)
  if (key.names.includes(data.alias)) return { data: shownKey(data.name, key) }
  await demandFree(request, data.alias)
  if (key.names.length >= MOST_NAMES) {
    throw new BadRequest(`a key has at most ${MOST_NAMES} names`)
  }
  storage.put(keyNames, nameKey(data.alias), { id: key.id })
  const named = replaceKey(storage, { ...key, names: [...key.names, data.alias] })
  return { data: shownKey(data.name, named) }
}

async function removeAlias(request: Request<typeof aliasFields>): Promise<void> {
  const { storage, data } = request
  const key = await demandKey(request)
  if (!key.names.includes(data.alias)) return
  const names = key.names.filter((one) => one !== data.alias)
  if (names.length === 0) throw new BadRequest('it is the only name of the key')
  storage.delete(nameKey(data.alias))
  replaceKey(storage, { ...key, names })
}

const NAME = /^\w(?:[\w.-]*\w)?$/

async function rename(request: Request<typeof renameFields>): Promise<Response> {
  const { storage, data } = request
  const key = await demandKey(request)
  if (!NAME.test(data.to)) {
    throw new BadRequest("'to' must be a name: letters, digits and '_', with '-' and '.' inside")
  }
  if (data.to === data.name) return { data: shownKey(data.name, key) }
  await demandFree(request, data.to)
  storage.delete(nameKey(data.name))
  storage.put(keyNames, nameKey(data.to), { id: key.id })
  const names = key.names.map((one) => (one === data.name ? data.to : one))
  return { data: shownKey(data.to, replaceKey(storage, { ...key, names })) }
}

async function schedule(request: Request<typeof deletionFields>): Promise<Response> {
  const { storage, data, nowMs } = request
  const key = await demandKey(request)
  if (!key.deletionAllowed) throw new BadRequest('deletion is not allowed for this key')
  if (data.window < LEAST_WINDOW || data.window > LONGEST_WINDOW) {
    throw new BadRequest("'window' must be 7 to 30 days, such as 168h")
  }
  const deletesAtMs = nowMs + data.window * 1000
  return { data: shownKey(data.name, replaceKey(storage, { ...key, deletesAtMs })) }
}

/** As AWS KMS does: who has called it off decides next whether it is used again. */
async function cancel(request: Request<{ name: typeof name }>): Promise<Response> {
  const { storage, data } = request
  const key = await demandKey(request)
  if (key.deletesAtMs === null) throw new BadRequest('the key is not about to be deleted')
  const kept = { ...key, deletesAtMs: null, disabled: true }
  return { data: shownKey(data.name, replaceKey(storage, kept)) }
}
