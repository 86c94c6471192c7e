/** `sys/capabilities` and its like: what a token may do on which paths. */
import { BadRequest, listed } from '../../../core/errors.ts'
import type { UnsealedParts } from '../../../core/pipeline.ts'
import { list, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { aclOf } from '../../../core/request/authorize.ts'
import { findByAccessor, findToken } from '../../../core/tokens/find.ts'
import type { TokenRecord } from '../../../core/tokens/record.ts'

const paths = {
  paths: list('Paths, relative to the namespace.').default([]),
  path: list('Old name of `paths`.').default([]).deprecated(),
}
const byToken = { ...paths, token: string('Token.').default('') }
const byAccessor = { ...paths, accessor: string('Accessor of the token.').default('') }
type Unsealed = () => Pick<UnsealedParts, 'acls' | 'batch'>

export function capabilityPaths(unsealed: Unsealed) {
  return [
    path('capabilities', {
      summary: 'What a token may do on which paths',
      fields: byToken,
      operations: {
        async update(request) {
          demandPaths(request)
          const { data, storage: root, nowMs } = request
          if (data.token === '') throw new BadRequest(listed('no token found'))
          const record = await findToken({ root, nowMs, ...unsealed() }, data.token)
          if (record === undefined) throw new BadRequest(listed('invalid token'))
          return answer(request, unsealed(), record)
        },
      },
    }),
    path('capabilities-self', {
      summary: 'What the calling token may do on which paths',
      fields: paths,
      operations: {
        async update(request) {
          demandPaths(request)
          const { storage: root, nowMs, clientToken } = request
          const context = { root, nowMs, ...unsealed(), running: true }
          const record = await findToken(context, clientToken)
          if (record === undefined) throw new BadRequest(listed('invalid token'))
          return answer(request, unsealed(), record)
        },
      },
    }),
    path('capabilities-accessor', {
      summary: 'What the token with an accessor may do on which paths',
      fields: byAccessor,
      operations: {
        async update(request) {
          demandPaths(request)
          const { data, storage: root, nowMs, namespace } = request
          if (data.accessor === '') throw new BadRequest('missing accessor')
          const context = { root, nowMs, ...unsealed() }
          const record = await findByAccessor(context, data.accessor, namespace)
          if (record === undefined) throw new BadRequest(listed('invalid accessor'))
          return answer(request, unsealed(), record)
        },
      },
    }),
  ]
}

type PathsRequest = Request<typeof paths>

function asked({ data }: PathsRequest): readonly string[] {
  return data.paths.length > 0 ? data.paths : data.path
}

function demandPaths(request: PathsRequest): void {
  if (asked(request).length === 0) throw new BadRequest('paths must be supplied')
}

async function answer(
  request: PathsRequest,
  { acls }: ReturnType<Unsealed>,
  record: TokenRecord,
): Promise<Response> {
  const { storage, namespace, nowMs } = request
  const acl = await aclOf(storage, acls, record, nowMs)
  const wanted = asked(request)
  const each = wanted.map((one): [string, readonly string[]] => [
    one,
    acl.capabilities(one, namespace.path),
  ])
  const [only] = each
  if (each.length === 1 && only !== undefined) each.push(['capabilities', only[1]])
  return { data: Object.fromEntries(each) }
}
