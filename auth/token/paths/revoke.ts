/** `auth/token/revoke` and its like end tokens at once, with their children or without. */
import { BadRequest, listed } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import { aclOf } from '../../../core/request/authorize.ts'
import { findByAccessor, findToken } from '../../../core/tokens/find.ts'
import { revokeToken } from '../../../core/tokens/revoke.ts'
import type { Unsealed } from '../engine.ts'

const byToken = { token: string('Token to revoke.').default('') }
type ByToken = Request<typeof byToken>

export function revokePaths(unsealed: Unsealed) {
  return [
    path('revoke', {
      summary: 'Revokes a token and its children',
      aboutGivenToken: true,
      fields: byToken,
      operations: { update: (request) => revoke(request, unsealed(), request.data.token) },
    }),
    path('revoke-self', {
      summary: 'Revokes the calling token and its children',
      aboutCaller: true,
      fields: byToken,
      operations: { update: (request) => revoke(request, unsealed(), request.clientToken) },
    }),
    path('revoke-orphan', {
      summary: 'Revokes a token; its children live on as orphans',
      aboutGivenToken: true,
      fields: byToken,
      operations: { update: (request) => revokeOrphan(request, unsealed()) },
    }),
    path('revoke-accessor', {
      summary: 'Revokes the token with an accessor, and its children',
      fields: { accessor: string('Accessor of the token.').default('') },
      operations: {
        async update({ data, storage: root, nowMs, namespace }) {
          if (data.accessor === '') throw new BadRequest(listed('missing accessor'))
          const context = { root, nowMs, ...unsealed() }
          const record = await findByAccessor(context, data.accessor, namespace)
          if (record === undefined) return { warnings: ['No token found with this accessor'] }
          revokeToken(root, record)
          return undefined
        },
      },
    }),
  ]
}

async function find(
  { storage: root, nowMs, clientToken }: ByToken,
  { batch }: ReturnType<Unsealed>,
  token: string,
) {
  if (token === '') throw new BadRequest('missing token ID')
  const record = await findToken({ root, nowMs, batch, running: token === clientToken }, token)
  if (record?.type === 'batch') throw new BadRequest('batch tokens cannot be revoked')
  return record
}

/** A token that is not there is as good as revoked. */
async function revoke(request: ByToken, parts: ReturnType<Unsealed>, token: string) {
  const record = await find(request, parts, token)
  if (record !== undefined) revokeToken(request.storage, record)
}

async function revokeOrphan(request: ByToken, parts: ReturnType<Unsealed>) {
  const { storage: root, nowMs, namespace, mount, path: own, data, clientToken } = request
  const caller = await findToken({ root, nowMs, ...parts, running: true }, clientToken)
  const acl = caller && (await aclOf(root, parts.acls, caller, nowMs))
  if (!acl?.sudo(mount.path + own, namespace.path)) {
    throw new BadRequest('root or sudo privileges required to revoke and orphan')
  }
  const record = await find(request, parts, data.token)
  if (record === undefined) throw new BadRequest('token to revoke not found')
  revokeToken(root, record, { orphans: true })
}
