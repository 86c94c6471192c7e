/** `auth/token/inventory` lists tokens by what is known of them: their accessors and facts, never the tokens. */
import { isLiving } from '../../../core/tokens/find.ts'
import { integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { roleOf } from '../../../core/tokens/filter.ts'
import { scanTokens, type ScannedPiece } from '../../../core/tokens/scan.ts'
import type { Unsealed } from '../engine.ts'
import { filterFields, filterOf } from '../filter-fields.ts'
import { demandRightsBelow } from '../rights-below.ts'
import { tokenFacts } from './lookup.ts'

/** Tokens that one answer shows, without and with `limit`. */
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000
/** Records that one request looks at, so that it takes no longer whatever the filter finds: some 50 ms. */
const MAX_EXAMINED = 2000

const fields = {
  ...filterFields,
  after: string('`next` of the answer before.').default('').inQuery(),
  limit: integer(`At most so many tokens, up to ${MAX_LIMIT}.`).default(DEFAULT_LIMIT).inQuery(),
}

export function inventoryPaths(unsealed: Unsealed) {
  return [
    path('inventory', {
      summary: 'Lists tokens by what is known of them',
      description:
        'Accessors and facts of the living service tokens of the namespace that meet all conditions, never the tokens themselves. A request looks at a bounded number of records: while the answer has `next`, there may be more, though it shows none. Batch tokens are stored nowhere, so no list has them.',
      sudo: true,
      fields,
      operations: { list: (request) => showTokens(request, unsealed()) },
      examples: [
        {
          summary: 'Tokens of the role deploy that live on for more than a day',
          operation: 'list',
          path: 'inventory',
          request: { role: 'deploy', expires_after: '24h' },
        },
      ],
    }),
  ]
}

async function showTokens(
  request: Request<typeof fields>,
  parts: ReturnType<Unsealed>,
): Promise<Response> {
  const { data, storage: root, nowMs } = request
  if (data.recursive) await demandRightsBelow(request, parts, 'list')
  const limit = data.limit > 0 ? Math.min(data.limit, MAX_LIMIT) : DEFAULT_LIMIT
  const { piece, warnings } = await scanLiving(request, { after: data.after, limit })
  const tokens = await Promise.all(
    piece.found.map(async (record) => {
      const { id: _none, ...facts } = await tokenFacts(root, record, '', nowMs)
      return { ...facts, role: roleOf(record) }
    }),
  )
  return {
    data: {
      keys: piece.found.map(({ accessor }) => accessor),
      tokens,
      examined: piece.examined,
      next: piece.next === '' ? undefined : piece.next,
    },
    warnings,
    // Nothing in this piece of the way is no 404: there may be more behind it.
    status: 200,
  }
}

/** A piece of the living tokens that meet the request's conditions. */
export async function scanLiving(
  request: Request<typeof filterFields>,
  { after, limit }: { after: string; limit: number },
): Promise<{ piece: ScannedPiece; warnings: string[] }> {
  const { storage: root, nowMs, namespace, data } = request
  const damaged: string[] = []
  const piece = await scanTokens(root, {
    span: { namespaceId: namespace.id, recursive: data.recursive },
    filter: await filterOf(request),
    after,
    maxExamined: MAX_EXAMINED,
    maxFound: limit,
    accept: (record) => isLiving({ root, nowMs }, record),
    report: ({ key }) => damaged.push(key),
  })
  const warnings = damaged.map((key) => `the record "${key}" is damaged: its token does not work`)
  if (data.type === 'batch') warnings.push(NO_BATCH)
  return { piece, warnings }
}

const NO_BATCH =
  'Batch tokens are stored nowhere: they can neither be listed nor counted. auth/token/inventory/revoke ends them all the same.'
