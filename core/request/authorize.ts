/** Whether the caller's policies allow the request. */
import { listed, PermissionDenied } from '../errors.ts'
import { identityOf, type Identity } from '../identity/rights.ts'
import { namespaceById, ROOT } from '../namespaces.ts'
import type { AclCache } from '../policies.ts'
import type { Acl } from '../policy/acl.ts'
import { DENIED, type Decision } from '../policy/decision.ts'
import type { Operation } from '../plugin/path.ts'
import type { View } from '../store/view.ts'
import type { TokenRecord } from '../tokens/record.ts'
import type { Incoming } from './incoming.ts'
import type { Route } from './route.ts'

/** hot: what the token may do, wherever. */
export async function aclOf(
  root: View,
  acls: AclCache,
  record: Pick<TokenRecord, 'namespaceId' | 'policies' | 'entityId'>,
  nowMs: number,
): Promise<Acl> {
  return aclOfIdentity(root, acls, record, await identityOf(root, record), nowMs)
}

/** hot. @param identity whose token it is */
export async function aclOfIdentity(
  root: View,
  acls: AclCache,
  record: Pick<TokenRecord, 'namespaceId' | 'policies'>,
  identity: Identity | undefined,
  nowMs: number,
): Promise<Acl> {
  const { namespaceId } = record
  const namespace = namespaceId === ROOT.id ? ROOT : await namespaceById(root, namespaceId)
  if (namespace === undefined) throw new PermissionDenied()
  return acls.acl(root, namespace, record.policies, nowMs, identity)
}

/** hot. @returns the decision, allowed or not */
export function decide(
  acl: Acl,
  incoming: Incoming,
  route: Route,
  { operation, needsSudo }: { operation: Operation; needsSudo: boolean },
): Decision {
  // No policy grants HEAD, and no engine answers it.
  if (operation === 'header' && !acl.isRoot) return DENIED
  return acl.check({
    operation: operation === 'header' ? 'read' : operation,
    namespacePath: route.namespace.path,
    path: route.path,
    data: incoming.body,
    wrapTtlSeconds: incoming.wrapTtlSeconds,
    needsSudo,
  })
}

/** @throws {PermissionDenied} */
export function demandAllowed(decision: Decision): void {
  if (!decision.allowed) throw new PermissionDenied(listed('permission denied'))
}
