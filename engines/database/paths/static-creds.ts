/** `static-creds/:name` and `rotate-role/:name` (contract: engines-db-pki.md, A4 and A5). */
import { BadRequest } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { demandAllowed } from '../allowed.ts'
import type { Connections } from '../connections.ts'
import { forClient } from '../credential-kinds.ts'
import { findStaticRole, readConfig } from '../records.ts'
import { beginRotation } from '../rotation.ts'
import { nextRotation } from '../rotation-times.ts'
import { shownTimes } from './static-roles.ts'

const fields = { name: string('Name of the static role.').default('') }
type NameRequest = Request<typeof fields>

export const staticCredsPaths = (connections: Connections) => [
  path('static-creds/:name', {
    summary: 'The credential of a static role as it is now',
    fields,
    operations: { read: show },
  }),
  path('rotate-role/:name', {
    summary: 'Changes the credential of a static role now',
    fields,
    operations: { update: (request) => rotate(connections, request) },
  }),
]

async function show({ storage, data, nowMs }: NameRequest): Promise<Response> {
  const role = await findStaticRole(storage, data.name)
  if (role === undefined) throw new BadRequest(`unknown role: ${data.name}`)
  demandAllowed(await readConfig(storage, role.dbName), data.name)
  const nextMs = role.rotatedAtMs === null ? role.dueAtMs : nextRotation(role, role.rotatedAtMs)
  return {
    data: {
      username: role.username,
      ...(role.credential !== null && forClient(role.credential)),
      ttl: Math.max(0, Math.floor((nextMs - nowMs) / 1000)),
      ...shownTimes(role),
    },
  }
}

const GOES_ON =
  'unable to finish rotating credentials; retries will continue in the background but it is also safe to retry manually: '

async function rotate(connections: Connections, request: NameRequest): Promise<Response> {
  const { storage, data } = request
  const role = await findStaticRole(storage, data.name)
  if (role === undefined) throw new BadRequest('no static role found for role name')
  const effect = await beginRotation(connections, request, data.name, role, { before: GOES_ON })
  return { effect }
}
