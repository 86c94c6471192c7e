/** The commands that work on any path: read, write, patch, delete, list, scan, unwrap, path-help. */
import type { JsonObject } from '../../core/json.ts'
import { connectionWithToken } from '../client/connection.ts'
import {
  askBare,
  deleteSecret,
  listSecrets,
  readRaw,
  readSecret,
  scanSecrets,
  unwrapSecret,
  writeSecret,
} from '../client/logical.ts'
import type { Page } from '../client/logical.ts'
import type { Connection } from '../client/connection.ts'
import { isTrue, setting } from '../client/environment.ts'
import { listedKeys, textOf } from '../client/secret.ts'
import type { Secret } from '../client/secret.ts'
import { atLeast, between, command, exactly } from './command.ts'
import type { Call } from './command.ts'
import { inputOf, parseData, parseQuery } from './data-args.ts'
import { CommandFailed, UsageProblem, orFail } from './failure.ts'
import type { Flags } from './flags.ts'
import { maybe, text, whole, yesNo } from './flags.ts'
import { bare } from './paths.ts'

/** Prints what a change answered; where that is nothing, that it went well. */
export function showChange(
  call: Pick<Call<Flags>, 'printer' | 'field'>,
  secret: Secret | undefined,
  done: string,
): void {
  if (secret === undefined) {
    if (call.printer.format === 'table') call.printer.line(done)
  } else if (call.field !== undefined) call.printer.field(secret, call.field)
  else call.printer.secret(secret)
}

export const read = command({
  usage: 'read [options] PATH [K=V...]',
  about: `Reads what is at a path: a stored secret, a setting, or credentials that are made for this very request.

  %p read cubbyhole/note
  %p read -field=term sys/key-status`,
  outputs: 'field',
  words: atLeast(1),
  takesRaw: true,
  async run(call) {
    const [first = '', ...rest] = call.args
    const path = bare(first)
    const query = await parseQuery(rest, inputOf(call))
    const connection = call.connection()
    if (call.printer.format === 'raw') {
      const body = await orFail(`Error reading: ${path}`, readRaw(connection, path, query))
      call.terminal.out(body)
      call.terminal.out('\n')
      return
    }
    const secret = await orFail(`Error reading ${path}`, readSecret(connection, path, query))
    if (secret === undefined) throw new CommandFailed(`No value found at ${path}`)
    if (call.field === undefined) call.printer.secret(secret)
    else call.printer.field(secret, call.field)
  },
})

const force = { force: yesNo('Send the request although there is no data.', { alias: 'f' }) }

async function writeData(call: Call<typeof force>, method: 'PUT' | 'PATCH'): Promise<void> {
  const [first = '', ...rest] = call.args
  if (rest.length === 0 && !call.flags.force)
    throw new UsageProblem('Must supply data or use -force')
  const path = bare(first)
  const data: JsonObject = await parseData(rest, inputOf(call))
  const secret = await orFail(
    `Error writing data to ${path}`,
    writeSecret(call.connection(), path, data, method),
  )
  showChange(call, secret, `Success! Data written to: ${path}`)
}

export const write = command({
  usage: 'write [options] PATH [K=V...]',
  about: `Writes data to a path. A value may come from a file (key=@file) or from standard input (key=-), a whole JSON object from either (@file.json, -).

  %p write auth/userpass/users/ann password=-
  %p write -f sys/rotate`,
  outputs: 'field',
  words: atLeast(1),
  flags: force,
  run: (call) => writeData(call, 'PUT'),
})

export const patch = command({
  usage: 'patch [options] PATH [K=V...]',
  about: `Changes only the given members of what is stored at a path. For kv, see "%p kv patch".

  %p patch secret/metadata/app max_versions=5`,
  outputs: 'field',
  words: atLeast(1),
  flags: force,
  run: (call) => writeData(call, 'PATCH'),
})

export const remove = command({
  usage: 'delete [options] PATH [K=V...]',
  about: `Deletes what is at a path. What that means is up to the engine: kv version 2 keeps it, see "%p kv undelete".

  %p delete cubbyhole/note`,
  outputs: 'field',
  words: atLeast(1, 'at least 1'),
  async run(call) {
    const [first = '', ...rest] = call.args
    const path = bare(first)
    const query = await parseQuery(rest, inputOf(call))
    const secret = await orFail(
      `Error deleting ${path}`,
      deleteSecret(call.connection(), path, query),
    )
    showChange(call, secret, `Success! Data deleted (if it existed) at: ${path}`)
  },
})

/** Prints a list answer, or says that there is nothing. */
export function showList(
  call: Pick<Call<Flags>, 'printer'>,
  secret: Secret | undefined,
  path: string,
  { detailed }: { detailed: boolean } = { detailed: false },
): void {
  if (secret?.wrapInfo !== undefined) return call.printer.secret(secret)
  const isList = listedKeys(secret) !== undefined
  if (secret !== undefined && isList) return call.printer.list(secret, { detailed })
  if (call.printer.format !== 'table') {
    call.printer.data({})
    throw new CommandFailed('') // the empty answer was printed; the exit code tells the rest
  }
  throw new CommandFailed(
    secret?.data === undefined ? `No value found at ${path}` : `No entries found at ${path}`,
  )
}

const pageFlags = {
  after: text('Begin behind this name.'),
  limit: whole('At most this many names.'),
  detailed: maybe('Show what the server tells of each name. Also: VAULT_DETAILED.'),
}

function listing(
  what: { usage: string; about: string; verb: string },
  ask: (connection: Connection, path: string, page: Page) => Promise<Secret | undefined>,
) {
  return command({
    usage: what.usage,
    about: what.about,
    outputs: 'format',
    words: exactly(1),
    flags: pageFlags,
    async run(call) {
      const path = bare(call.args[0] ?? '')
      const { after, limit } = call.flags
      const detailed = call.flags.detailed ?? isTrue(setting(call.terminal.env, 'DETAILED'))
      const secret = await orFail(
        `Error ${what.verb} ${path}`,
        ask(call.connection(), path, { after, limit }),
      )
      showList(call, secret, path, { detailed })
    },
  })
}

export const list = listing(
  {
    usage: 'list [options] PATH',
    about: `Lists the names below a path; folders end with a slash.

  %p list auth/approle/role`,
    verb: 'listing',
  },
  listSecrets,
)

export const scan = listing(
  {
    usage: 'scan [options] PATH',
    about: `Lists the names of the whole tree below a path.

  %p scan cubbyhole`,
    verb: 'scanning',
  },
  scanSecrets,
)

export const unwrap = command({
  usage: 'unwrap [options] [TOKEN]',
  about: `Shows what a wrapping token holds, once. Without a TOKEN, that of the environment or of the last login is unwrapped.

  %p unwrap hvs.CAESI…`,
  outputs: 'field',
  words: between(0, 1),
  async run(call) {
    const token = (call.args[0] ?? '').trim()
    const connection = call.connection()
    const secret = await orFail(
      'Error unwrapping',
      connection.token === '' && token !== ''
        ? unwrapSecret(connectionWithToken(connection, token), '')
        : unwrapSecret(connection, token === connection.token ? '' : token),
    )
    if (secret === undefined)
      showChange(call, secret, 'Successfully unwrapped. There was no data in the wrapped secret.')
    else if (call.field !== undefined) call.printer.field(secret, call.field)
    else if (listedKeys(secret) === undefined) call.printer.secret(secret)
    else call.printer.list(secret, { detailed: false })
  },
})

export const pathHelp = command({
  usage: 'path-help [options] PATH',
  about: `Shows what can be done at a path. The server must be unsealed.

  %p path-help sys/mounts`,
  outputs: 'format',
  words: exactly(1),
  async run(call) {
    const path = bare(call.args[0] ?? '')
    const help = await orFail(
      'Error retrieving help',
      askBare(call.connection(), { method: 'GET', path, query: { help: '1' } }),
    )
    if (call.printer.format === 'json') call.printer.data(help['openapi'] ?? null)
    else call.printer.line(textOf(help['help']))
  },
})
