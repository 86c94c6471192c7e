/**
 * `sys/shares`: what is known of the key shares in force, whether one is among them, and drills, which prove that enough
 * of them are still there. A path of our own.
 */
import type { Drill, DrillResult, DrillStatus } from '../../../core/ceremonies/drill.ts'
import {
  checkShare,
  readKnownShares,
  type SharesParts,
} from '../../../core/ceremonies/share-checks.ts'
import type { Holder } from '../../../core/ceremonies/share-set.ts'
import { BadRequest } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'

const keyField = { key: string('One key share, in hex or base64.').default('') }
const givenFields = { ...keyField, nonce: string('The nonce of the drill.').default('') }

export function sharesPaths(node: { readonly parts: SharesParts; readonly drill: Drill }) {
  const { parts, drill } = node
  return [
    path('shares', {
      rootOnly: true,
      summary: 'What is known of the key shares in force, and the last drills',
      operations: { read: (request) => showShares(request, parts, drill) },
    }),
    path('shares/check', {
      rootOnly: true,
      summary: 'Whether a key share is one of those in force, and whose',
      description:
        'Looks at one share; nothing of it is kept, and it counts for no ceremony. The whole server looks at ten shares a minute.',
      fields: keyField,
      operations: { update: (request) => check(request, parts) },
    }),
    path('shares/drill', {
      rootOnly: true,
      summary: 'Begins, shows or ends a drill, which proves that enough key shares are there',
      operations: {
        read: async (request) => ({ data: shownDrill(await drill.status(momentOf(request))) }),
        update: {
          sudo: true,
          handler: async (request) => ({ data: shownDrill(await drill.start(momentOf(request))) }),
        },
        delete: { sudo: true, handler: (request) => drill.cancel(momentOf(request)) },
      },
    }),
    path('shares/drill/update', {
      rootOnly: true,
      summary: 'Gives one of the key shares to the drill; nothing is unsealed by it',
      fields: givenFields,
      operations: {
        async update(request: Request<typeof givenFields>): Promise<Response> {
          const after = await drill.update(momentOf(request), request.data)
          // The look at the share counts, so it is made durable before it is refused.
          if (after instanceof Error) return { afterwards: () => Promise.reject(after) }
          return { data: shownDrill(after) }
        },
      },
    }),
  ]
}

async function showShares(request: Request, parts: SharesParts, drill: Drill): Promise<Response> {
  const { config, set } = await readKnownShares(momentOf(request), parts)
  return {
    data: {
      n: config.shares,
      t: config.threshold,
      known: set !== undefined,
      made_time: set === undefined ? null : new Date(set.madeAtMs),
      holders: set?.shares.map(shownHolder) ?? [],
      drills: (await drill.results(momentOf(request))).map(shownResult),
    },
    warnings: set === undefined ? [UNKNOWN] : [],
  }
}

async function check(request: Request<typeof keyField>, parts: SharesParts): Promise<Response> {
  if (request.data.key === '') throw new BadRequest("'key' must be specified: one key share")
  const checked = await checkShare(momentOf(request), parts, request.data.key)
  if (checked.state === 'unknown') return { data: { state: 'unknown' }, warnings: [UNKNOWN] }
  if (checked.state === 'not in force') return { data: { state: 'not_in_force' } }
  return { data: { state: 'in_force', ...shownHolder(checked.holder) } }
}

const UNKNOWN =
  'Nothing is known of the key shares in force: they were made by a release that noted nothing of them. It is unknown until the next rekey.'

function shownHolder({ name, pgpFingerprint }: Holder) {
  return { holder: name, pgp_fingerprint: pgpFingerprint }
}

function shownDrill(status: DrillStatus): Record<string, unknown> {
  const { nonce, progress, required, holders, result } = status
  const started = result === undefined && nonce !== ''
  return {
    nonce,
    started,
    start_time: started ? new Date(status.startedAtMs) : null,
    progress,
    required,
    holders,
    ...(result !== undefined && { complete: true, passed: result.passed }),
  }
}

function shownResult(result: DrillResult): Record<string, unknown> {
  const { passed, threshold, shares, holders } = result
  return {
    passed,
    start_time: new Date(result.startedAtMs),
    end_time: new Date(result.endedAtMs),
    t: threshold,
    n: shares,
    holders,
  }
}

function momentOf({ storage, nowMs }: RequestBase) {
  return { root: storage, nowMs }
}
