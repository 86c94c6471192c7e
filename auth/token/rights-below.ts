/** Whether the caller may do in all namespaces below what the request asks for in them too. */
import { PermissionDenied } from '../../core/errors.ts'
import { scanChildren } from '../../core/namespace/table.ts'
import type { RequestBase } from '../../core/plugin/request.ts'
import { aclOf } from '../../core/request/authorize.ts'
import { findToken } from '../../core/tokens/find.ts'
import type { Unsealed } from './engine.ts'

/**
 * Rights in a namespace are none in those below: with each of them the caller needs sudo and the capability at the same
 * path there. Root has them.
 *
 * @throws {PermissionDenied} it names the first namespace where they are missing
 */
export async function demandRightsBelow(
  { storage: root, nowMs, clientToken, mount, path, namespace }: RequestBase,
  { acls, batch }: ReturnType<Unsealed>,
  capability: 'list' | 'update',
): Promise<void> {
  const caller = await findToken({ root, nowMs, batch, running: true }, clientToken)
  const acl = caller && (await aclOf(root, acls, caller, nowMs))
  if (acl?.isRoot === true) return
  for (const below of await scanChildren(root, namespace.id)) {
    const names = acl?.capabilities(mount.path + path, below.path) ?? []
    if (names.includes('sudo') && names.includes(capability)) continue
    throw new PermissionDenied(
      `'recursive' needs sudo and ${capability} at this path in all namespaces below; they are missing in ${below.path}`,
    )
  }
}
