/** `auth/token/renew`, `renew-self` and `renew-accessor` move a token's end. */
import { BadRequest } from '../../../core/errors.ts'
import { findEntity, replaceEntity } from '../../../core/identity/entities.ts'
import { refreshGroups } from '../../../core/identity/login.ts'
import { identityOf, policiesIn } from '../../../core/identity/rights.ts'
import { findMounted, type MountServices } from '../../../core/mounts/services.ts'
import { duration, string } from '../../../core/plugin/fields.ts'
import { NOT_LOCAL } from '../../../core/plugin/local.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Renewal } from '../../../core/plugin/plugin.ts'
import type { Mount, Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { mountPrefix } from '../../../core/mounts/record.ts'
import { authAnswer } from '../../../core/tokens/answer.ts'
import { findToken } from '../../../core/tokens/find.ts'
import type { ServiceToken } from '../../../core/tokens/record.ts'
import { demandRenewal, renewToken } from '../../../core/tokens/renew.ts'
import type { Unsealed } from '../engine.ts'
import { rolePrefix, tokenRoles } from '../role.ts'
import { byAccessor } from './lookup.ts'

const increment = duration('Span from now that is asked for.').default(0)

export function renewPaths(unsealed: Unsealed, mounts: () => MountServices) {
  const byToken = { token: string('Token; without it the calling one.').default(''), increment }
  const renewGiven = async (request: Request<typeof byToken>, token: string) =>
    renew(request, mounts(), await demandRenewable(request, unsealed(), token), token)
  return [
    path('renew', {
      summary: 'Renews a token',
      aboutGivenToken: true,
      fields: byToken,
      operations: { update: (request) => renewGiven(request, request.data.token) },
    }),
    path('renew-self', {
      summary: 'Renews the calling token',
      aboutCaller: true,
      fields: byToken,
      operations: { update: (request) => renewGiven(request, request.clientToken) },
    }),
    path('renew-accessor', {
      summary: 'Renews the token with an accessor',
      fields: { accessor: string('Accessor of the token.').default(''), increment },
      operations: {
        async update(request) {
          const { storage: root, nowMs, data, namespace } = request
          const record = await byAccessor({ root, nowMs, ...unsealed() }, data.accessor, namespace)
          return renew(request, mounts(), record, '')
        },
      },
    }),
  ]
}

async function demandRenewable(
  { storage: root, nowMs, clientToken }: Request,
  { batch }: ReturnType<Unsealed>,
  token: string,
): Promise<ServiceToken> {
  if (token === '') throw new BadRequest('missing token ID')
  const record = await findToken({ root, nowMs, batch, running: token === clientToken }, token)
  if (record === undefined) throw new BadRequest('token not found')
  if (record.type === 'batch') throw new BadRequest('batch tokens cannot be renewed')
  return record
}

async function renew(
  request: Request<{ increment: typeof increment }>,
  mounts: MountServices,
  record: ServiceToken,
  token: string,
): Promise<Response> {
  const { storage: root, nowMs, data } = request
  demandRenewal(record)
  const { mount, limits } = await limitsNow(request, mounts, record)
  if (limits.groupAliases !== undefined) {
    await refreshEntity(request, record, mount, limits.groupAliases)
  }
  const { record: renewed, warnings } = renewToken({
    root,
    nowMs,
    record,
    incrementSeconds: data.increment,
    mount,
    limits,
  })
  const identityPolicies = policiesIn(await identityOf(root, renewed), renewed.namespaceId)
  return { authAnswer: authAnswer(renewed, token, nowMs, identityPolicies), warnings }
}

/** The groups that the method says now. */
async function refreshEntity(
  { storage: root, nowMs, random }: RequestBase,
  { namespaceId, entityId }: ServiceToken,
  mount: Mount,
  groupNames: readonly string[],
): Promise<void> {
  const context = { root, nowMs, random, namespaceId }
  const entity = await findEntity(context, entityId)
  if (entity === undefined) return
  const refreshed = await refreshGroups(context, mount, entity, groupNames)
  if (refreshed !== entity) replaceEntity(context, refreshed)
}

/** What the method that granted the token, or its role, says now. */
async function limitsNow(
  request: RequestBase,
  mounts: MountServices,
  record: ServiceToken,
): Promise<{ mount: Mount; limits: Exclude<Renewal, { refused: string }> }> {
  const { storage: root } = request
  const mounted = await findMounted(root, mounts, record.namespaceId, record.mountUuid)
  const kept = {
    ttlSeconds: record.ttlSeconds,
    maxTtlSeconds: record.maxTtlSeconds,
    periodSeconds: record.periodSeconds,
  }
  if (mounted === undefined) throw new BadRequest('the auth mount of this token is gone')
  const { mount, instance } = mounted
  if (instance.type.privileged === true) {
    const role =
      record.role === undefined
        ? undefined
        : await root.get(tokenRoles, rolePrefix(record.namespaceId) + record.role)
    if (record.role !== undefined && role === undefined) {
      throw new BadRequest(`original token role "${record.role}" could not be found, not renewing`)
    }
    const periodSeconds = (role?.periodSeconds ?? 0) || kept.periodSeconds
    return { mount, limits: { ...kept, periodSeconds } }
  }
  const answer = await instance.plugin.renew?.(
    {
      ...request,
      mount,
      storage: root.below(mountPrefix(mount.uuid)),
      clientToken: '',
      local: NOT_LOCAL,
    },
    { policies: record.policies, metadata: record.meta ?? {}, internal: record.internal },
  )
  if (answer !== undefined && 'refused' in answer) throw new BadRequest(answer.refused)
  return { mount, limits: answer ?? kept }
}
