/** `rotate-root/:name`: the engine's own user gets a password that nobody else knows (contract: engines-db-pki.md, A7). */
import { z } from 'zod'
import { BadRequest, listed } from '../../../core/errors.ts'
import type { EffectType } from '../../../core/plugin/effects.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { withSession, type Connections } from '../connections.ts'
import { connectionUrl, textDetail } from '../details.ts'
import { DatabaseError, prefixed } from '../errors.ts'
import { CONFIG_PREFIX, configs, findConfig, readConfig, type Config } from '../records.ts'
import { ChangedMeanwhile } from './config.ts'

const fields = { name: string('Name of the connection.').default('') }

export const rotateRootPath = (connections: Connections) =>
  path('rotate-root/:name', {
    summary: "Changes the password of the engine's own user; nobody can read the new one",
    fields,
    operations: { update: (request) => rotate(connections, request) },
  })

async function rotate(
  connections: Connections,
  { storage, data, mount, random, generatePassword }: Request<typeof fields>,
): Promise<Response> {
  const config = await readConfig(storage, data.name)
  const username = demandLogin(config)
  const password = await generatePassword(config.passwordPolicy)
  const generation = random.uuid()
  return {
    effect: {
      type: 'root',
      internal: { name: data.name, password },
      async act(signal) {
        try {
          await change(config, { username, password }, signal)
          await withSession(withPassword(config, password), signal, (session) => session.ping())
        } catch (error) {
          if (!(error instanceof DatabaseError)) throw error
          throw prefixed('failed to update user: ', error)
        }
        return async (after) => {
          const now = await findConfig(after.storage, data.name)
          if (now?.generation !== config.generation) throw new ChangedMeanwhile()
          const rotated = { ...withPassword(config, password), generation }
          after.storage.put(configs, CONFIG_PREFIX + data.name, rotated)
          connections.drop({ mountUuid: mount.uuid, name: data.name })
        }
      },
    },
  }
}

/** @returns the name of its own user. @throws {BadRequest} its password cannot be changed */
function demandLogin({ details }: Config): string {
  const cannot = (why: string) =>
    new BadRequest(listed(`unable to rotate root credentials: ${why}`))
  const username = textDetail(details, 'username')
  if (username === '') throw cannot('no username in configuration')
  if (textDetail(details, 'password') === '') throw cannot('no password in configuration')
  if (textDetail(details, 'connection_url') !== '' && !connectionUrl(details).isTemplate) {
    throw cannot('connection_url has no {{username}} and {{password}}')
  }
  return username
}

function withPassword(config: Config, password: string): Config {
  return { ...config, details: { ...config.details, password } }
}

function change(
  config: Config,
  { username, password }: { readonly username: string; readonly password: string },
  signal: AbortSignal,
): Promise<void> {
  return withSession(config, signal, (session) =>
    session.change({
      username,
      credential: { type: 'password', password },
      statements: config.rootRotationStatements,
    }),
  )
}

const ROTATED = z.object({ name: z.string(), password: z.string() })

/** What is stored is what holds: where the database has the new password and the record the old one, it gets the old one back. */
export const rootEffect: EffectType = {
  async undo({ storage, signal }, internal) {
    const { name, password } = ROTATED.parse(internal)
    const config = await findConfig(storage, name)
    if (config === undefined) return
    const stored = textDetail(config.details, 'password')
    if (stored === password || (await isAccepted(config, signal))) return
    const username = textDetail(config.details, 'username')
    const back = withPassword(config, password)
    await change(back, { username, password: stored }, signal)
  },
}

/** @throws {DatabaseError} nobody knows: it does not answer */
async function isAccepted(config: Config, signal: AbortSignal): Promise<boolean> {
  try {
    await withSession(config, signal, (session) => session.ping())
    return true
  } catch (error) {
    if (error instanceof DatabaseError && error.code !== '') return false
    throw error
  }
}
