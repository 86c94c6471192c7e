/**
 * Revokes tokens. The commit that revokes removes the token alone, so that it takes the same time for a tree of any
 * size: descendants are dead from that instant, for whoever is looked up follows its ancestors. What is left of them is
 * removed afterwards in pages, and goes on after a crash, because the same commit leaves a record of the work.
 */
import { cubbyholePrefix } from '../cubbyhole.ts'
import { CorruptRecord } from '../errors.ts'
import { tokenLeasePrefix } from '../leases/record.ts'
import { revokeSoonByRef } from '../leases/revoke.ts'
import { tokenEnded, type Witness } from '../own-work.ts'
import { listBelow } from '../store/deep.ts'
import type { View } from '../store/view.ts'
import { findStored } from './find.ts'
import {
  childKey,
  childPrefix,
  expiryKey,
  REVOCATION_PREFIX,
  revocationKey,
  revocationRecords,
  childRecords,
  serviceTokens,
  tokenKey,
  type ServiceToken,
} from './record.ts'

/** Changes that one step of the cleaning up makes at the most; a commit takes some more. */
const MAX_CHANGES = 1000
/** Revoked tokens that one step looks at; most have neither children nor secrets. */
const MAX_TOKENS = 500
/** Token, expiry, link and the note that its own children are to go. */
const CHANGES_PER_CHILD = 4
/** The lease, when it is due, and what led to it from the token. */
const CHANGES_PER_LEASE = 4

/** Revokes a token; its children with it, or (`orphans`) not. */
export function revokeToken(
  root: View,
  record: ServiceToken,
  { orphans = false }: { orphans?: boolean } = {},
): void {
  const { accessor, namespaceId, parent } = record
  root.delete(tokenKey(namespaceId, accessor))
  if (parent !== '') root.delete(childKey(parent, accessor))
  if (record.expiresAtMs !== null) root.delete(expiryKey(record.expiresAtMs, accessor))
  root.put(revocationRecords, revocationKey(accessor), { namespaceId, accessor, orphans })
}

/** The same of a token whose record cannot be read; its expiry is found to be of no token when its time comes. */
export function revokeUnread(root: View, namespaceId: string, accessor: string): void {
  root.delete(tokenKey(namespaceId, accessor))
  root.put(revocationRecords, revocationKey(accessor), { namespaceId, accessor, orphans: false })
}

/** One step of the cleaning up after revoked tokens, in a transaction of its own. @returns whether there is more to do */
export async function cleanUpRevoked(
  root: View,
  nowMs: number,
  witness: Witness,
): Promise<boolean> {
  let room = MAX_CHANGES
  const revoked = await root.list(REVOCATION_PREFIX, { limit: MAX_TOKENS })
  for (const accessor of revoked) {
    if (room <= CHANGES_PER_CHILD) return true
    room -= await cleanUpOne(root, accessor, { room, nowMs, witness })
  }
  // Children that were revoked on the way are due as well.
  return (await root.list(REVOCATION_PREFIX, { limit: 1 })).length > 0
}

interface Room {
  /** For so many changes. */
  readonly room: number
  readonly nowMs: number
  readonly witness: Witness
}

/** @returns the changes that it made, at most `room` */
async function cleanUpOne(
  root: View,
  accessor: string,
  { room, nowMs, witness }: Room,
): Promise<number> {
  const { report } = witness
  const pending = await readable(report, () => root.get(revocationRecords, revocationKey(accessor)))
  const most = Math.floor((room - 1) / CHANGES_PER_CHILD)
  const children = await root.list(childPrefix(accessor), { limit: most })
  for (const child of children) {
    await readable(report, () =>
      releaseChild(root, accessor, child, {
        orphans: pending?.orphans ?? false,
        tell: witness.tell,
      }),
    )
    root.delete(childKey(accessor, child))
  }
  let changes = children.length * CHANGES_PER_CHILD
  if (children.length === most) return changes
  const leases = await revokeLeases(root, accessor, {
    room: room - 1 - changes,
    nowMs,
    witness,
  })
  changes += leases.changes
  if (leases.more) return changes
  const left = room - 1 - changes
  const holder = cubbyholePrefix(accessor)
  const secrets = await listBelow(root, holder, { limit: left })
  for (const name of secrets) root.delete(holder + name)
  changes += secrets.length
  if (secrets.length === left) return changes
  root.delete(revocationKey(accessor))
  return changes + 1
}

/** Leaves what the token was given to the sweep. */
async function revokeLeases(
  root: View,
  accessor: string,
  { room, nowMs, witness }: Room,
): Promise<{ changes: number; more: boolean }> {
  const prefix = tokenLeasePrefix(accessor)
  const most = Math.floor(room / CHANGES_PER_LEASE)
  const names = most === 0 ? [] : await root.list(prefix, { limit: most })
  for (const name of names) {
    await readable(witness.report, () => revokeSoonByRef(root, prefix + name, nowMs))
    root.delete(prefix + name)
  }
  return { changes: names.length * CHANGES_PER_LEASE, more: names.length === most }
}

/** What was read, or `undefined` where the record is damaged. */
export async function readable<T>(
  report: (error: CorruptRecord) => void,
  read: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof CorruptRecord)) throw error
    report(error)
    return undefined
  }
}

async function releaseChild(
  root: View,
  parent: string,
  accessor: string,
  { orphans, tell }: { orphans: boolean; tell: Witness['tell'] },
) {
  const link = await root.get(childRecords, childKey(parent, accessor))
  const child =
    link === undefined ? undefined : await findStored({ root }, link.namespaceId, accessor)
  if (child !== undefined && orphans) {
    root.put(serviceTokens, tokenKey(child.namespaceId, accessor), {
      ...child,
      parent: '',
      parentNamespaceId: '',
    })
  } else if (child !== undefined) {
    revokeToken(root, child)
    tell(tokenEnded(child))
  }
}
