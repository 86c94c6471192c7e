/**
 * Does what a handler has to do outside of the storage. It was announced in the request's own commit; here it is done, once,
 * and a second commit stores what came of it and takes the announcement back. Whatever fails on the way, the announcement
 * stays and the timed duties undo it.
 */
import { openIntent, type Intent } from '../effects/intents.ts'
import { perform, type PerformParts } from '../effects/perform.ts'
import { PermissionDenied, RequestError } from '../errors.ts'
import { ownerOf } from '../leases/issue.ts'
import { mountPrefix } from '../mounts/record.ts'
import { mountByUuid } from '../mounts/table.ts'
import type { Effect } from '../plugin/effects.ts'
import type { Handled } from '../plugin/path.ts'
import type { Mount } from '../plugin/request.ts'
import type { Random } from '../random.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { View } from '../store/view.ts'
import { isTokenAlive } from '../tokens/find.ts'
import type { TokenRecord } from '../tokens/record.ts'
import type { Answer } from './exchange.ts'
import type { Route } from './route.ts'

/** An effect whose announcement is in a transaction, and what its answer will need. */
export interface Acting {
  readonly effect: Effect
  readonly intent: Intent
  readonly mount: Mount
  /** Who has to be there still when it is done; nobody, where this was a token's last use. */
  readonly owner: TokenRecord | undefined
  readonly warnings: readonly string[]
}

/** What has to be known of a request to announce its effect. */
export interface Announcement {
  /** Of the request. */
  readonly id: string
  readonly token: TokenRecord | undefined
  readonly lastUse: boolean
  readonly route: Route
  readonly mount: Mount
  readonly effect: Effect
  readonly warnings: readonly string[]
}

export interface ActParts extends PerformParts {
  readonly random: Random
}

/** Makes the answer of what a handler has concluded, in a transaction. */
type Finish = (context: { root: View; nowMs: number }, handled: Handled) => Awaitable<Answer>

/** Announces it, in the request's first transaction. */
export function announce(
  root: View,
  nowMs: number,
  { id, token, lastUse, route: { namespace, path }, mount, effect, warnings }: Announcement,
): Acting {
  const { type, internal } = effect
  const accessor = token?.type === 'service' ? token.accessor : ''
  const announced = { id, namespaceId: namespace.id, path, mountUuid: mount.uuid, type, internal }
  const intent = openIntent(root, { ...announced, accessor }, nowMs)
  return { effect, intent, mount, warnings, owner: lastUse ? undefined : token }
}

/** @throws it was not done, or is being undone */
export function act(parts: ActParts, acting: Acting, finish: Finish): Promise<Answer> {
  const { intent, mount, owner } = acting
  const { random } = parts
  return perform(parts, acting, async (root, nowMs, conclude) => {
    if ((await mountByUuid(root, intent.namespaceId, mount.uuid)) === undefined) {
      throw new RequestError(404, 'the mount was removed meanwhile, and so it was undone again')
    }
    if (!(await isStillThere(root, nowMs, owner))) throw new PermissionDenied()
    const storage = root.below(mountPrefix(mount.uuid))
    return finish({ root, nowMs }, await conclude({ storage, random, nowMs }))
  })
}

/** Who was revoked meanwhile may not be given a secret that nothing would take back. */
async function isStillThere(root: View, nowMs: number, owner: TokenRecord | undefined) {
  if (owner === undefined) return true
  const { accessor, namespaceId } = ownerOf(owner)
  return accessor === '' || isTokenAlive({ root, nowMs }, namespaceId, accessor)
}
