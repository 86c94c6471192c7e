/** `sys/wrapping/*`: wraps, shows, opens and wraps anew (contract: http.md, 9). */
import { BadRequest, PermissionDenied, RequestError } from '../../../core/errors.ts'
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../../core/json.ts'
import type { UnsealedParts } from '../../../core/pipeline.ts'
import { anything } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { findToken } from '../../../core/tokens/find.ts'
import { revokeToken } from '../../../core/tokens/revoke.ts'
import type { ServiceToken } from '../../../core/tokens/record.ts'
import { fromJwt } from '../../../core/wrapping/jwt.ts'
import { readWrapped, wrap } from '../../../core/wrapping/wrapping.ts'

const fields = { token: anything('Wrapping token; without it the calling one.') }
type WrappingRequest = Request<typeof fields>
type Unsealed = () => Pick<UnsealedParts, 'batch'>

export function wrappingPaths(unsealed: Unsealed) {
  const open = (request: WrappingRequest) => unwrap(request, unsealed())
  const anew = (request: WrappingRequest) => rewrap(request, unsealed())
  const show = (request: WrappingRequest) => lookup(request, unsealed())
  return [
    path('wrapping/wrap', {
      summary: 'Wraps what is sent',
      description: 'Answers a token that holds the body, for the time that X-Vault-Wrap-TTL says.',
      takesAnyField: true,
      operations: { update: wrapBody },
    }),
    path('wrapping/lookup', {
      summary: 'Shows what is known of a wrapping token, without using it up',
      unauthenticated: true,
      fields,
      operations: { read: show, update: show },
    }),
    path('wrapping/unwrap', {
      summary: 'Answers what a wrapping token holds, once',
      takesWrappingToken: true,
      fields,
      operations: { read: open, update: open },
    }),
    path('wrapping/rewrap', {
      summary: 'Puts what a wrapping token holds into a new one',
      takesWrappingToken: true,
      fields,
      operations: { update: anew },
    }),
    path('wrapping/pubkey', {
      summary: 'Not served, as in Vault',
      unauthenticated: true,
      operations: {
        read: () => {
          throw new RequestError(404, 'unsupported path')
        },
      },
    }),
  ]
}

function wrapBody({ body, wrapTtlSeconds }: Request): Response {
  if (wrapTtlSeconds === 0) throw new BadRequest('endpoint requires response wrapping to be used')
  return { data: body }
}

/** The wrapping token that the request is about: of the body, else the calling one. */
async function find(
  { storage: root, nowMs, data, clientToken }: WrappingRequest,
  { batch }: ReturnType<Unsealed>,
): Promise<{ record: ServiceToken | undefined; own: boolean }> {
  const calling = await fromJwt(root, nowMs, clientToken)
  const text = (await fromJwt(root, nowMs, tokenText(data.token))) || calling
  if (text === '') throw new PermissionDenied('error validating wrapping token: token is empty')
  const own = text === calling
  const record = await findToken({ root, nowMs, batch, running: own }, text)
  return { record: record?.type === 'service' ? record : undefined, own }
}

function tokenText(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw new PermissionDenied(
    'error validating wrapping token: could not decode token in request body',
  )
}

async function lookup(request: WrappingRequest, parts: ReturnType<Unsealed>): Promise<Response> {
  const { record } = await find(request, parts)
  const { info } = await readWrapped(request.storage, record)
  return { data: { ...info } }
}

async function unwrap(
  request: WrappingRequest,
  parts: ReturnType<Unsealed>,
): Promise<Response | undefined> {
  const { record, own } = await find(request, parts)
  const { response } = await readWrapped(request.storage, record)
  // The calling token goes with its last use; another one is used up here.
  if (record !== undefined && !own) revokeToken(request.storage, record)
  if (response === '') return undefined
  return {
    raw: { contentType: 'application/json', body: `${response}\n` },
    data: dataOf(response),
  }
}

/** For the audit log: the data within the envelope. */
function dataOf(response: string): JsonObject {
  const envelope = parseJson(response)
  const data = isJsonObject(envelope) ? envelope['data'] : undefined
  return isJsonObject(data) ? data : {}
}

async function rewrap(request: WrappingRequest, parts: ReturnType<Unsealed>): Promise<Response> {
  const { storage: root, nowMs, random, namespace } = request
  const { record, own } = await find(request, parts)
  const { response, info } = await readWrapped(root, record)
  if (record !== undefined && !own) revokeToken(root, record)
  const wrapInfo = await wrap(
    { root, nowMs, random, batch: parts.batch },
    {
      namespace,
      response,
      ttlSeconds: info.creation_ttl,
      format: 'token',
      creationPath: info.creation_path,
    },
  )
  return { wrapInfo }
}
