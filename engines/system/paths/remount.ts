/** `sys/remount`: moves a mount, and tells afterwards that it was moved (contract: sys-auth.md, Mounts). */
import { z } from 'zod'
import { BadRequest } from '../../../core/errors.ts'
import { remount } from '../../../core/mounts/change.ts'
import type { Registry } from '../../../core/mounts/registry.ts'
import { namespacePrefix } from '../../../core/namespaces.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { kind } from '../../../core/store/kind.ts'

const fields = {
  from: string('Where it is.').default(''),
  to: string('Where it goes.').default(''),
}
const statusFields = { migration_id: string('Id of the move.').matching('[^/]+').default('') }

export function remountPaths(registry: () => Registry) {
  return [
    path('remount', {
      summary: 'Moves a mount with all that it holds',
      sudo: true,
      fields,
      operations: { update: (request) => move(request, registry()) },
    }),
    path('remount/status/:migration_id', {
      summary: 'How a move of the last day went',
      fields: statusFields,
      operations: { read: showMove },
    }),
  ]
}

/** A segment as the path of a request can have it. */
const SEGMENT = /^(?!\.{1,2}$)[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u
/** `sys/mounts/a/tune` is the tuning of `a`: a mount of that path could not be shown, nor removed. */
const READ_AS_TUNING = /.\/tune\/$/

export const moves = kind(
  'remounts',
  z
    .array(
      z.object({ id: z.string(), from: z.string(), to: z.string(), atMs: z.number() }).readonly(),
    )
    .readonly(),
)
export const movesKey = (namespaceId: string) => `${namespacePrefix(namespaceId)}remounts`
/** A move is told of for so long, as it is done when its answer comes. */
const KEPT_MS = 24 * 3600 * 1000
/** Moves of a namespace that are told of: the last ones. They are one record. */
const MAX_KEPT = 1000

async function move(request: Request<typeof fields>, registry: Registry): Promise<Response> {
  const { data, storage: root, namespace, random, nowMs } = request
  if (data.from === '' || data.to === '') {
    throw new BadRequest("both 'from' and 'to' path must be specified as a string")
  }
  const from = bare(data.from)
  const to = bare(data.to)
  demandReachable(to)
  await remount({ root, namespace, registry, random, nowMs }, from, to)
  const id = random.uuid()
  const before = (await root.get(moves, movesKey(namespace.id))) ?? []
  const kept = before.filter(({ atMs }) => atMs > nowMs - KEPT_MS).slice(1 - MAX_KEPT)
  root.put(moves, movesKey(namespace.id), [...kept, { id, from, to, atMs: nowMs }])
  return {
    data: { migration_id: id },
    warnings: ['The mount has been moved; its status can be read under the returned migration_id.'],
  }
}

function bare(given: string): string {
  return `${given.replaceAll(/^\/+|\/+$/g, '')}/`
}

/** @throws {BadRequest} no request could have the path, or it would be read as another one */
function demandReachable(to: string): void {
  if (
    !to
      .slice(0, -1)
      .split('/')
      .every((segment) => SEGMENT.test(segment))
  ) {
    throw new BadRequest(
      "'to' must be a path that a request can have: no empty segment, none of dots alone, nothing invisible",
    )
  }
  if (READ_AS_TUNING.test(to.replace(/^auth\//, ''))) {
    throw new BadRequest(
      '\'to\' must not end in the segment "tune": sys/mounts and sys/auth read it as the settings of the mount before it',
    )
  }
}

async function showMove({
  storage,
  namespace,
  nowMs,
  data,
}: Request<typeof statusFields>): Promise<Response | undefined> {
  const all = (await storage.get(moves, movesKey(namespace.id))) ?? []
  const found = all.find(({ id, atMs }) => id === data.migration_id && atMs > nowMs - KEPT_MS)
  if (found === undefined) return undefined
  return {
    data: {
      migration_id: found.id,
      migration_info: {
        source_mount: namespace.path + found.from,
        target_mount: namespace.path + found.to,
        status: 'success',
      },
    },
  }
}
