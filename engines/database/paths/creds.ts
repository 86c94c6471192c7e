/** `creds/:name`: a user that is made now and removed with its lease (contract: engines-db-pki.md, A5). */
import { BadRequest, listed } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import { grantedTtl } from '../../../core/ttl.ts'
import { demandAllowed } from '../allowed.ts'
import type { ConnectionName, Connections } from '../connections.ts'
import { demandSupported, forClient, forDatabase, makeCredential } from '../credential-kinds.ts'
import { findDatabase } from '../databases.ts'
import type { Session } from '../database.ts'
import { textDetail } from '../details.ts'
import { DatabaseError, nothingDone } from '../errors.ts'
import { findRole, readConfig, type Config } from '../records.ts'
import { limitsOf, type LeasedUser } from '../user-effect.ts'

const fields = { name: string('Name of the role.').default('') }

export const credsPath = (connections: Connections) =>
  path('creds/:name', {
    summary: 'A fresh user of a role',
    fields,
    operations: { read: (request) => makeUser(connections, request) },
  })

async function makeUser(
  connections: Connections,
  request: Request<typeof fields>,
): Promise<Response> {
  const { storage, data, mount, nowMs, generatePassword } = request
  const role = await findRole(storage, data.name)
  if (role === undefined) throw new BadRequest(`unknown role: ${data.name}`)
  const config = await readConfig(storage, role.dbName)
  demandAllowed(config, data.name)
  const database = findDatabase(config.pluginName)
  demandSupported(database, role.credentialType)
  if (database.needsCreationStatements && role.creation.length === 0) {
    throw new BadRequest(listed('empty creation statements'))
  }
  const wanted = { type: role.credentialType, config: role.credentialConfig, ...config }
  const credential = await makeCredential(wanted, generatePassword)
  const username = usernameFor(request, config)
  const { ttlSeconds } = grantedTtl(limitsOf(role, mount), {
    incrementSeconds: 0,
    issuedAtMs: nowMs,
    nowMs,
  })
  const internal: LeasedUser = {
    username,
    role: data.name,
    db_name: role.dbName,
    revocation_statements: [...role.revocation],
  }
  return {
    effect: {
      type: 'user',
      internal,
      leased: true,
      async act(signal) {
        const at = { mountUuid: mount.uuid, name: role.dbName }
        await withConnection({ connections, at, config, signal }, (session) =>
          session.create({
            username,
            credential: forDatabase(credential),
            expiresAtMs: nowMs + ttlSeconds * 1000,
            creation: role.creation,
            rollback: role.rollback,
          }),
        )
        return () => ({
          data: { username, ...forClient(credential) },
          secret: {
            type: 'user',
            internal,
            ttlSeconds: role.defaultTtlSeconds,
            maxTtlSeconds: role.maxTtlSeconds,
            renewable: true,
          },
        })
      },
    },
  }
}

interface Reached {
  readonly connections: Connections
  readonly at: ConnectionName
  readonly config: Config
  readonly signal: AbortSignal
}

/** @throws {NothingDone} there is no connection, so the database was told nothing */
async function withConnection(
  { connections, at, config, signal }: Reached,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  let isConnected = false
  try {
    await connections.use(at, config, signal, (session) => {
      isConnected = true
      return work(session)
    })
  } catch (error) {
    throw !isConnected && error instanceof DatabaseError ? nothingDone(error) : error
  }
}

function usernameFor(
  { data, caller, random, nowMs }: Request<typeof fields>,
  config: Config,
): string {
  const { pluginName, details } = config
  const own = textDetail(details, 'username_template')
  const template =
    own === '' ? findDatabase(pluginName).usernames(pluginName, details) : usernameTemplate(own)
  return template.render(
    { displayName: caller?.displayName ?? '', roleName: data.name },
    { random, nowMs },
  )
}
