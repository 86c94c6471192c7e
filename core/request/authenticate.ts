/** Who asks: the token, alive and used from an address that it is bound to. */
import { BlockList, isIPv6 } from 'node:net'
import { BadRequest, PermissionDenied } from '../errors.ts'
import type { OperationFacts } from '../plugin/path.ts'
import type { Caller } from '../plugin/request.ts'
import { findToken, type FindContext } from '../tokens/find.ts'
import { serviceTokens, tokenKey, type TokenRecord } from '../tokens/record.ts'
import { addCidr } from '../cidr.ts'
import { RESPONSE_WRAPPING_POLICY } from '../policy/names.ts'
import type { Incoming } from './incoming.ts'

/** The caller as the pipeline knows it. */
export interface Authenticated {
  readonly record: TokenRecord
  readonly caller: Caller
  /** This request is the token's last: it goes when the request is over. */
  readonly lastUse: boolean
  readonly isWrapping: boolean
}

export const INVALID_WRAPPING_TOKEN = 'wrapping token is not valid or does not exist'

/**
 * hot: finds the token and takes one of its uses.
 *
 * @param facts of the operation; `undefined`: there is no such operation, which only a valid token may learn
 * @returns `undefined` where none is needed
 * @throws {PermissionDenied} there is none, it is not alive, or may not be used from here
 */
export async function authenticate(
  context: FindContext,
  incoming: Incoming,
  facts: OperationFacts | undefined,
): Promise<Authenticated | undefined> {
  const optional = facts?.unauthenticated === true
  if (incoming.token === '') {
    if (optional) return undefined
    if (facts?.takesWrappingToken) {
      throw new PermissionDenied('error validating wrapping token: token is empty')
    }
    throw new PermissionDenied()
  }
  const record = await findToken(context, incoming.token)
  if (record === undefined || !isBoundTo(record, incoming.client.address)) {
    if (optional) return undefined
    if (facts?.takesWrappingToken) throw new BadRequest(INVALID_WRAPPING_TOKEN)
    throw new PermissionDenied()
  }
  const lastUse = !optional && takeUse(context, record)
  return { record, caller: callerOf(record), lastUse, isWrapping: isWrappingToken(record) }
}

/** Whether the token holds a wrapped answer: it has the policy for that, and no other. */
export function isWrappingToken({ policies }: Pick<TokenRecord, 'policies'>): boolean {
  return policies.length === 1 && policies[0] === RESPONSE_WRAPPING_POLICY
}

/** Uses left while the last request runs; nobody else finds the token alive then. */
const LAST_USE_RUNNING = -1

function takeUse({ root }: FindContext, record: TokenRecord): boolean {
  if (record.type !== 'service' || record.numUses === 0) return false
  const numUses = record.numUses > 1 ? record.numUses - 1 : LAST_USE_RUNNING
  root.put(serviceTokens, tokenKey(record.namespaceId, record.id), { ...record, numUses })
  return numUses === LAST_USE_RUNNING
}

const callers = new WeakMap<TokenRecord, Caller>()

function callerOf(record: TokenRecord): Caller {
  let caller = callers.get(record)
  if (caller === undefined) {
    caller = Object.freeze({
      tokenId: record.type === 'service' ? record.id : '',
      tokenType: record.type,
      accessor: record.type === 'service' ? record.accessor : '',
      policies: record.policies,
      displayName: record.displayName,
      entityId: record.entityId,
      namespaceId: record.namespaceId,
    })
    callers.set(record, caller)
  }
  return caller
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
  return address !== '' && block.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
