/** What is known of one request as it goes its way: what the audit log is told of it. */
import type { AuthFacts, RequestFacts } from '../audit/facts.ts'
import type { Identity } from '../identity/rights.ts'
import type { Decision } from '../policy/decision.ts'
import type { Caller } from '../plugin/request.ts'
import type { AuthAnswer, Response, Streamed, WrapInfo } from '../plugin/response.ts'
import type { TokenRecord } from '../tokens/record.ts'
import type { RequestError } from '../errors.ts'
import type { Incoming } from './incoming.ts'
import type { Route } from './route.ts'
import type { Operation } from '../plugin/path.ts'

export interface Exchange {
  readonly id: string
  readonly incoming: Incoming
  startedAtMs: number
  /** `update` becomes `create` where the object was not there. */
  operation: Operation
  route: Route | undefined
  token: TokenRecord | undefined
  identity: Identity | undefined
  caller: Caller | undefined
  decision: Decision | undefined
  /** The request entry stands in the audit log; later attempts do not repeat it. */
  requestAudited: boolean
  /** What both entries say, made once. */
  audited: { readonly auth: AuthFacts; readonly request: RequestFacts } | undefined
  answer: Answer | undefined
  error: RequestError | undefined
}

/** What the handler's response became. */
export interface Answer {
  readonly response: Response
  readonly auth: AuthAnswer | undefined
  readonly warnings: readonly string[]
  readonly wrapInfo: WrapInfo | undefined
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | Streamed
}

/** What an attempt found that met another writer: the next one finds it anew, and the log is told of that. */
export function forgetAttempt(exchange: Exchange): void {
  exchange.operation = exchange.incoming.operation
  exchange.route = undefined
  exchange.token = undefined
  exchange.identity = undefined
  exchange.caller = undefined
  exchange.decision = undefined
  exchange.audited = undefined
  exchange.answer = undefined
  exchange.error = undefined
}

export function newExchange(id: string, incoming: Incoming): Exchange {
  return {
    id,
    incoming,
    startedAtMs: 0,
    operation: incoming.operation,
    route: undefined,
    token: undefined,
    identity: undefined,
    caller: undefined,
    decision: undefined,
    requestAudited: false,
    audited: undefined,
    answer: undefined,
    error: undefined,
  }
}
