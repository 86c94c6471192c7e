/**
 * The rate limits at the way in: asked before a request is read, and answering for it where they refuse it. One for each
 * node, for what clients have left is in its memory.
 */
import type { AuditBroker } from '../audit/broker.ts'
import { AuditFailed } from '../audit/failures.ts'
import { readAuditedHeaders, readAuditTable } from '../audit-records.ts'
import type { Clock } from '../clock.ts'
import type { CorruptRecord } from '../errors.ts'
import { parseBody, type BodyLimits } from '../http/body.ts'
import { withHeaders, type HttpRequest, type HttpResponse } from '../http/message.ts'
import type { Metrics } from '../metrics.ts'
import type { Registry } from '../mounts/registry.ts'
import { auditRequest } from '../request/audit.ts'
import { newExchange } from '../request/exchange.ts'
import { isOurs, renderError } from '../request/failure.ts'
import { readUnread } from '../request/incoming.ts'
import type { Store } from '../store/store.ts'
import type { Awaitable } from '../store/awaitable.ts'
import { Transaction } from '../store/transaction.ts'
import { View } from '../store/view.ts'
import { admit, someLimits, type Admission, type RateLimitExceeded } from './admit.ts'
import { RateLimiter } from './limiter.ts'
import type { RateLimitTable } from './table.ts'

export interface GateParts {
  readonly clock: Clock
  readonly registry: Registry
  readonly audit: AuditBroker
  readonly limits: BodyLimits
  readonly metrics: Metrics
  readonly unsealed: () => { readonly store: Store } | undefined
  readonly onFailure: (requestId: string, error: unknown) => void
}

/** What the limits say of a request. */
export interface Admitted {
  /** The answer, if it is refused. */
  readonly refusal: HttpResponse | undefined
  /** For the answer, if it is not. */
  readonly headers: HttpResponse['headers']
}

export class RateGate {
  readonly #parts: GateParts
  readonly #limiter = new RateLimiter()
  #damageReported = false

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  /** hot: `undefined`: there are none, or the barrier is closed. */
  limits(): Awaitable<RateLimitTable | undefined> {
    const root = this.#root()
    return root && someLimits(root, this.#reportDamage)
  }

  /** Counts a request. @param limits what `limits` gave */
  async admit(
    id: string,
    http: HttpRequest,
    limits: Awaitable<RateLimitTable | undefined>,
  ): Promise<Admitted | undefined> {
    const table = await limits
    const root = this.#root()
    if (table === undefined || root === undefined) return undefined
    const { clock, registry, limits: bodyLimits } = this.#parts
    const context = {
      root,
      registry,
      limiter: this.#limiter,
      nowMs: clock.monotonicMs(),
      async readBody() {
        await http.receive?.()
        return parseBody(http, bodyLimits)
      },
    }
    const admission = await admit(context, table, http)
    const { refused, headers } = admission
    if (refused === undefined) return { refusal: undefined, headers }
    return { refusal: await this.#turnAway(id, http, { ...admission, refused }), headers }
  }

  /** The audit log is told where that is asked for; that it cannot take it changes nothing (as in Vault). */
  async #turnAway(
    id: string,
    http: HttpRequest,
    { refused, headers, audited, route }: Admission & { readonly refused: RateLimitExceeded },
  ): Promise<HttpResponse> {
    this.#parts.metrics.rateLimited()
    try {
      if (audited)
        await this.#record({ ...newExchange(id, readUnread(http)), route, error: refused })
    } catch (error) {
      if (isOurs(error) || error instanceof AuditFailed) this.#parts.onFailure(id, error)
    }
    return withHeaders(renderError(refused), headers)
  }

  async #record(exchange: ReturnType<typeof newExchange>): Promise<void> {
    const root = this.#root()
    if (root === undefined) return
    const { audit, clock } = this.#parts
    audit.sync(await readAuditTable(root))
    exchange.startedAtMs = clock.nowMs()
    await auditRequest(audit, exchange, await readAuditedHeaders(root))
  }

  #root(): View | undefined {
    const store = this.#parts.unsealed()?.store
    return store && new View(new Transaction(store), '')
  }

  /** Once: every request meets it. */
  readonly #reportDamage = (error: CorruptRecord): void => {
    if (this.#damageReported) return
    this.#damageReported = true
    this.#parts.onFailure('any: nothing is limited', error)
  }
}
