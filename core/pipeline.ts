/**
 * The way of a request, from its HTTP form to its answer: what the design draws, in that order. One attempt is one
 * transaction; when it meets another writer it starts again.
 */
import type { AuditBroker } from './audit/broker.ts'
import type { AuditedHeaders } from './audit/facts.ts'
import { AuditFailed } from './audit/failures.ts'
import { readAuditedHeaders, readAuditTable } from './audit-records.ts'
import type { Clock } from './clock.ts'
import { Sealed, TooManyConflicts } from './errors.ts'
import type { BodyLimits } from './http/body.ts'
import type { HttpRequest, HttpResponse } from './http/message.ts'
import type { SystemTtl } from './mounts/mount.ts'
import type { Registry } from './mounts/registry.ts'
import { renderHelp } from './plugin/help.ts'
import type { AclCache } from './policies.ts'
import type { Random } from './random.ts'
import { auditRequest, auditResponse } from './request/audit.ts'
import { authenticate } from './request/authenticate.ts'
import { aclOf, decide, demandAllowed } from './request/authorize.ts'
import { newExchange, type Exchange } from './request/exchange.ts'
import { asRequestError, isOurs, renderError } from './request/failure.ts'
import { filterKeys } from './request/filter-keys.ts'
import { finish } from './request/finish.ts'
import { bind, declaredOperation, demandOperation, type HandleContext } from './request/handle.ts'
import { header, readRequest } from './request/incoming.ts'
import { routeRequest } from './request/route.ts'
import type { Store } from './store/store.ts'
import { Transaction, type Conflict } from './store/transaction.ts'
import { Turns } from './store/turns.ts'
import { View } from './store/view.ts'
import type { BatchCodec } from './tokens/batch.ts'
import { revokeToken } from './tokens/revoke.ts'

/** Times that a request is run before it is given up; the first few at once, then after a pause. */
const MAX_ATTEMPTS = 10
const ATTEMPTS_AT_ONCE = 3
/** The longest pause before an attempt. */
const MAX_PAUSE_MS = 20

export interface PipelineParts {
  readonly clock: Clock
  readonly random: Random
  readonly registry: Registry
  readonly audit: AuditBroker
  readonly systemTtl: SystemTtl
  readonly limits: BodyLimits
  /** What an unsealed node has; `undefined` while it is sealed. */
  readonly unsealed: () => UnsealedParts | undefined
  /** Told of each failure that is not the client's. */
  readonly onFailure: (requestId: string, error: unknown) => void
}

/** What there is only while the barrier is open. */
export interface UnsealedParts {
  readonly store: Store
  readonly batch: BatchCodec
  readonly acls: AclCache
}

/** What one attempt works with. */
interface Attempt {
  readonly exchange: Exchange
  readonly parts: UnsealedParts
  readonly transaction: Transaction
  readonly root: View
  readonly nowMs: number
  readonly auditedHeaders: AuditedHeaders
  lastUse: boolean
}

export class Pipeline {
  readonly #parts: PipelineParts
  readonly #turns = new Turns()

  constructor(parts: PipelineParts) {
    this.#parts = parts
  }

  /** hot: answers a request below `/v1/`. */
  async handle(http: HttpRequest): Promise<HttpResponse> {
    const id = this.#parts.random.uuid()
    const answer = await this.#answer(id, http)
    const namespace = header(http, 'x-vault-namespace')
    if (namespace === undefined) return answer
    return { ...answer, headers: { ...answer.headers, 'X-Vault-Namespace': namespace } }
  }

  async #answer(id: string, http: HttpRequest): Promise<HttpResponse> {
    try {
      const exchange = newExchange(id, readRequest(http, this.#parts.limits))
      return await this.#serve(exchange)
    } catch (error) {
      return this.#failed(id, error)
    }
  }

  async #serve(exchange: Exchange): Promise<HttpResponse> {
    let done = (): void => undefined
    try {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const answer = await this.#attempt(exchange)
        if ('status' in answer) return answer
        done()
        done = await this.#turns.take(answer.conflict)
        if (attempt >= ATTEMPTS_AT_ONCE) await this.#pause()
      }
    } finally {
      done()
    }
    throw new TooManyConflicts()
  }

  /** One transaction. */
  async #attempt(exchange: Exchange): Promise<HttpResponse | Conflict> {
    const { clock, audit } = this.#parts
    const attempt = await this.#begin(exchange)
    const { transaction } = attempt
    try {
      const handled = await this.#judge(attempt)
      await this.#recordRequest(attempt)
      exchange.answer = await handled()
    } catch (error) {
      transaction.rollback()
      await this.#refuse(attempt, error)
    }
    if (attempt.lastUse && exchange.token?.type === 'service') {
      revokeToken(attempt.root, exchange.token)
    }
    const conflict = await transaction.commit()
    if (conflict !== undefined) return conflict
    await this.#afterwards(exchange)
    await auditResponse(audit, exchange, attempt.auditedHeaders, clock.nowMs())
    const { answer, error } = exchange
    if (error !== undefined || answer === undefined) return renderError(asRequestError(error))
    return { status: answer.status, headers: answer.headers, body: answer.body }
  }

  async #begin(exchange: Exchange): Promise<Attempt> {
    const parts = this.#parts.unsealed()
    if (parts === undefined) throw new Sealed()
    parts.store.cache.refresh()
    // What changed may have been that another node sealed all.
    if (this.#parts.unsealed() !== parts) throw new Sealed()
    const transaction = new Transaction(parts.store)
    const root = new View(transaction, '')
    const nowMs = this.#parts.clock.nowMs()
    exchange.startedAtMs = nowMs
    exchange.answer = undefined
    exchange.error = undefined
    this.#parts.audit.sync(await readAuditTable(root))
    const auditedHeaders = await readAuditedHeaders(root)
    return { exchange, parts, transaction, root, nowMs, auditedHeaders, lastUse: false }
  }

  /**
   * Route, authenticate, authorize, in this order, because policies judge the canonical path that only the route
   * knows. What the route found wrong is said after the policies have allowed to know it.
   *
   * @returns what is left to do
   */
  async #judge(attempt: Attempt): Promise<() => Promise<Exchange['answer']>> {
    const { exchange, root, nowMs } = attempt
    const { batch, acls } = attempt.parts
    const { incoming } = exchange
    const route = await routeRequest(root, this.#parts.registry, incoming)
    exchange.route = route
    const facts = declaredOperation(route, incoming.operation)
    const authenticated = await authenticate({ root, nowMs, batch }, incoming, facts)
    exchange.token = authenticated?.record
    attempt.lastUse = authenticated?.lastUse ?? false
    // What is written until here, the use of the token, is kept whatever becomes of the request.
    attempt.transaction.mark()
    if (incoming.operation === 'help') return async () => renderHelp(exchange.id, route)
    const byWrapping = facts?.takesWrappingToken && authenticated?.isWrapping
    const acl =
      authenticated && !facts?.unauthenticated && !byWrapping
        ? await aclOf(root, acls, authenticated.record, nowMs)
        : undefined
    const bound =
      route.target?.match?.path.tellsCreate && incoming.operation === 'update'
        ? bind(this.#context(attempt), incoming, route, authenticated?.caller)
        : undefined
    const operation = bound !== undefined && !(await bound.prepared.exists()) ? 'create' : incoming.operation
    exchange.operation = operation
    if (acl !== undefined) {
      const needsSudo = facts?.sudo ?? false
      exchange.decision = decide(acl, incoming, route, { operation, needsSudo })
      demandAllowed(exchange.decision)
    }
    return async () => {
      const { target } = demandOperation(route, operation)
      const context = this.#context(attempt)
      const limited = withLimit(exchange)
      const { prepared, mount, warnings } =
        bound ?? bind(context, limited, route, authenticated?.caller)
      const answered = await prepared.run(operation)
      const { decision } = exchange
      const handled = acl && decision ? filterKeys(answered, acl, decision, route) : answered
      return finish({
        context: { root, nowMs, random: context.random, batch },
        requestId: exchange.id,
        operation,
        namespace: route.namespace,
        path: route.path,
        entry: target.entry,
        mount,
        handled,
        warnings,
        wrapTtlSeconds: incoming.wrapTtlSeconds,
        wrapFormat: incoming.wrapFormat,
      })
    }
  }

  #context({ exchange, root, nowMs }: Attempt): HandleContext {
    const { random, systemTtl } = this.#parts
    return { root, requestId: exchange.id, nowMs, random, systemTtl }
  }

  async #recordRequest({ exchange, auditedHeaders }: Attempt): Promise<void> {
    if (exchange.requestAudited) return
    await auditRequest(this.#parts.audit, exchange, auditedHeaders)
    exchange.requestAudited = true
  }

  /** Keeps why the request fails, which the audit log is told before the client. */
  async #refuse(attempt: Attempt, error: unknown): Promise<void> {
    const { exchange } = attempt
    if (error instanceof AuditFailed) throw error
    if (isOurs(error)) this.#parts.onFailure(exchange.id, error)
    exchange.error = asRequestError(error)
    await this.#recordRequest(attempt)
  }

  /** What a handler does beyond the transaction, once that is durable. */
  async #afterwards(exchange: Exchange): Promise<void> {
    const act = exchange.answer?.response.afterwards
    if (act === undefined || exchange.error !== undefined) return
    try {
      await act()
    } catch (error) {
      if (isOurs(error)) this.#parts.onFailure(exchange.id, error)
      exchange.error = asRequestError(error)
    }
  }

  #failed(id: string, error: unknown): HttpResponse {
    if (isOurs(error)) this.#parts.onFailure(id, error)
    return renderError(asRequestError(error))
  }

  async #pause(): Promise<void> {
    const { clock, random } = this.#parts
    const share = random.bytes(1).readUInt8() / 255
    await new Promise<void>((resolve) => clock.after(share * MAX_PAUSE_MS, resolve))
  }
}

/** The page size that the policy allows, where it bounds it. */
function withLimit({ incoming, decision }: Exchange): Exchange['incoming'] {
  if (decision?.limit === undefined) return incoming
  return { ...incoming, body: { ...incoming.body, limit: decision.limit } }
}
