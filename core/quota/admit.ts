/**
 * Whether a request is let in: asked before its token, its body or anything else of it is looked at, so that what is
 * refused costs next to nothing.
 */
import { CorruptRecord, NotFound, RequestError } from '../errors.ts'
import type { HttpRequest } from '../http/message.ts'
import type { JsonObject } from '../json.ts'
import { mountPrefix } from '../mounts/record.ts'
import type { Registry } from '../mounts/registry.ts'
import { locate, ROOT, type Located } from '../namespaces.ts'
import { routeWithin, type Route } from '../request/route.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { View } from '../store/view.ts'
import type { RateLimiter, Verdict } from './limiter.ts'
import { quotaRecords, QUOTAS_KEY, type Quotas, type RateLimit } from './record.ts'
import { rateLimitTable, type RateLimitTable } from './table.ts'

/** 429: the client made more requests than a rate limit allows. */
export class RateLimitExceeded extends RequestError {
  override readonly name = 'RateLimitExceeded'
  /** @param path as it was sent, below `/v1/` */
  constructor(path: string) {
    super(429, `request path "${path}": rate limit quota exceeded`)
  }
}

/** What came of it. */
export interface Admission {
  /** `undefined`: the request is let in. */
  readonly refused: RateLimitExceeded | undefined
  /** For the answer, whatever it is. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether the audit log is told of a refusal, and where the request would have gone. */
  readonly audited: boolean
  readonly route: Route
}

/** What of a request is known before its body. */
export type RequestHead = Pick<HttpRequest, 'method' | 'path' | 'headers' | 'client'>

export interface AdmitParts {
  readonly root: View
  readonly registry: Registry
  readonly limiter: RateLimiter
  /** On the monotonic clock. */
  readonly nowMs: number
  /** The fields of the body: only a limit on roles of logins asks for them. */
  readonly readBody: () => Promise<JsonObject>
}

const API_PREFIX = '/v1/'

/**
 * hot: the rate limits of the server; `undefined`: it has none.
 *
 * @param report told that their record is damaged: then nothing is limited, for else nothing would be answered
 */
export function someLimits(
  root: View,
  report: (error: CorruptRecord) => void,
): Awaitable<RateLimitTable | undefined> {
  const quotas = root.get(quotaRecords, QUOTAS_KEY)
  if (!(quotas instanceof Promise)) return limiting(quotas)
  return quotas.then(limiting, (error: unknown) => {
    if (!(error instanceof CorruptRecord)) throw error
    report(error)
    return undefined
  })
}

function limiting(quotas: Quotas | undefined): RateLimitTable | undefined {
  return quotas === undefined || quotas.rateLimits.length === 0 ? undefined : rateLimitTable(quotas)
}

/** Counts a request. */
export async function admit(
  parts: AdmitParts,
  table: RateLimitTable,
  head: RequestHead,
): Promise<Admission> {
  const { limiter, nowMs } = parts
  const route = await routeOf(parts, table, head)
  const { auditRefused: audited, responseHeaders } = table.settings
  const rule = table.isExempt(route.path) ? undefined : await ruleOf(parts, table, route)
  if (rule === undefined) return { refused: undefined, headers: NO_HEADERS, audited, route }
  const verdict = limiter.take(rule, head.client.address, nowMs)
  const headers = responseHeaders ? headersOf(verdict) : NO_HEADERS
  const path = head.path.slice(API_PREFIX.length)
  const refused = verdict.allowed ? undefined : new RateLimitExceeded(path)
  return { refused, headers, audited, route }
}

const NO_HEADERS: Readonly<Record<string, string>> = {}

function headersOf(verdict: Verdict): Record<string, string> {
  return {
    'X-Ratelimit-Limit': String(verdict.limit),
    'X-Ratelimit-Remaining': String(verdict.remaining),
    'X-Ratelimit-Reset': String(verdict.resetSeconds),
    ...(!verdict.allowed && { 'Retry-After': String(verdict.retryAfterSeconds) }),
  }
}

/** The path in the form that policies judge: no other spelling of it gets round a limit. */
async function routeOf(
  { root, registry }: AdmitParts,
  table: RateLimitTable,
  { method, path, headers }: RequestHead,
): Promise<Route> {
  const header = headers['x-vault-namespace']
  const named = typeof header === 'object' ? header[0] : header
  const located = await locateOrRoot(root, named ?? '', path.slice(API_PREFIX.length))
  if (!table.asksForMount) return { ...located, target: undefined }
  const operation = method === 'LIST' ? 'list' : method === 'SCAN' ? 'scan' : 'read'
  return routeWithin(root, registry, { operation }, located)
}

/** Whoever names a namespace that is none counts in the root one. */
async function locateOrRoot(root: View, named: string, path: string): Promise<Located> {
  try {
    return await locate(root, named, path)
  } catch (error) {
    if (error instanceof NotFound) return { namespace: ROOT, path }
    throw error
  }
}

async function ruleOf(
  parts: AdmitParts,
  table: RateLimitTable,
  route: Route,
): Promise<RateLimit | undefined> {
  const { namespace, path, target } = route
  const mountUuid = target?.entry.uuid ?? ''
  return table.limits.find(parts.root, {
    namespaceId: namespace.id,
    mountUuid,
    suffix: path.slice(target?.entry.path.length ?? 0).replace(/\/$/, ''),
    role: table.asksForRole(mountUuid) ? await roleOf(parts, route) : '',
  })
}

/** As which role somebody logs in; empty: it is no login, or none that can be read. */
async function roleOf({ root, readBody }: AdmitParts, { target }: Route): Promise<string> {
  const loginRole = target?.instance.plugin.loginRole
  if (target?.match === undefined || loginRole === undefined) return ''
  const storage = root.below(mountPrefix(target.entry.uuid))
  try {
    return (await loginRole({ storage, path: target.match.canonical, readBody })) ?? ''
  } catch (error) {
    if (error instanceof RequestError) return ''
    throw error
  }
}
