/**
 * Where a request goes and who asks, with what rights: what follows from stored records alone, and so is the same for
 * the same token and path until one of them changes. It is kept, for it is most of the work of a read.
 */
import type { AuditedHeaders } from '../audit/facts.ts'
import type { AuditTable } from '../audit/table.ts'
import { identityOf, type Identity } from '../identity/rights.ts'
import type { Registry } from '../mounts/registry.ts'
import { closedBy, demandOpen, namespaceById, ROOT } from '../namespaces.ts'
import type { OperationFacts } from '../plugin/path.ts'
import type { AclCache } from '../policies.ts'
import type { Acl } from '../policy/acl.ts'
import { Generations } from '../store/generations.ts'
import type { Read, Transaction } from '../store/transaction.ts'
import type { View } from '../store/view.ts'
import type { BatchCodec } from '../tokens/batch.ts'
import { BATCH_PREFIX, MAX_TOKEN_CHARACTERS, namespaceIdOf } from '../tokens/identifier.ts'
import type { TokenRecord } from '../tokens/record.ts'
import { fromJwt } from '../wrapping/jwt.ts'
import { findCaller, isWrappingToken } from './authenticate.ts'
import { aclOfIdentity } from './authorize.ts'
import { declaredOperation } from './handle.ts'
import type { Incoming } from './incoming.ts'
import { routeRequest, routeWithin, type Route } from './route.ts'

export interface Standing {
  readonly route: Route
  /** Of the operation, where it is declared. */
  readonly facts: OperationFacts | undefined
  readonly token: TokenRecord | undefined
  /** Who holds the token, where somebody is known to. */
  readonly identity: Identity | undefined
  /** `undefined`: the operation asks for no rights. */
  readonly acl: Acl | undefined
  /** Until when time alone changes nothing of it. */
  readonly untilMs: number
}

export interface StandingContext {
  readonly root: View
  readonly nowMs: number
  readonly registry: Registry
  readonly batch: BatchCodec
  readonly acls: AclCache
}

/** The route first: policies judge the canonical path, which only it knows. @throws {RequestError} */
export async function findStanding(
  context: StandingContext,
  incoming: Incoming,
  onRoute: (route: Route) => void,
): Promise<Standing> {
  const { root, nowMs, batch } = context
  const asked = await routeRequest(root, context.registry, incoming)
  onRoute(asked)
  demandOpen(asked)
  const facts = asOpened(declaredOperation(asked, incoming.operation), incoming)
  const text = facts?.takesWrappingToken
    ? await fromJwt(root, nowMs, incoming.token)
    : incoming.token
  const living = await findCaller({ root, nowMs, batch }, text, facts)
  const token = living?.record
  const about = facts && tokenOfPlace(facts, token, context, incoming)
  const route = await inNamespaceOf(about, asked, context, incoming)
  onRoute(route)
  demandOpen(route)
  const needsRights =
    token !== undefined &&
    incoming.operation !== 'help' &&
    !facts?.unauthenticated &&
    !(facts?.takesWrappingToken && isWrappingToken(token))
  const identity = needsRights ? await identityOf(root, token) : undefined
  const acl = needsRights
    ? await aclOfIdentity(root, context.acls, token, identity, nowMs)
    : undefined
  const untilMs = route.target?.instance.unavailable
    ? nowMs
    : Math.min(living?.untilMs ?? Infinity, acl?.expiresAtMs ?? Infinity)
  return { route, facts, token, identity, acl, untilMs }
}

/** An operation that the listener lets anybody do asks for no token and no rights there. */
function asOpened(
  facts: OperationFacts | undefined,
  { opened }: Incoming,
): OperationFacts | undefined {
  const isOpened = facts !== undefined && facts.openedBy !== '' && opened.includes(facts.openedBy)
  return isOpened ? { ...facts, unauthenticated: true, sudo: false } : facts
}

/** The token in whose namespace the operation happens, where it is not the one that the request names. */
function tokenOfPlace(
  { aboutCaller, aboutGivenToken }: OperationFacts,
  caller: TokenRecord | undefined,
  { batch }: StandingContext,
  { body }: Incoming,
): Pick<TokenRecord, 'namespaceId'> | undefined {
  if (aboutCaller) return caller
  if (!aboutGivenToken) return undefined
  const { token: given = '' } = body
  if (given === '') return caller
  if (typeof given !== 'string' || given.length > MAX_TOKEN_CHARACTERS) return undefined
  if (given.startsWith(BATCH_PREFIX)) return batch.decode(given)
  const namespaceId = namespaceIdOf(given)
  // One that names none may be of the root namespace, or no token at all.
  return namespaceId === undefined || namespaceId === ROOT.id ? undefined : { namespaceId }
}

/** The same path in the namespace of the token, whichever the request named. */
export async function inNamespaceOf(
  token: Pick<TokenRecord, 'namespaceId'> | undefined,
  asked: Route,
  { root, registry }: Pick<StandingContext, 'root' | 'registry'>,
  incoming: Pick<Incoming, 'operation'>,
): Promise<Route> {
  if (token === undefined || token.namespaceId === asked.namespace.id) return asked
  const namespace = await namespaceById(root, token.namespaceId)
  if (namespace === undefined) return asked
  const closed = await closedBy(root, namespace.id)
  const located = { namespace, path: asked.path, ...(closed !== undefined && { closed }) }
  return routeWithin(root, registry, incoming, located)
}

/** What is kept with a standing: the audit settings that were read before it. */
export interface Kept {
  readonly standing: Standing
  readonly auditTable: AuditTable
  readonly auditedHeaders: AuditedHeaders
  readonly reads: readonly Read[]
}

/** Pairs of token and path whose standing is kept. */
const MAX_KEPT = 8192
/** Longer ones are not: anybody may send such, and they are no more than some. */
const MAX_KEY_CHARACTERS = 1024
const one = () => 1

export class Standings {
  readonly #kept = new Generations<Kept>(MAX_KEPT)

  /** hot: the standing of such a request, if it still holds; the transaction then has read what it follows from. */
  find(incoming: Incoming, transaction: Transaction, nowMs: number): Kept | undefined {
    const kept = this.#kept.get(keyOf(incoming), one)
    if (kept === undefined || kept.standing.untilMs <= nowMs) return undefined
    return transaction.adopt(kept.reads) ? kept : undefined
  }

  keep(incoming: Incoming, kept: Kept): void {
    // Its place follows from the body, which the key does not hold.
    if (kept.standing.facts?.aboutGivenToken) return
    const key = keyOf(incoming)
    if (key.length <= MAX_KEY_CHARACTERS) this.#kept.set(key, kept, 1)
  }
}

function keyOf({ token, namespace, operation, path, opened }: Incoming): string {
  const key = `${operation}\n${path}\n${token}\n${namespace ?? ''}`
  return opened.length === 0 ? key : `${key}\n${opened.join()}`
}
