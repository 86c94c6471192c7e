/** `auth/approle/login`. All that does not fit gets one text, so that nobody learns which part was right. */
import { isWithin } from '../../../core/cidr.ts'
import { BadRequest } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { LoginAttempt } from '../../../core/plugin/plugin.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { grantOf } from '../../../core/plugin/token-settings.ts'
import {
  findRole,
  findSecretId,
  hashSecretId,
  removeSecretId,
  roleIdKey,
  roleIds,
  secretIdPrefix,
  secretIds,
  type Role,
  type SecretId,
} from '../records.ts'

const fields = {
  role_id: string('Id of the role.').default(''),
  secret_id: string('Secret id of the role, where it needs one.').default(''),
}
type LoginRequest = Request<typeof fields>

const INVALID = 'invalid role or secret ID'

/** A GET makes nothing: policies let many read that may not write, and addresses end up in the logs of proxies. */
function refuseRead({ data }: LoginRequest): never {
  if (data.role_id === '') throw new BadRequest('missing role_id')
  throw new BadRequest('logging in takes a POST with role_id and secret_id in its body')
}

export const loginPath = path('login', {
  summary: 'Logs in',
  unauthenticated: true,
  fields,
  operations: { update: login, read: refuseRead },
  examples: [
    {
      summary: 'A program logs in',
      operation: 'update',
      path: 'login',
      request: { role_id: 'c8a1…', secret_id: '51b0…' },
    },
  ],
})

/** The name of the role, whether or not the rest would be right. */
export async function loginRole({ storage, path: at, readBody }: LoginAttempt) {
  if (at !== 'login') return undefined
  const { role_id: roleId } = await readBody()
  const found = typeof roleId === 'string' && (await storage.get(roleIds, roleIdKey(roleId)))
  return found ? found.role : undefined
}

async function login(request: LoginRequest): Promise<Response> {
  const { data, storage, mount, client } = request
  if (data.role_id === '') throw new BadRequest('missing role_id')
  const found = await storage.get(roleIds, roleIdKey(data.role_id))
  const role = found && (await findRole(storage, found.role))
  if (role === undefined) throw new BadRequest(INVALID)
  const secret = role.bindSecretId ? await useSecretId(request, role) : undefined
  // The role's own networks hold without a secret id too: they may be all that binds it.
  for (const cidrs of [role.secretIdBoundCidrs ?? [], role.token.boundCidrs]) {
    if (cidrs.length > 0 && !isWithin(client.address, cidrs)) {
      throw new BadRequest(
        `source address "${client.address}" unauthorized by CIDR restrictions on the role`,
      )
    }
  }
  const granted = grantOf(role.token, mount, client.address)
  return {
    auth: {
      ...granted,
      displayName: 'approle',
      metadata: { ...secret?.metadata, role_name: role.name },
      alias: { name: role.roleId },
      ...(secret !== undefined &&
        secret.tokenBoundCidrs.length > 0 && { boundCidrs: secret.tokenBoundCidrs }),
    },
  }
}

/** Takes one of its uses; the last removes it. */
async function useSecretId(
  { data, storage, nowMs, client }: LoginRequest,
  role: Role,
): Promise<SecretId> {
  if (data.secret_id === '') throw new BadRequest('missing secret_id')
  const hash = hashSecretId(role, data.secret_id)
  const secret = await findSecretId(storage, role, hash, nowMs)
  if (secret === undefined) throw new BadRequest(INVALID)
  if (secret.cidrs.length > 0 && !isWithin(client.address, secret.cidrs)) {
    throw new BadRequest(
      `source address "${client.address}" unauthorized through CIDR restrictions on the secret ID`,
    )
  }
  if (secret.numUses === 1) removeSecretId(storage, role.uid, hash, secret)
  else if (secret.numUses > 1) {
    const used = { ...secret, numUses: secret.numUses - 1, updatedAtMs: nowMs }
    storage.put(secretIds, secretIdPrefix(role.uid) + hash, used)
  }
  return secret
}
