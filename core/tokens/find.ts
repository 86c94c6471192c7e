/** Finds tokens, and tells whether they are alive: stored, not past their end, and so all their ancestors. */
import type { Awaitable } from '../store/transaction.ts'
import type { View } from '../store/view.ts'
import type { BatchCodec } from './batch.ts'
import {
  BATCH_PREFIX,
  MAX_TOKEN_CHARACTERS,
  namespaceIdOf,
  namespaceIdOfAccessor,
  tokenId,
} from './identifier.ts'
import {
  accessorKey,
  accessorRecords,
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

/** hot: the living token of this text. */
export async function findToken(
  context: FindContext,
  token: string,
): Promise<TokenRecord | undefined> {
  if (token.length > MAX_TOKEN_CHARACTERS) return undefined
  const record = token.startsWith(BATCH_PREFIX)
    ? context.batch.decode(token)
    : await findStored(context, namespaceIdOf(token), await tokenId(context.root, token))
  return record !== undefined && (await isAlive(context, record)) ? record : undefined
}

/** The living token with this accessor. */
export async function findByAccessor(
  context: FindContext,
  accessor: string,
): Promise<ServiceToken | undefined> {
  const namespaceId = namespaceIdOfAccessor(accessor)
  const found = await context.root.get(accessorRecords, accessorKey(namespaceId, accessor))
  if (found === undefined) return undefined
  const record = await findStored(context, namespaceId, found.tokenId)
  return record !== undefined && (await isAlive(context, record)) ? record : undefined
}

export function findStored(
  { root }: Pick<FindContext, 'root'>,
  namespaceId: string,
  id: string,
): Awaitable<ServiceToken | undefined> {
  return root.get(serviceTokens, tokenKey(namespaceId, id))
}

async function isAlive(context: FindContext, record: TokenRecord): Promise<boolean> {
  let one: TokenRecord = record
  for (let generation = 0; generation < MAX_GENERATIONS; generation++) {
    if (one.expiresAtMs !== null && one.expiresAtMs <= context.nowMs) return false
    if (one.type === 'service' && one.numUses < 0 && !(context.running && one === record)) return false
    if (one.parentId === '') return true
    const parent = await findStored(context, one.parentNamespaceId, one.parentId)
    if (parent === undefined) return leavesOrphans(context, one.parentId)
    one = parent
  }
  return false
}

/** A token that was revoked alone leaves its children alive, though its cleaning up may be under way still. */
async function leavesOrphans({ root }: FindContext, id: string): Promise<boolean> {
  return (await root.get(revocationRecords, revocationKey(id)))?.orphans === true
}
