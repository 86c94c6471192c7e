/**
 * Revokes tokens. The commit that revokes removes the token alone, so that it takes the same time for a tree of any
 * size: descendants are dead from that instant, for whoever is looked up follows its ancestors. What is left of them is
 * removed afterwards in pages, and goes on after a crash, because the same commit leaves a record of the work.
 */
import { cubbyholePrefix } from '../cubbyhole.ts'
import type { View } from '../store/view.ts'
import { findStored } from './find.ts'
import {
  accessorKey,
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

/** Records that one step of the cleaning up removes, about; a commit takes some more than twice as many changes. */
const PAGE = 200

/** Revokes a token; its children with it, or (`orphans`) not. */
export function revokeToken(
  root: View,
  record: ServiceToken,
  { orphans = false }: { orphans?: boolean } = {},
): void {
  const { id, namespaceId, parentId } = record
  root.delete(tokenKey(namespaceId, id))
  root.delete(accessorKey(namespaceId, record.accessor))
  if (parentId !== '') root.delete(childKey(parentId, id))
  if (record.expiresAtMs !== null) root.delete(expiryKey(record.expiresAtMs, id))
  root.put(revocationRecords, revocationKey(id), { namespaceId, tokenId: id, orphans })
}

/** Identifiers of revoked tokens that something is left of. */
export function pendingRevocations(root: View, limit: number): Promise<string[]> {
  return root.list(REVOCATION_PREFIX, { limit })
}

/**
 * One step of the cleaning up after a revoked token, in a transaction of its own.
 *
 * @returns whether it is done
 */
export async function cleanUpRevoked(root: View, id: string): Promise<boolean> {
  const pending = await root.get(revocationRecords, revocationKey(id))
  if (pending === undefined) return true
  const children = await root.list(childPrefix(id), { limit: PAGE })
  for (const child of children) await releaseChild(root, id, child, pending.orphans)
  const secrets = await listDeep(root, cubbyholePrefix(id), PAGE)
  for (const key of secrets) root.delete(key)
  const done = children.length < PAGE && secrets.length < PAGE
  if (done) root.delete(revocationKey(id))
  return done
}

async function releaseChild(root: View, parentId: string, id: string, orphans: boolean) {
  const link = await root.get(childRecords, childKey(parentId, id))
  const child = link === undefined ? undefined : await findStored({ root }, link.namespaceId, id)
  if (child !== undefined && orphans) {
    root.put(serviceTokens, tokenKey(child.namespaceId, id), {
      ...child,
      parentId: '',
      parentNamespaceId: '',
    })
  } else if (child !== undefined) {
    revokeToken(root, child)
  }
  root.delete(childKey(parentId, id))
}

/** Keys of records anywhere below a prefix, up to a limit. */
export async function listDeep(root: View, prefix: string, limit: number): Promise<string[]> {
  const found: string[] = []
  for (const name of await root.list(prefix, { limit })) {
    if (!name.endsWith('/')) found.push(prefix + name)
    else found.push(...(await listDeep(root, prefix + name, limit - found.length)))
    if (found.length >= limit) break
  }
  return found
}
