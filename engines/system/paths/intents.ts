/**
 * `sys/intents`, beyond Vault: what requests have begun outside of this server and did not finish. The server undoes it by
 * itself; an operator sees here what is open, why, and can have it tried at once or forgotten.
 */
import { rfc3339 } from '../../../core/clock.ts'
import { BadRequest } from '../../../core/errors.ts'
import { closeIntent, listIntents, undoSoon, type Intent } from '../../../core/effects/intents.ts'
import { findMountedOrRemoved } from '../../../core/mounts/removed.ts'
import type { MountServices } from '../../../core/mounts/services.ts'
import { pathOfNamespace } from '../../../core/namespaces.ts'
import { integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { RequestBase } from '../../../core/plugin/request.ts'

/** Intents that one answer shows. */
const MOST = 10_000
const id = string('Id of the request that began it.').matching('[0-9a-f-]{36}').required()

export function intentPaths(mounts: () => MountServices) {
  return [
    path('intents', {
      summary: 'Shows what requests have begun outside of this server and did not finish',
      description:
        'Each is undone by itself: when its request fails, when its time is over, and ten minutes later once more. "internal" data is never shown.',
      sudo: true,
      fields: {
        limit: integer(`At most so many. Default: ${MOST}.`).inQuery().default(MOST),
      },
      operations: {
        async read(request) {
          const found = await reachable(request, Math.min(request.data.limit, MOST))
          const intents = []
          for (const intent of found) intents.push(await shown(request, mounts(), intent))
          return { data: { intents } }
        },
      },
    }),
    path('intents/:id/retry', {
      summary: 'Has it undone now',
      sudo: true,
      fields: { id },
      operations: {
        async update(request) {
          await undoSoon(request.storage, await demandIntent(request), request.nowMs)
        },
      },
    }),
    path('intents/:id', {
      summary: 'Forgets it: what may be left of it outside, nobody undoes any more',
      sudo: true,
      fields: { id },
      operations: {
        async delete(request) {
          await closeIntent(request.storage, await demandIntent(request))
        },
      },
    }),
  ]
}

/** Those of the namespace and of the ones below it. */
async function reachable(request: RequestBase, limit: number): Promise<Intent[]> {
  const { storage: root, namespace } = request
  const found: Intent[] = []
  for (const intent of await listIntents(root, MOST)) {
    const at = await pathOfNamespace(root, intent.namespaceId)
    if (at?.startsWith(namespace.path)) found.push(intent)
    if (found.length >= limit) break
  }
  return found
}

async function demandIntent(
  request: RequestBase & { readonly data: { readonly id: string } },
): Promise<Intent> {
  const found = (await reachable(request, MOST)).find((intent) => intent.id === request.data.id)
  if (found === undefined) {
    throw new BadRequest('no open intent has this id; see sys/intents for those that are open')
  }
  if (found.attempts === 0 && found.dueAtMs > request.nowMs) {
    throw new BadRequest(
      'its request may still be on its way; it can be undone when its time is over (next_attempt)',
    )
  }
  return found
}

async function shown({ storage: root }: RequestBase, services: MountServices, intent: Intent) {
  const { namespaceId, mountUuid, attempts, undoneAtMs } = intent
  const mounted = await findMountedOrRemoved(root, services, namespaceId, mountUuid)
  return {
    id: intent.id,
    namespace: (await pathOfNamespace(root, namespaceId)) ?? '',
    path: intent.path,
    mount_accessor: mounted?.entry.accessor ?? '',
    mount_type: mounted?.entry.type ?? '',
    type: intent.type,
    accessor: intent.accessor,
    state: attempts === 0 ? 'open' : undoneAtMs === null ? 'failed' : 'undone',
    opened: rfc3339(intent.openedAtMs),
    next_attempt: rfc3339(intent.dueAtMs),
    undone: undoneAtMs === null ? null : rfc3339(undoneAtMs),
    attempts,
    error: intent.error,
  }
}
