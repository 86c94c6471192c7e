/**
 * `auth/token/inventory/revoke` ends all tokens that meet conditions, with the commit that it answers for; the timed
 * work removes them afterwards. `auth/token/inventory/revocations` shows how far that is.
 */
import { BadRequest } from '../../../core/errors.ts'
import { boolean, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { matchesFilter, type TokenFilter } from '../../../core/tokens/filter.ts'
import { findToken } from '../../../core/tokens/find.ts'
import {
  addRecall,
  PROGRESS_PREFIX,
  readRecalls,
  recallProgress,
} from '../../../core/tokens/recalls.ts'
import type { Unsealed } from '../engine.ts'
import { filterFields, filterOf } from '../filter-fields.ts'
import { demandRightsBelow } from '../rights-below.ts'
import { scanLiving } from './inventory.ts'

const fields = {
  ...filterFields,
  all: boolean(
    'Without conditions: all tokens. Needed, so that nobody asks for that by mistake.',
  ).default(false),
  dry_run: boolean('Revokes nothing; counts the tokens, page by page.').default(false),
  after: string('With `dry_run`: `next` of the answer before.').default(''),
}
/** Revocations that one answer shows. */
const MAX_SHOWN = 1000
type RevokeRequest = Request<typeof fields>

export function inventoryRevokePaths(unsealed: Unsealed) {
  return [
    path('inventory/revoke', {
      summary: 'Revokes all tokens that meet conditions, at once',
      description:
        'From the answer on, no token works any more that met all conditions and was granted before, batch tokens and children too, on every node; it takes one commit, however many they are. What is stored of them is then removed in steps, which a crash only interrupts. The calling token is spared, unless it is a batch token. Tokens granted later are not meant: close the way by which they are granted first.',
      sudo: true,
      fields,
      operations: {
        async update(request) {
          if (request.data.recursive) await demandRightsBelow(request, unsealed(), 'update')
          return request.data.dry_run ? count(request) : revoke(request, unsealed())
        },
      },
    }),
    path('inventory/revocations', {
      summary: 'Shows the revocations by conditions and how far the removing is',
      description:
        'Those in force, and those of the last day, that were asked for in the namespace.',
      sudo: true,
      operations: { list: showRevocations },
    }),
  ]
}

async function conditionsOf(request: RevokeRequest): Promise<TokenFilter> {
  const filter = await filterOf(request)
  const none = Object.keys(filter).length === 0
  if (none && !request.data.all) {
    throw new BadRequest(
      "no condition was given, such as 'policies' or 'role'; to revoke all tokens of the namespace, set 'all' to true",
    )
  }
  if (!none && request.data.all) {
    throw new BadRequest("'all' goes with no condition; leave one or the other out")
  }
  return filter
}

async function count(request: RevokeRequest): Promise<Response> {
  await conditionsOf(request)
  const place = { after: request.data.after, limit: Infinity }
  const { piece, warnings } = await scanLiving(request, place)
  const { next, examined, found } = piece
  const matched = found.filter(({ accessor }) => accessor !== request.caller?.accessor).length
  return { data: { matched, examined, next: next === '' ? undefined : next }, warnings }
}

async function revoke(request: RevokeRequest, { batch }: ReturnType<Unsealed>): Promise<Response> {
  const { storage: root, nowMs, namespace, random, clientToken, data } = request
  const filter = await conditionsOf(request)
  const caller = await findToken({ root, nowMs, batch, running: true }, clientToken)
  const accessor = caller?.type === 'service' ? caller.accessor : ''
  const recall = await addRecall(root, {
    id: random.uuid(),
    namespaceId: namespace.id,
    recursive: data.recursive,
    filter,
    spared: accessor,
    atMs: nowMs,
  })
  const isSpared = accessor !== '' && caller !== undefined && matchesFilter(filter, caller)
  return { data: { id: recall.id }, warnings: isSpared ? [SPARED] : [] }
}

const SPARED =
  'Your own token meets the conditions too and was spared; revoke it with auth/token/revoke-self when you are done.'

async function showRevocations({ storage: root, namespace }: Request): Promise<Response> {
  const { recalls } = await readRecalls(root)
  const keys: string[] = []
  const key_info: Record<string, unknown> = {}
  for (const id of await root.list(PROGRESS_PREFIX, { limit: MAX_SHOWN })) {
    const progress = await root.get(recallProgress, PROGRESS_PREFIX + id)
    if (progress?.recall.namespaceId !== namespace.id) continue
    const { recall, examined, revoked, finishedAtMs } = progress
    const inForce = recalls.some((one) => one.id === id)
    keys.push(id)
    key_info[id] = {
      time: new Date(recall.atMs),
      state: finishedAtMs !== null ? 'done' : inForce ? 'removing' : 'replaced',
      examined,
      revoked,
      finish_time: finishedAtMs === null ? null : new Date(finishedAtMs),
      batch_tokens_until: inForce && recall.batchUntilMs > 0 ? new Date(recall.batchUntilMs) : null,
      conditions: shownFilter(recall.filter),
      recursive: recall.recursive,
    }
  }
  return { data: { keys, key_info }, status: 200 }
}

/** As a request names them; times as such. */
function shownFilter(filter: TokenFilter): Record<string, unknown> {
  const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms))
  return {
    policies: filter.policies,
    role: filter.role,
    mount_uuid: filter.mountUuid,
    path: filter.path,
    entity_id: filter.entityId,
    type: filter.type,
    orphan: filter.orphan,
    created_after: time(filter.createdAfterMs),
    created_before: time(filter.createdBeforeMs),
    expires_after: time(filter.expiresAfterMs),
    expires_before: time(filter.expiresBeforeMs),
    never_expires: filter.neverExpires,
  }
}
