/** `database check`: goes the whole way of a role once, as an application would, and shows each step. */
import { readSecret, perform, askSecret } from '../client/logical.ts'
import type { Connection } from '../client/connection.ts'
import { RequestFailed } from '../client/errors.ts'
import { textOf, type Secret } from '../client/secret.ts'
import { RequestError } from '../../core/errors.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { Session } from '../../engines/database/database.ts'
import { findDatabase } from '../../engines/database/databases.ts'
import { command, exactly, type Call } from './command.ts'
import { CommandFailed, EXIT_REMOTE, UsageProblem, orFail } from './failure.ts'
import { text, yesNo } from './flags.ts'

const LOGIN_MS = 20_000

const flags = {
  mount: text('Path of the engine; default: database.'),
  'skip-login': yesNo('Do not log in: the database cannot be reached from here.'),
}

export const check = command({
  usage: 'database check [options] ROLE',
  about: `Has a user of a role made, logs in with it from this machine, prolongs it, has it removed, and looks that it cannot
log in any more. Each step is shown; where one fails, the user is removed all the same.

  %p database check read-only
  %p database check -mount=databases/eu -skip-login read-only`,
  flags,
  words: exactly(1),
  async run(call) {
    const { args, printer } = call
    const role = args[0] ?? ''
    const mount = (call.flags.mount ?? 'database').replace(/\/+$/, '')
    const connection = call.connection()
    const login = await loginOf(connection, { mount, role })
    const made = await orFail(
      '[fail] a user is made',
      readSecret(connection, `${mount}/creds/${role}`),
    )
    if (made?.data === undefined)
      throw new UsageProblem(`There is no role at ${mount}/roles/${role}`)
    printer.line(
      `[ ok ] a user is made: ${textOf(made.data['username'])}, for ${made.leaseSeconds} s`,
    )
    const failures = await goOn(call, { connection, login, made })
    if (failures === 0) printer.line(`Success! The role ${role} works.`)
    return failures === 0 ? 0 : EXIT_REMOTE
  },
})

type CheckCall = Pick<Call<typeof flags>, 'flags' | 'printer'>
type Login = (data: JsonObject) => Promise<Session>

interface Subject {
  readonly connection: Connection
  readonly login: Login
  readonly made: Secret
}

/** @returns how many steps failed */
async function goOn(
  { flags: { 'skip-login': skips }, printer }: CheckCall,
  subject: Subject,
): Promise<number> {
  const { connection, login, made } = subject
  const { data = {}, leaseId, renewable } = made
  let failures = 0
  const step = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work()
      printer.line(`[ ok ] ${what}`)
    } catch (error) {
      if (
        !(
          error instanceof RequestFailed ||
          error instanceof RequestError ||
          error instanceof CommandFailed
        )
      )
        throw error
      failures++
      printer.line(`[fail] ${what}: ${error.message.trim()}`)
    }
  }
  if (!skips) await step('it logs in', async () => (await login(data)).close())
  if (renewable) {
    const body = { lease_id: leaseId }
    await step('it is prolonged', () =>
      askSecret(connection, { method: 'PUT', path: 'sys/leases/renew', body }),
    )
  }
  const body = { lease_id: leaseId, sync: true }
  await step('it is removed', () =>
    perform(connection, { method: 'PUT', path: 'sys/leases/revoke', body }),
  )
  if (!skips) await step('it cannot log in any more', () => demandRefused(login, data))
  return failures
}

async function demandRefused(login: Login, data: JsonObject): Promise<void> {
  try {
    const session = await login(data)
    session.close()
  } catch (error) {
    if (error instanceof RequestError) return
    throw error
  }
  throw new CommandFailed('the database still lets it in')
}

/** How a user of the role logs in, by the role's connection. */
async function loginOf(
  connection: Connection,
  { mount, role }: { readonly mount: string; readonly role: string },
): Promise<Login> {
  const found = await dataAt(connection, `${mount}/roles/${role}`)
  const config = await dataAt(connection, `${mount}/config/${textOf(found['db_name'])}`)
  const details = config['connection_details']
  const database = findDatabase(textOf(config['plugin_name']))
  return ({ username = '', password = '' }) =>
    database
      .read({ ...(isJsonObject(details) && details), username, password })
      .connect(AbortSignal.timeout(LOGIN_MS))
}

async function dataAt(connection: Connection, path: string): Promise<JsonObject> {
  const found = await orFail(`Error reading ${path}`, readSecret(connection, path))
  if (found?.data !== undefined) return found.data
  throw new CommandFailed(`There is nothing at ${path}`)
}
