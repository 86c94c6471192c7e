/**
 * Finds tokens, and tells whether they are alive: stored, not past their end, of a namespace and granted by a mount that
 * are still there, and so all their ancestors.
 */
import { mountByUuid } from '../mounts/table.ts'
import { namespaceById, ROOT } from '../namespaces.ts'
import type { Namespace } from '../plugin/request.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { View } from '../store/view.ts'
import type { BatchCodec } from './batch.ts'
import {
  BATCH_PREFIX,
  MAX_TOKEN_CHARACTERS,
  namespaceIdOf,
  namespaceIdOfAccessor,
  accessorOf,
} from './identifier.ts'
import { isRecalled, readRecalls } from './recalls.ts'
import {
  revocationKey,
  revocationRecords,
  serviceTokens,
  tokenKey,
  type ServiceToken,
  type TokenRecord,
} from './record.ts'

/** Generations that are followed upwards; a longer line of descent counts as dead. */
const MAX_GENERATIONS = 1000

export interface FindContext {
  readonly root: View
  readonly nowMs: number
  readonly batch: BatchCodec
  /** Finds a token too whose last request is the running one. */
  readonly running?: boolean
}

/** A token, and the time until which it lives unless a record changes; Infinity: for ever. */
export interface Living {
  readonly record: TokenRecord
  readonly untilMs: number
}

/** hot: the living token of this text. */
export async function findLiving(context: FindContext, token: string): Promise<Living | undefined> {
  if (token.length > MAX_TOKEN_CHARACTERS) return undefined
  const record = token.startsWith(BATCH_PREFIX)
    ? context.batch.decode(token)
    : await findService(context, token)
  if (record === undefined) return undefined
  const untilMs = await livesUntil(context, record)
  return untilMs > context.nowMs ? { record, untilMs } : undefined
}

export async function findToken(
  context: FindContext,
  token: string,
): Promise<TokenRecord | undefined> {
  return (await findLiving(context, token))?.record
}

async function findService(context: FindContext, token: string): Promise<ServiceToken | undefined> {
  const namespaceId = namespaceIdOf(token)
  if (namespaceId === undefined) return undefined
  return findStored(context, namespaceId, await accessorOf(context.root, token, namespaceId))
}

/**
 * The living token with this accessor, if it lives in that namespace or below: an accessor is no secret, so it must not
 * let one tenant reach the tokens of another.
 */
export async function findByAccessor(
  context: FindContext,
  accessor: string,
  within: Namespace,
): Promise<ServiceToken | undefined> {
  const namespaceId = namespaceIdOfAccessor(accessor)
  if (namespaceId === undefined) return undefined
  const namespace = await namespaceById(context.root, namespaceId)
  if (!namespace?.path.startsWith(within.path)) return undefined
  const record = await findStored(context, namespaceId, accessor)
  return record !== undefined && (await isLiving(context, record)) ? record : undefined
}

/** Whether the token works now, as far as that does not depend on who uses it. */
export async function isLiving(
  context: Pick<FindContext, 'root' | 'nowMs'>,
  record: TokenRecord,
): Promise<boolean> {
  return (await livesUntil(context, record)) > context.nowMs
}

export function findStored(
  { root }: Pick<FindContext, 'root'>,
  namespaceId: string,
  accessor: string,
): Awaitable<ServiceToken | undefined> {
  return root.get(serviceTokens, tokenKey(namespaceId, accessor))
}

/** Whether a service token is alive: what was given to it ends with it. */
export async function isTokenAlive(
  context: Pick<FindContext, 'root' | 'nowMs'>,
  namespaceId: string,
  accessor: string,
): Promise<boolean> {
  const record = await findStored(context, namespaceId, accessor)
  // Its last use may be the one that asks.
  return (
    record !== undefined &&
    (await livesUntil({ ...context, running: true }, record)) > context.nowMs
  )
}

/** When the first of the token and its ancestors ends; 0: one of them is gone. */
async function livesUntil(
  context: Omit<FindContext, 'batch'>,
  record: TokenRecord,
): Promise<number> {
  const { recalls } = await readRecalls(context.root)
  let untilMs = Infinity
  let one: TokenRecord = record
  for (let generation = 0; generation < MAX_GENERATIONS; generation++) {
    if (one.expiresAtMs !== null) untilMs = Math.min(untilMs, one.expiresAtMs)
    if (isUsedUp(one) && !(context.running && one === record)) return 0
    if (!(await isInNamespace(context, one))) return 0
    if (one.mountUuid !== '' && !(await isMounted(context, one))) return 0
    if (recalls.length > 0 && (await isRecalled(context.root, recalls, one))) return 0
    if (one.parent === '') return untilMs
    const parent = await findStored(context, one.parentNamespaceId, one.parent)
    if (parent === undefined) return (await leavesOrphans(context, one.parent)) ? untilMs : 0
    one = parent
  }
  return 0
}

function isUsedUp(record: TokenRecord): boolean {
  return record.type === 'service' && record.numUses < 0
}

/** All tokens of a namespace end with it. */
async function isInNamespace({ root }: Pick<FindContext, 'root'>, { namespaceId }: TokenRecord) {
  return namespaceId === ROOT.id || (await namespaceById(root, namespaceId)) !== undefined
}

/** What an auth method granted ends with its mount. */
async function isMounted(
  { root }: Pick<FindContext, 'root'>,
  record: TokenRecord,
): Promise<boolean> {
  return (await mountByUuid(root, record.namespaceId, record.mountUuid)) !== undefined
}

/** A token that was revoked alone leaves its children alive, though its cleaning up may be under way still. */
async function leavesOrphans(
  { root }: Pick<FindContext, 'root'>,
  accessor: string,
): Promise<boolean> {
  return (await root.get(revocationRecords, revocationKey(accessor)))?.orphans === true
}
