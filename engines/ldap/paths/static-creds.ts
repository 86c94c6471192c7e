/** `static-cred/` and `rotate-role/`: the password of a static role, and a new one at once. */
import { BadRequest, RequestError } from '../../../core/errors.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { checkName, name } from '../names.ts'
import { staticRoles } from '../records.ts'
import { begin, carryOut, roleKey } from '../rotate.ts'
import { nextRotationMs } from '../rotation-time.ts'
import { demandConfig } from './config.ts'
import { shownRotation } from './static-roles.ts'

const fields = { name }
type RoleRequest = Request<typeof fields>

export const staticCredPaths = [
  path('static-cred/:name*', {
    summary: 'The password of a static role',
    fields,
    operations: { read: show },
  }),
  path('rotate-role/:name*', {
    summary: 'A new password for a static role, at once',
    fields,
    operations: { update: rotate },
  }),
]

async function show({ storage, data, nowMs }: RoleRequest): Promise<Response> {
  const role = await storage.get(staticRoles, roleKey(checkName(data.name)))
  if (role === undefined) throw new BadRequest(`unknown role: ${data.name}`)
  const { dn, username, password, lastPassword } = role
  const ttl = Math.max(0, Math.round((nextRotationMs(role) - nowMs) / 1000))
  return {
    data: { dn, username, password, last_password: lastPassword, ttl, ...shownRotation(role) },
  }
}

async function rotate(request: RoleRequest): Promise<Response> {
  const { storage, data } = request
  const roleName = checkName(data.name)
  const role = await storage.get(staticRoles, roleKey(roleName))
  if (role === undefined) throw new BadRequest(`role doesn't exist: ${data.name}`)
  const begun = await begin(request, roleName, role, await demandConfig(request))
  return {
    effect: {
      type: 'rotation',
      internal: {},
      act: (signal) => carryOut(begun, signal).catch(toBeContinued),
    },
  }
}

function toBeContinued(error: unknown): never {
  if (!(error instanceof RequestError)) throw error
  throw new RequestError(
    error.status,
    `unable to finish rotating credentials; retries will continue in the background but it is also safe to retry manually: ${error.message}`,
  )
}
