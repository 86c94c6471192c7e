/** `auth/token/lookup`, `lookup-self` and `lookup-accessor` show what is known of a token. */
import { BadRequest, listed, PermissionDenied } from '../../../core/errors.ts'
import { findIdentity, policiesIn, type Identity } from '../../../core/identity/rights.ts'
import { namespaceById } from '../../../core/namespaces.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Namespace, Request } from '../../../core/plugin/request.ts'
import { leftSeconds } from '../../../core/tokens/answer.ts'
import { findByAccessor, findStored, findToken } from '../../../core/tokens/find.ts'
import type { TokenRecord } from '../../../core/tokens/record.ts'
import { showCidr } from '../../../core/cidr.ts'
import type { Unsealed } from '../engine.ts'

export function lookupPaths(unsealed: Unsealed) {
  const token = { token: string('Token; without it the calling one.').default('') }
  const self = (request: Request<typeof token>) => show(request, unsealed(), request.clientToken)
  const given = (request: Request<typeof token>) =>
    show(request, unsealed(), request.data.token || request.clientToken)
  return [
    path('lookup', {
      summary: 'Shows what is known of a token',
      fields: token,
      operations: {
        read: { aboutCaller: true, handler: self },
        update: { aboutGivenToken: true, handler: given },
      },
    }),
    path('lookup-self', {
      summary: 'Shows what is known of the calling token',
      aboutCaller: true,
      fields: token,
      operations: { read: self, update: self },
    }),
    path('lookup-accessor', {
      summary: 'Shows what is known of the token with an accessor',
      fields: { accessor: string('Accessor of the token.').default('') },
      operations: {
        async update({ data, storage: root, nowMs, namespace }) {
          const record = await byAccessor({ root, nowMs, ...unsealed() }, data.accessor, namespace)
          return { data: await tokenFacts(root, record, '', nowMs) }
        },
      },
    }),
  ]
}

/** @throws {BadRequest} none was given, or it is of no living token of that namespace */
export async function byAccessor(
  context: Parameters<typeof findByAccessor>[0],
  accessor: string,
  within: Namespace,
) {
  if (accessor === '') throw new BadRequest(listed('missing accessor'))
  const record = await findByAccessor(context, accessor, within)
  if (record === undefined) throw new BadRequest(listed('invalid accessor'))
  return record
}

async function show(
  { storage: root, nowMs, clientToken }: Request,
  { batch }: ReturnType<Unsealed>,
  token: string,
) {
  const record = await findToken({ root, nowMs, batch, running: token === clientToken }, token)
  if (record === undefined) throw new PermissionDenied('bad token')
  return { data: await tokenFacts(root, record, token, nowMs) }
}

/** A child whose parent was revoked alone is an orphan from that instant, though its record may not say so yet. */
async function isOrphan(root: Request['storage'], record: TokenRecord): Promise<boolean> {
  const { parent, parentNamespaceId } = record
  return parent === '' || (await findStored({ root }, parentNamespaceId, parent)) === undefined
}

/** Contract: http.md, 10.4. @param token its text; empty: it is not shown */
export async function tokenFacts(
  root: Request['storage'],
  record: TokenRecord,
  token: string,
  nowMs: number,
): Promise<Record<string, unknown>> {
  const stored = record.type === 'service' ? record : undefined
  const namespace = await namespaceById(root, record.namespaceId)
  const identity = await findIdentity(root, record)
  return {
    id: token,
    accessor: stored?.accessor ?? '',
    policies: record.policies,
    path: record.path,
    meta: record.meta,
    display_name: record.displayName,
    num_uses: stored?.numUses ?? 0,
    orphan: await isOrphan(root, record),
    creation_time: Math.floor(record.createdAtMs / 1000),
    creation_ttl: record.ttlSeconds,
    expire_time: record.expiresAtMs === null ? null : new Date(record.expiresAtMs),
    ttl: leftSeconds(record, nowMs),
    explicit_max_ttl: stored?.explicitMaxTtlSeconds ?? 0,
    entity_id: record.entityId,
    type: record.type,
    role: record.role,
    period: stored !== undefined && stored.periodSeconds > 0 ? stored.periodSeconds : undefined,
    bound_cidrs: record.boundCidrs.length > 0 ? record.boundCidrs.map(showCidr) : undefined,
    ...identityFacts(identity, record),
    namespace_path: namespace?.path === '' ? undefined : namespace?.path,
    ...(record.expiresAtMs !== null && {
      renewable: stored?.renewable ?? false,
      issue_time: new Date(record.createdAtMs),
    }),
    ...(stored?.lastRenewalAtMs && {
      last_renewal: new Date(stored.lastRenewalAtMs),
      last_renewal_time: Math.floor(stored.lastRenewalAtMs / 1000),
    }),
  }
}

function identityFacts(identity: Identity | undefined, { namespaceId }: TokenRecord) {
  if (identity === undefined || identity.policies.length === 0) return {}
  const elsewhere = identity.policies.filter((set) => set.namespaceId !== namespaceId)
  return {
    identity_policies: policiesIn(identity, namespaceId),
    external_namespace_policies: Object.fromEntries(
      elsewhere.map((set) => [set.namespaceId, set.names]),
    ),
  }
}
