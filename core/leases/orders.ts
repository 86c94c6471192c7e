/**
 * Orders to revoke all that lies under a path: the secrets that were given out there, and the tokens that were made there.
 * The order is one record, so that it is kept or not, however much it is about; it is carried out in pages, by who gave it
 * or by the timed duties, and goes on after a crash.
 */
import { z } from 'zod'
import { listBelow } from '../store/deep.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { serviceTokens, tokenKey, tokenPrefix } from '../tokens/record.ts'
import { revokeToken } from '../tokens/revoke.ts'
import { leaseKey, leasePrefix, leaseRecords } from './record.ts'
import { revokeSoon } from './revoke.ts'

const orderSchema = z
  .object({
    id: z.string(),
    namespaceId: z.string(),
    /** Without a trailing '/'. */
    prefix: z.string(),
    /** A lease that cannot be undone is forgotten. */
    force: z.boolean(),
    /** It is about what was there then. */
    givenAtMs: z.number(),
    /** Which part is being carried out, and how far. */
    part: z.enum(['leases', 'tokens']),
    upTo: z.string(),
  })
  .readonly()

export type RevocationOrder = z.infer<typeof orderSchema>
const orders = kind('revocation-order', orderSchema)
const ORDER_PREFIX = 'revocation-order/'

/** Leases or tokens that one step looks at; each takes up to four changes of a commit. */
const PAGE = 200

export function giveOrder(
  root: View,
  given: Pick<RevocationOrder, 'id' | 'namespaceId' | 'prefix' | 'force' | 'givenAtMs'>,
): RevocationOrder {
  const order: RevocationOrder = { ...given, part: 'leases', upTo: '' }
  root.put(orders, ORDER_PREFIX + order.id, order)
  return order
}

/** One step of one order. @returns whether there is more to do */
export async function carryOut(root: View, nowMs: number, id: string): Promise<boolean> {
  const order = await root.get(orders, ORDER_PREFIX + id)
  if (order === undefined) return false
  const last = await (order.part === 'leases' ? markLeases : revokeTokens)(root, order, nowMs)
  if (last !== undefined) root.put(orders, ORDER_PREFIX + id, { ...order, upTo: last })
  else if (order.part === 'tokens') root.delete(ORDER_PREFIX + id)
  else root.put(orders, ORDER_PREFIX + id, { ...order, part: 'tokens', upTo: '' })
  return true
}

/** One step of the oldest order. @returns whether there is more to do */
export async function carryOutNext(root: View, nowMs: number): Promise<boolean> {
  const [id] = await root.list(ORDER_PREFIX, { limit: 1 })
  return id !== undefined && carryOut(root, nowMs, id)
}

/** @returns how far it came; `undefined`: to the end */
async function markLeases(
  root: View,
  { namespaceId, prefix, givenAtMs, force, upTo }: RevocationOrder,
  nowMs: number,
): Promise<string | undefined> {
  const folder = `${leasePrefix(namespaceId)}${prefix}/`
  const names = await listBelow(root, folder, { after: upTo, limit: PAGE })
  for (const name of names) {
    const id = `${prefix}/${name}`
    const lease = await root.get(leaseRecords, leaseKey({ namespaceId, id }))
    if (lease !== undefined && lease.issuedAtMs <= givenAtMs) {
      revokeSoon(root, lease, nowMs, { force })
    }
  }
  return names.at(-1)
}

async function revokeTokens(
  root: View,
  { namespaceId, prefix, givenAtMs, upTo }: RevocationOrder,
): Promise<string | undefined> {
  const accessors = await root.list(tokenPrefix(namespaceId), { after: upTo, limit: PAGE })
  for (const accessor of accessors) {
    const token = await root.get(serviceTokens, tokenKey(namespaceId, accessor))
    const isMeant =
      token !== undefined &&
      `${token.path}/`.startsWith(`${prefix}/`) &&
      token.createdAtMs <= givenAtMs
    // A root token that never ends has no lease.
    if (isMeant && token.expiresAtMs !== null) revokeToken(root, token)
  }
  return accessors.at(-1)
}
