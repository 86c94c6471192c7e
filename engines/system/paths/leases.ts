/** `sys/leases`: secrets that end, looked up, renewed, revoked (contract: sys-auth.md, Leases; http.md, 11). */
import { rfc3339 } from '../../../core/clock.ts'
import { BadRequest } from '../../../core/errors.ts'
import { findLease, isAlive } from '../../../core/leases/find.ts'
import { leaseAnswer } from '../../../core/leases/issue.ts'
import { giveOrder } from '../../../core/leases/orders.ts'
import { leasePrefix, type Lease } from '../../../core/leases/record.ts'
import { renewLease } from '../../../core/leases/renew.ts'
import { revokeSoon } from '../../../core/leases/revoke.ts'
import type { Revoker } from '../../../core/leases/revoker.ts'
import type { MountServices } from '../../../core/mounts/services.ts'
import type { UnsealedParts } from '../../../core/pipeline.ts'
import { boolean, duration, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { findByAccessor } from '../../../core/tokens/find.ts'
import { accessorOfLease, listTokenLeases, tokenLeaseId } from '../../../core/tokens/lease-id.ts'
import type { ServiceToken } from '../../../core/tokens/record.ts'
import { revokeToken } from '../../../core/tokens/revoke.ts'

export interface LeaseParts {
  readonly unsealed: () => UnsealedParts
  readonly mounts: () => MountServices
  readonly revoker: () => Revoker
}

const leaseId = string('Id of the lease.').default('')
const urlLeaseId = string('Id of the lease, in the path.').default('')
const sync = boolean('Answer only when it is revoked; false: as soon as it is sure to be.').default(
  true,
)
const prefix = string(
  'Beginning of the ids: the paths that the secrets or tokens came from.',
).default('')

export function leasePaths(parts: LeaseParts) {
  return [
    path('leases/lookup', {
      summary: 'Shows a lease',
      fields: {
        lease_id: leaseId,
        after: string('Only names that sort after this one.').inQuery(),
        limit: integer('At most so many names.').inQuery(),
      },
      operations: {
        update: (request) => lookup(request, request.data.lease_id, parts),
        list: {
          sudo: true,
          summary: 'Lists the paths that leases came from',
          handler: (request) => list(request, '', parts),
        },
      },
    }),
    path('leases/lookup/:prefix*', {
      summary: 'Lists leases, and the paths that they came from',
      sudo: true,
      fields: {
        prefix,
        after: string('Only names that sort after this one.').inQuery(),
        limit: integer('At most so many names.').inQuery(),
      },
      operations: { list: (request) => list(request, request.data.prefix, parts) },
    }),
    path(['leases/renew', 'leases/renew/:url_lease_id*', 'renew', 'renew/:url_lease_id*'], {
      summary: 'Renews a lease',
      fields: {
        lease_id: leaseId,
        url_lease_id: urlLeaseId,
        increment: duration('Span from now that is asked for.').default(0),
      },
      operations: {
        update: (request) => renew(request, idOf(request.data), request.data.increment, parts),
      },
    }),
    path(['leases/revoke', 'leases/revoke/:url_lease_id*', 'revoke', 'revoke/:url_lease_id*'], {
      summary: 'Revokes a lease',
      fields: { lease_id: leaseId, url_lease_id: urlLeaseId, sync },
      operations: {
        update: (request) => revoke(request, idOf(request.data), request.data.sync, parts),
      },
    }),
    path(['leases/revoke-prefix/:prefix*', 'revoke-prefix/:prefix*'], {
      summary: 'Revokes all secrets and tokens that came from a path',
      sudo: true,
      fields: { prefix, sync },
      operations: {
        update: (request) => revokeBelow(request, parts, { ...request.data, force: false }),
      },
    }),
    path(['leases/revoke-force/:prefix*', 'revoke-force/:prefix*'], {
      summary:
        'Revokes all secrets and tokens that came from a path, and forgets those that cannot be',
      description:
        'For secrets whose system is gone for good: what cannot be revoked there is forgotten here, and may live on there.',
      sudo: true,
      fields: { prefix },
      operations: {
        update: (request) =>
          revokeBelow(request, parts, { ...request.data, sync: true, force: true }),
      },
    }),
    path('leases/tidy', {
      summary: 'Does nothing: there is nothing to tidy',
      description:
        'A lease and all that leads to it are written and removed together. Kept for scripts that call it.',
      operations: { update: () => ({ status: 202, data: null, warnings: [TIDY_STARTED] }) },
    }),
  ]
}

const TIDY_STARTED =
  'Tidy operation successfully started. Any information from the operation will be printed to the server logs.'

/** @throws {BadRequest} */
function idOf(data: { readonly lease_id: string; readonly url_lease_id: string }): string {
  const id = data.lease_id || data.url_lease_id
  if (id === '') throw new BadRequest('lease_id must be specified')
  return id
}

/** What an id leads to: a secret's lease, or a token. */
type Found = { readonly lease: Lease } | { readonly token: ServiceToken } | undefined

async function find(request: RequestBase, id: string, parts: LeaseParts): Promise<Found> {
  const { storage: root, nowMs, namespace } = request
  const lease = await findLease(root, id, namespace)
  if (lease !== undefined) return { lease }
  const accessor = accessorOfLease(id)
  const token =
    accessor && (await findByAccessor({ root, nowMs, ...parts.unsealed() }, accessor, namespace))
  return token && token.expiresAtMs !== null && tokenLeaseId(token) === id ? { token } : undefined
}

async function lookup(request: RequestBase, id: string, parts: LeaseParts): Promise<Response> {
  if (id === '') throw new BadRequest('lease_id must be specified')
  const { storage: root, nowMs } = request
  const found = await find(request, id, parts)
  if (found !== undefined && 'token' in found) return { data: tokenFacts(found.token, nowMs) }
  // One that nobody could revoke is shown until somebody decides.
  const isShown =
    found !== undefined && (isFailing(found.lease) || (await isAlive({ root, nowMs }, found.lease)))
  if (!isShown) throw new BadRequest('invalid lease')
  return { data: leaseFacts(found.lease, nowMs) }
}

function isFailing({ revocation }: Lease): boolean {
  return revocation !== null && revocation.error !== ''
}

function leaseFacts(lease: Lease, nowMs: number): Record<string, unknown> {
  const { id, path: from, issuedAtMs, expiresAtMs, lastRenewalAtMs, renewable, revocation } = lease
  return {
    id,
    issue_time: rfc3339(issuedAtMs),
    expire_time: rfc3339(expiresAtMs),
    last_renewal: lastRenewalAtMs === null ? null : rfc3339(lastRenewalAtMs),
    path: from,
    renewable: renewable && revocation === null,
    ttl: Math.floor((expiresAtMs - nowMs) / 1000),
    ...(revocation !== null && revocation.error !== '' && { revoke_error: revocation.error }),
  }
}

function tokenFacts(token: ServiceToken, nowMs: number): Record<string, unknown> {
  const { createdAtMs, expiresAtMs, lastRenewalAtMs, renewable, path: from } = token
  return {
    id: tokenLeaseId(token),
    issue_time: rfc3339(createdAtMs),
    expire_time: expiresAtMs === null ? null : rfc3339(expiresAtMs),
    last_renewal: lastRenewalAtMs === null ? null : rfc3339(lastRenewalAtMs),
    path: from,
    renewable,
    ttl: expiresAtMs === null ? 0 : Math.floor((expiresAtMs - nowMs) / 1000),
  }
}

async function list(
  { storage: root, namespace, data }: Request<{ after: typeof AFTER; limit: typeof LIMIT }>,
  given: string,
  parts: LeaseParts,
): Promise<Response> {
  const folder = given === '' || given.endsWith('/') ? given : `${given}/`
  const after = data.after === undefined ? {} : { after: data.after }
  const limit = data.limit !== undefined && data.limit > 0 ? { limit: data.limit } : {}
  const secrets = await root.list(leasePrefix(namespace.id) + folder, { ...after, ...limit })
  const tokens = await listTokenLeases(parts.unsealed().store, namespace.id, folder)
  const keys = [...new Set([...secrets, ...tokens])]
    .filter((name) => name > (data.after ?? ''))
    .toSorted()
    .slice(0, limit.limit)
  return { data: { keys } }
}

const AFTER = string('').inQuery()
const LIMIT = integer('').inQuery()

async function renew(
  request: RequestBase,
  id: string,
  increment: number,
  parts: LeaseParts,
): Promise<Response> {
  const found = await find(request, id, parts)
  if (found === undefined) throw new BadRequest('lease not found')
  if ('token' in found) throw new BadRequest('tokens cannot be renewed through this endpoint')
  const { lease, warnings } = await renewLease(request, parts.mounts(), found.lease, increment)
  return { data: null, leaseAnswer: leaseAnswer(lease, request.nowMs), warnings }
}

/** What is not there is as good as revoked. */
async function revoke(
  request: RequestBase,
  id: string,
  waits: boolean,
  parts: LeaseParts,
): Promise<Response | undefined> {
  const { storage: root, nowMs } = request
  const found = await find(request, id, parts)
  const later: Response | undefined = waits ? undefined : { status: 202 }
  if (found === undefined) return later
  if ('token' in found) {
    revokeToken(root, found.token)
    return later
  }
  const lease = revokeSoon(root, found.lease, nowMs)
  return later ?? { afterwards: () => parts.revoker().revoke(lease) }
}

async function revokeBelow(
  { id, storage: root, namespace, nowMs }: RequestBase,
  parts: LeaseParts,
  given: { readonly prefix: string; readonly sync: boolean; readonly force: boolean },
): Promise<Response> {
  const { force } = given
  const below = given.prefix.replace(/\/$/, '')
  if (below === '') {
    throw new BadRequest('the path is missing: say below which path all leases are to be revoked')
  }
  // The whole id of a lease is a beginning of it too.
  const exact = await findLease(root, below, namespace)
  const lease = exact && revokeSoon(root, exact, nowMs, { force })
  const namespaceId = namespace.id
  const order = giveOrder(root, { id, namespaceId, prefix: below, force, givenAtMs: nowMs })
  if (!given.sync) return { status: 202 }
  return {
    async afterwards() {
      if (lease !== undefined) await parts.revoker().revoke(lease)
      await parts.revoker().carryOut(order)
    },
  }
}
