/**
 * The way of a request, from its HTTP form to its answer: what the design draws, in that order. One attempt is one
 * transaction; when it meets another writer it starts again.
 */
import { StorageUnavailable } from '../storage/contract.ts'
import type { AuditBroker } from './audit/broker.ts'
import type { AuditedHeaders } from './audit/facts.ts'
import { AuditFailed } from './audit/failures.ts'
import { readAuditedHeaders, readAuditTable } from './audit-records.ts'
import type { Clock } from './clock.ts'
import { assert, BadRequest, Sealed, TooManyConflicts } from './errors.ts'
import type { BodyLimits } from './http/body.ts'
import { withHeaders, withNamespace, type HttpRequest, type HttpResponse } from './http/message.ts'
import type { InFlight } from './in-flight.ts'
import type { Metrics } from './metrics.ts'
import type { LocalMounts } from './mounts/local.ts'
import type { SystemTtl } from './mounts/mount.ts'
import type { Registry } from './mounts/registry.ts'
import type { AclCache } from './policies.ts'
import type { Handled } from './plugin/path.ts'
import type { Mount } from './plugin/request.ts'
import { demandRoom } from './quota/count-leases.ts'
import { RateGate, type Admitted } from './quota/gate.ts'
import type { Random } from './random.ts'
import { act, announce, type Acting } from './request/act.ts'
import { Arrivals } from './request/arrivals.ts'
import { auditRequest, auditResponse } from './request/audit.ts'
import { authenticate } from './request/authenticate.ts'
import { decide, demandAllowed } from './request/authorize.ts'
import { forgetAttempt, newExchange, type Answer, type Exchange } from './request/exchange.ts'
import { asRequestError, isOurs, renderError } from './request/failure.ts'
import { filterKeys } from './request/filter-keys.ts'
import { finish } from './request/finish.ts'
import { answerHelp } from './request/help.ts'
import { bind, demandOperation, type Bound, type HandleContext } from './request/handle.ts'
import { header, readRequest } from './request/incoming.ts'
import type { Target } from './request/route.ts'
import { findStanding, type Kept, type Standing, type Standings } from './request/standing.ts'
import type { Store } from './store/store.ts'
import type { Awaitable } from './store/awaitable.ts'
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
  readonly metrics: Metrics
  readonly inFlight: InFlight
}

/** What there is only while the barrier is open. */
export interface UnsealedParts {
  readonly store: Store
  readonly batch: BatchCodec
  readonly acls: AclCache
  readonly standings: Standings
  readonly locals: LocalMounts
}

/** What is measured of a request: from when on. */
interface Span {
  fromMs: number
}

/** What one attempt works with. */
interface Attempt {
  readonly exchange: Exchange
  readonly parts: UnsealedParts
  readonly transaction: Transaction
  readonly root: View
  readonly nowMs: number
  /** What is to be done outside, once its announcement is durable. */
  acting: Acting | undefined
  /** Set before anything can fail. */
  auditedHeaders: AuditedHeaders | undefined
  lastUse: boolean
}

export class Pipeline {
  readonly #parts: PipelineParts
  readonly #turns = new Turns()
  readonly #arrivals: Arrivals
  readonly #gate: RateGate

  constructor(parts: PipelineParts) {
    this.#parts = parts
    this.#arrivals = new Arrivals(() => this.#refresh())
    this.#gate = new RateGate(parts)
  }

  /** hot: answers a request below `/v1/`. */
  async handle(http: HttpRequest): Promise<HttpResponse> {
    const { random, clock, metrics, inFlight } = this.#parts
    const id = random.uuid()
    const span = { fromMs: clock.monotonicMs() }
    const slot = inFlight.begin(id, http, clock.nowMs())
    let response: HttpResponse
    try {
      response = await this.#enter(id, http, span)
    } catch (error) {
      response = this.#failed(id, error)
    } finally {
      inFlight.end(slot)
    }
    metrics.observe(http.method, clock.monotonicMs() - span.fromMs)
    const namespace = header(http, 'x-vault-namespace')
    return namespace === undefined ? response : withNamespace(response, namespace)
  }

  /** A body that has not come yet is waited for after the rate limits, where there are some. */
  async #enter(id: string, http: HttpRequest, span: Span): Promise<HttpResponse> {
    const hasToCome = http.receive !== undefined
    const bodyLast = hasToCome && this.#gate.limits() !== undefined
    if (hasToCome && !bodyLast) await this.#receive(http, span)
    await this.#arrivals.join()
    const limits = this.#gate.limits()
    const admitted = limits === undefined ? undefined : await this.#gate.admit(id, http, limits)
    if (admitted?.refusal !== undefined) return admitted.refusal
    if (bodyLast) {
      await this.#receive(http, span)
      await this.#arrivals.join()
    }
    if (admitted === undefined) return this.#run(id, http)
    const response = await this.#run(id, http).catch((error: unknown) => this.#failed(id, error))
    return withHeaders(response, admitted.headers)
  }

  /** How fast a client sends says nothing about how fast it is answered. */
  async #receive(http: HttpRequest, span: Span): Promise<void> {
    await http.receive?.()
    span.fromMs = this.#parts.clock.monotonicMs()
  }

  async #run(id: string, http: HttpRequest): Promise<HttpResponse> {
    const exchange = newExchange(id, readRequest(http, this.#parts.limits))
    const first = await this.#attempt(exchange)
    return 'conflict' in first ? this.#tryAgain(exchange, first) : first
  }

  /**
   * For requests that do not come through `handle`. Where the storage cannot be read, they are not limited: they ask how
   * the server is.
   *
   * @returns `undefined`: no limit says anything of it
   */
  async admit(http: HttpRequest): Promise<Admitted | undefined> {
    try {
      this.#refresh()
      const limits = this.#gate.limits()
      return limits && (await this.#gate.admit(this.#parts.random.uuid(), http, limits))
    } catch (error) {
      if (error instanceof StorageUnavailable) return undefined
      throw error
    }
  }

  async #tryAgain(exchange: Exchange, first: Conflict): Promise<HttpResponse> {
    let done = await this.#turns.take(first.conflict)
    try {
      for (let attempt = 2; attempt <= MAX_ATTEMPTS; attempt++) {
        if (attempt > ATTEMPTS_AT_ONCE) await this.#pause()
        this.#refresh()
        const answer = await this.#attempt(exchange)
        if (!('conflict' in answer)) return answer
        done()
        done = await this.#turns.take(answer.conflict)
      }
    } finally {
      done()
    }
    throw new TooManyConflicts()
  }

  /** One transaction. */
  async #attempt(exchange: Exchange): Promise<HttpResponse | Conflict> {
    const attempt = this.#begin(exchange)
    const { transaction } = attempt
    try {
      const standing = await this.#stand(attempt)
      const bound = this.#authenticate(attempt, standing)
      await this.#authorize(attempt, standing, bound)
      await this.#recordRequest(attempt)
      exchange.answer = await this.#handle(attempt, standing, bound)
    } catch (error) {
      transaction.rollback()
      attempt.acting = undefined
      await this.#refuse(attempt, error)
    }
    if (attempt.lastUse && exchange.token?.type === 'service') {
      revokeToken(attempt.root, exchange.token)
    }
    const conflict = await transaction.commit()
    if (conflict !== undefined) return conflict
    if (attempt.acting !== undefined) await this.#act(attempt, attempt.acting)
    if (exchange.answer?.response.afterwards !== undefined) await this.#afterwards(exchange)
    await this.#recordResponse(attempt)
    const { answer, error } = exchange
    return error !== undefined || answer === undefined ? renderError(asRequestError(error)) : answer
  }

  /** Takes in what others have committed, which may be that all nodes are sealed. */
  #refresh(): void {
    this.#parts.unsealed()?.store.cache.refresh()
  }

  #begin(exchange: Exchange): Attempt {
    const parts = this.#parts.unsealed()
    if (parts === undefined) throw new Sealed()
    const transaction = new Transaction(parts.store)
    const nowMs = this.#parts.clock.nowMs()
    exchange.startedAtMs = nowMs
    if (exchange.requestAudited) forgetAttempt(exchange)
    return {
      exchange,
      parts,
      transaction,
      root: new View(transaction, ''),
      nowMs,
      acting: undefined,
      auditedHeaders: undefined,
      lastUse: false,
    }
  }

  /** Route, token and rights: kept from an earlier request, or found. */
  async #stand(attempt: Attempt): Promise<Standing> {
    const { exchange, parts, transaction, root, nowMs } = attempt
    const { incoming } = exchange
    const known = parts.standings.find(incoming, transaction, nowMs)
    if (known !== undefined) return this.#use(attempt, known)
    const auditTable = await readAuditTable(root)
    const auditedHeaders = await readAuditedHeaders(root)
    this.#parts.audit.sync(auditTable)
    attempt.auditedHeaders = auditedHeaders
    const { registry } = this.#parts
    const context = { root, nowMs, registry, batch: parts.batch, acls: parts.acls }
    const standing = await findStanding(context, incoming, (route) => (exchange.route = route))
    const kept = { standing, auditTable, auditedHeaders, reads: transaction.reads() }
    parts.standings.keep(incoming, kept)
    return this.#use(attempt, kept)
  }

  #use(attempt: Attempt, { standing, auditTable, auditedHeaders }: Kept): Standing {
    this.#parts.audit.sync(auditTable)
    attempt.auditedHeaders = auditedHeaders
    attempt.exchange.route = standing.route
    attempt.exchange.token = standing.token
    attempt.exchange.identity = standing.identity
    return standing
  }

  /** Takes a use of the token. @returns the request with its data typed, where that is needed to judge it */
  #authenticate(attempt: Attempt, { route, facts, token }: Standing): Bound | undefined {
    const { exchange, transaction, root } = attempt
    const { incoming } = exchange
    const authenticated = token && authenticate(root, token, incoming, facts)
    exchange.token = authenticated?.record
    exchange.caller = authenticated?.caller
    attempt.lastUse = authenticated?.lastUse ?? false
    // What is written until here, the use of the token, is kept whatever becomes of the request.
    if (transaction.writes) transaction.mark()
    const judged = route.target?.match?.path.tellsCreate && incoming.operation === 'update'
    return judged ? bind(this.#context(attempt), incoming, route, exchange.caller) : undefined
  }

  async #authorize(
    { exchange }: Attempt,
    { route, facts, acl }: Standing,
    bound: Bound | undefined,
  ): Promise<void> {
    const { incoming } = exchange
    const creates = bound !== undefined && !(await bound.prepared.exists())
    exchange.operation = creates ? 'create' : incoming.operation
    if (acl === undefined) return
    const { operation } = exchange
    exchange.decision = decide(acl, incoming, route, { operation, needsSudo: facts?.sudo ?? false })
    demandAllowed(exchange.decision)
  }

  /** What the route found wrong is said now, after the policies have allowed to know it. */
  async #handle(
    attempt: Attempt,
    { route, acl }: Standing,
    bound: Bound | undefined,
  ): Promise<Answer | undefined> {
    const { exchange, root, nowMs } = attempt
    const { operation, decision } = exchange
    if (operation === 'help') return answerHelp(route)
    const { target } = demandOperation(route, operation)
    const { prepared, mount, warnings } =
      bound ?? bind(this.#context(attempt), withLimit(exchange), route, exchange.caller)
    const answered = await prepared.run(operation)
    if (answered?.effect !== undefined) {
      const { effect } = answered
      if (effect.leased) {
        const { namespace, path } = route
        const origin = { namespaceId: namespace.id, mountUuid: mount.uuid, mountPath: mount.path }
        await demandRoom(root, { ...origin, path })
      }
      attempt.acting = announce(root, nowMs, {
        id: exchange.id,
        token: exchange.token,
        lastUse: attempt.lastUse,
        route,
        mount,
        effect,
        warnings,
      })
      return undefined
    }
    const filter = acl !== undefined && decision?.listFilter !== undefined
    const handled = filter ? filterKeys(answered, acl, decision, route) : answered
    return this.#finish(attempt, { target, mount, handled, warnings })
  }

  #finish(
    { exchange, parts, root, nowMs, lastUse }: FinishContext,
    { target, mount, handled, warnings }: Finished,
  ): Awaitable<Answer> {
    const { incoming, operation, token, route } = exchange
    assert(operation !== 'help' && route !== undefined, 'what was handled has a route')
    if (lastUse && handled?.secret !== undefined) throw new BadRequest(LAST_USE_LEASED)
    return finish({
      context: { root, nowMs, random: this.#parts.random, batch: parts.batch },
      requestId: exchange.id,
      operation,
      namespace: route.namespace,
      path: route.path,
      entry: target.entry,
      mount,
      token,
      handled,
      warnings,
      wrapTtlSeconds: incoming.wrapTtlSeconds,
      wrapFormat: incoming.wrapFormat,
    })
  }

  #context({ exchange, parts, root, nowMs }: Attempt): HandleContext {
    const { random, systemTtl } = this.#parts
    return { root, requestId: exchange.id, nowMs, random, systemTtl, locals: parts.locals }
  }

  #recordRequest({ exchange, auditedHeaders }: Attempt): Awaitable<void> {
    if (exchange.requestAudited || auditedHeaders === undefined) return undefined
    exchange.requestAudited = true
    return auditRequest(this.#parts.audit, exchange, auditedHeaders)
  }

  #recordResponse({ exchange, auditedHeaders }: Attempt): Awaitable<void> {
    if (auditedHeaders === undefined) return undefined
    const { audit, clock } = this.#parts
    return auditResponse(audit, exchange, auditedHeaders, clock.nowMs())
  }

  /** Keeps why the request fails, which the audit log is told before the client. */
  async #refuse(attempt: Attempt, error: unknown): Promise<void> {
    const { exchange } = attempt
    if (error instanceof AuditFailed) throw error
    if (isOurs(error)) this.#parts.onFailure(exchange.id, error)
    exchange.error = asRequestError(error)
    await this.#recordRequest(attempt)
  }

  /** Does what was announced, and stores what came of it; else it will be undone. */
  async #act(attempt: Attempt, acting: Acting): Promise<void> {
    const { exchange, parts, lastUse } = attempt
    const { clock, random } = this.#parts
    const onFailure = (error: unknown) => this.#parts.onFailure(exchange.id, error)
    try {
      exchange.answer = await act(
        { ...parts, clock, random, onFailure },
        acting,
        (context, handled) => {
          const target = exchange.route?.target
          assert(target !== undefined, 'what was done has a route')
          const { mount, warnings } = acting
          const finishing = { ...context, exchange, parts, lastUse }
          return this.#finish(finishing, { target, mount, handled, warnings })
        },
      )
    } catch (error) {
      if (isOurs(error)) onFailure(error)
      exchange.error = asRequestError(error)
    }
  }

  /** What a handler does beyond the transaction, once that is durable. */
  async #afterwards(exchange: Exchange): Promise<void> {
    if (exchange.error !== undefined) return
    try {
      await exchange.answer?.response.afterwards?.()
    } catch (error) {
      if (isOurs(error)) this.#parts.onFailure(exchange.id, error)
      exchange.error = asRequestError(error)
    }
  }

  #failed(id: string, error: unknown): HttpResponse {
    if (error instanceof AuditFailed) this.#parts.metrics.auditFailed()
    if (isOurs(error)) {
      this.#parts.metrics.failed()
      this.#parts.onFailure(id, error)
    }
    return renderError(asRequestError(error))
  }

  async #pause(): Promise<void> {
    const { clock, random } = this.#parts
    const share = random.bytes(1).readUInt8() / 255
    await new Promise<void>((resolve) => clock.after(share * MAX_PAUSE_MS, resolve))
  }
}

const LAST_USE_LEASED =
  'Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.'

type FinishContext = Pick<Attempt, 'exchange' | 'parts' | 'root' | 'nowMs' | 'lastUse'>

/** What a handler has answered, and where. */
interface Finished {
  readonly target: Target
  readonly mount: Mount
  readonly handled: Handled
  readonly warnings: readonly string[]
}

/** The page size that the policy allows, where it bounds it. */
function withLimit({ incoming, decision }: Exchange): Exchange['incoming'] {
  if (decision?.limit === undefined) return incoming
  return { ...incoming, body: { ...incoming.body, limit: decision.limit } }
}
