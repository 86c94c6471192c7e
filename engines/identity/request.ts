/** What the handlers of identity have in common. */
import { BadRequest } from '../../core/errors.ts'
import type { IdentityContext } from '../../core/identity/entities.ts'
import type { RequestBase } from '../../core/plugin/request.ts'
import { canonicalPolicyNames, ROOT_POLICY } from '../../core/policy/names.ts'

/** Of names that are listed, so that their keys fit. */
const MAX_NAME_BYTES = 256

export function contextOf({
  storage: root,
  namespace,
  nowMs,
  random,
}: RequestBase): IdentityContext {
  return { root, namespaceId: namespace.id, nowMs, random }
}

/** @throws {BadRequest} `root` is among them, in whatever spelling */
export function assignable(policies: readonly string[]): readonly string[] {
  const names = canonicalPolicyNames(policies, { addDefault: false })
  if (names.includes(ROOT_POLICY)) throw new BadRequest('policies cannot contain root')
  return names
}

/** @throws {BadRequest} the body names another object than the path */
export function demandSameId({ body }: RequestBase, id: string | undefined): void {
  const { id: named } = body
  if (typeof named !== 'string' || named === '' || named === id) return
  throw new BadRequest('the id in the body is not that of the path')
}

/** @throws {BadRequest} it cannot be the name of an entity or a group */
export function demandName(name: string): string {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new BadRequest(`the name is too long; at most ${MAX_NAME_BYTES} bytes`)
  }
  return name
}

/** What has no members is not there, as Go shows it. */
export function textsOrNull(
  texts: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | null {
  return Object.keys(texts).length === 0 ? null : texts
}
