/** Who asks: the token, alive and used from an address that it is bound to. */
import { BlockList } from 'node:net'
import { BadRequest, PermissionDenied, type RequestError } from '../errors.ts'
import type { OperationFacts } from '../plugin/path.ts'
import type { Caller } from '../plugin/request.ts'
import type { View } from '../store/view.ts'
import { findLiving, type FindContext, type Living } from '../tokens/find.ts'
import { serviceTokens, tokenKey, type TokenRecord } from '../tokens/record.ts'
import { addCidr, isListed } from '../cidr.ts'
import { RESPONSE_WRAPPING_POLICY } from '../policy/names.ts'
import type { Incoming } from './incoming.ts'

/** The caller as the pipeline knows it. */
export interface Authenticated {
  readonly record: TokenRecord
  readonly caller: Caller
  /** This request is the token's last: it goes when the request is over. */
  readonly lastUse: boolean
}

export const INVALID_WRAPPING_TOKEN = 'wrapping token is not valid or does not exist'

/**
 * Finds the token.
 *
 * @param token its text; empty: none was sent
 * @param facts of the operation; `undefined`: there is no such operation, which only a valid token may learn
 * @returns `undefined` where none is needed
 * @throws {PermissionDenied} there is none, or it is not alive
 */
export async function findCaller(
  context: FindContext,
  token: string,
  facts: OperationFacts | undefined,
): Promise<Living | undefined> {
  if (token !== '') {
    const living = await findLiving(context, token)
    if (living !== undefined) return living
  }
  if (facts?.unauthenticated) return undefined
  throw refusal(facts, token)
}

function refusal(facts: OperationFacts | undefined, token: string): RequestError {
  if (!facts?.takesWrappingToken) return new PermissionDenied()
  return token === ''
    ? new PermissionDenied('error validating wrapping token: token is empty')
    : new BadRequest(INVALID_WRAPPING_TOKEN)
}

/**
 * hot: takes one of the uses of a token that was found.
 *
 * @returns `undefined`: the path needs no token, and this one may not be used from here
 * @throws {PermissionDenied} it may not be used from here
 */
export function authenticate(
  root: View,
  record: TokenRecord,
  incoming: Incoming,
  facts: OperationFacts | undefined,
): Authenticated | undefined {
  if (!isBoundTo(record, incoming.client.address)) {
    if (facts?.unauthenticated) return undefined
    throw refusal(facts, incoming.token)
  }
  const lastUse = !facts?.unauthenticated && takeUse(root, record)
  return { record, caller: callerOf(record), lastUse }
}

/** Whether the token holds a wrapped answer: it has the policy for that, and no other. */
export function isWrappingToken({ policies }: Pick<TokenRecord, 'policies'>): boolean {
  return policies.length === 1 && policies[0] === RESPONSE_WRAPPING_POLICY
}

/** Uses left while the last request runs; nobody else finds the token alive then. */
const LAST_USE_RUNNING = -1

function takeUse(root: View, record: TokenRecord): boolean {
  if (record.type !== 'service' || record.numUses === 0) return false
  const numUses = record.numUses > 1 ? record.numUses - 1 : LAST_USE_RUNNING
  root.put(serviceTokens, tokenKey(record.namespaceId, record.accessor), { ...record, numUses })
  return numUses === LAST_USE_RUNNING
}

const callers = new WeakMap<TokenRecord, Caller>()

function callerOf(record: TokenRecord): Caller {
  let caller = callers.get(record)
  if (caller === undefined) {
    caller = Object.freeze({
      tokenType: record.type,
      accessor: record.type === 'service' ? record.accessor : '',
      policies: record.policies,
      displayName: record.displayName,
      entityId: record.entityId,
      role: roleOf(record),
      namespaceId: record.namespaceId,
    })
    callers.set(record, caller)
  }
  return caller
}

/** The metadata of a token that no login made is whatever its maker likes. */
function roleOf({ role, path, meta }: TokenRecord): string {
  const granted = path.startsWith('auth/token/')
    ? undefined
    : (meta?.['role_name'] ?? meta?.['role'])
  return role ?? granted ?? ''
}

const blocks = new WeakMap<readonly string[], BlockList>()

/** Whether the token may be used from this address. A token that never ends is bound to none (as in Vault). */
function isBoundTo(record: TokenRecord, address: string): boolean {
  if (record.boundCidrs.length === 0 || record.ttlSeconds === 0) return true
  let block = blocks.get(record.boundCidrs)
  if (block === undefined) {
    block = new BlockList()
    for (const cidr of record.boundCidrs) addCidr(block, cidr)
    blocks.set(record.boundCidrs, block)
  }
  return isListed(address, block)
}
