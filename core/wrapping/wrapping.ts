/**
 * Response wrapping: an answer is kept in the cubbyhole of a new token of one use, and the client gets that token
 * instead (contract: http.md, 9).
 */
import { z } from 'zod'
import { rfc3339 } from '../clock.ts'
import { cubbyholePrefix } from '../cubbyhole.ts'
import { BadRequest } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Namespace } from '../plugin/request.ts'
import type { WrapInfo } from '../plugin/response.ts'
import { INVALID_WRAPPING_TOKEN, isWrappingToken } from '../request/authenticate.ts'
import { RESPONSE_WRAPPING_POLICY } from '../policy/names.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { asJwt } from './jwt.ts'
import { issueServiceToken, type IssueContext } from '../tokens/issue.ts'
import type { ServiceToken } from '../tokens/record.ts'

/** What a cubbyhole holds: any object. Its own engine reads and writes the same kind. */
export const cubbyholeRecords = kind('cubbyhole', z.custom<JsonObject>(isJsonObject))

/** The wrapped answer, and what is known of the wrapping. */
export interface Wrapped {
  /** The JSON text of the answer; empty where there was none. */
  readonly response: string
  readonly info: WrappedInfo
}

export interface WrappedInfo {
  readonly creation_ttl: number
  readonly creation_time: string
  readonly creation_path: string
}

export interface WrapInput {
  readonly namespace: Namespace
  /** The answer as it would have been sent. */
  readonly response: string
  readonly ttlSeconds: number
  /** `jwt`: the token is put into a signed JWT. */
  readonly format: 'token' | 'jwt'
  readonly creationPath: string
  readonly wrappedAccessor?: string | undefined
}

/** Keeps the answer, in the transaction of the request that made it. */
export async function wrap(context: IssueContext, input: WrapInput): Promise<WrapInfo> {
  const ttl = input.ttlSeconds
  const { token, record } = await issueServiceToken(context, {
    type: 'service',
    namespace: input.namespace,
    policies: [RESPONSE_WRAPPING_POLICY],
    path: input.creationPath,
    displayName: '',
    meta: null,
    parent: undefined,
    entityId: '',
    boundCidrs: [],
    numUses: 1,
    ttlSeconds: ttl,
    maxTtlSeconds: 0,
    explicitMaxTtlSeconds: ttl,
    periodSeconds: 0,
    renewable: false,
    noDefaultPolicy: true,
    internal: {},
    mount: { uuid: '', defaultTtlSeconds: ttl, maxTtlSeconds: ttl },
  })
  const { accessor } = record
  const creationTime = rfc3339(context.nowMs)
  const info: JsonObject = {
    creation_ttl: ttl,
    creation_time: creationTime,
    creation_path: input.creationPath,
  }
  const holder = context.root.below(cubbyholePrefix(accessor))
  holder.put(cubbyholeRecords, 'response', { response: input.response })
  holder.put(cubbyholeRecords, 'wrapinfo', info)
  return {
    token: input.format === 'jwt' ? await asJwt(context, token, record) : token,
    accessor,
    ttl,
    creation_time: creationTime,
    creation_path: input.creationPath,
    ...(input.wrappedAccessor !== undefined && { wrapped_accessor: input.wrappedAccessor }),
  }
}

/** What a wrapping token holds. @throws {BadRequest} it is no wrapping token */
export async function readWrapped(root: View, record: ServiceToken | undefined): Promise<Wrapped> {
  if (record === undefined || !isWrappingToken(record)) throw new BadRequest(INVALID_WRAPPING_TOKEN)
  const holder = root.below(cubbyholePrefix(record.accessor))
  const kept = await holder.get(cubbyholeRecords, 'response')
  const info = wrappedInfo.safeParse(await holder.get(cubbyholeRecords, 'wrapinfo'))
  const response = kept?.['response']
  if (typeof response !== 'string' || !info.success) throw new BadRequest(INVALID_WRAPPING_TOKEN)
  return { response, info: info.data }
}

const wrappedInfo = z.object({
  creation_ttl: z.number(),
  creation_time: z.string(),
  creation_path: z.string(),
})
