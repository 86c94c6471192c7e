/** The commands of `auth`: the methods to log in by. */
import { goDuration } from '../../core/duration.ts'
import type { JsonObject } from '../../core/json.ts'
import { perform } from '../client/logical.ts'
import { objectOf, textOf } from '../client/secret.ts'
import { tableText } from '../output/table.ts'
import { command, exactly } from './command.ts'
import { CommandFailed, EXIT_USAGE, orFail } from './failure.ts'
import { duration, maybe, text, whole, yesNo } from './flags.ts'
import type { FlagValues } from './flags.ts'
import { LOGIN_METHODS } from './login-methods.ts'
import {
  askMounts,
  enableBody,
  enableFlags,
  mountMembers,
  moveMount,
  showDetailed,
  sortedMounts,
  tuneBody,
  tuneFlags,
  typeAndPath,
} from './mounts.ts'
import { bare, folder } from './paths.ts'

const tokenTypeFlag = {
  'token-type': text(
    'Type of its tokens: "default-service", "service", "batch" or "default-batch".',
  ),
}

function tokenType(flags: FlagValues<typeof tokenTypeFlag>): JsonObject {
  return flags['token-type'] === undefined ? {} : { token_type: flags['token-type'] }
}

export const enable = command({
  usage: 'auth enable [options] TYPE',
  about: `Mounts an auth method.

  %p auth enable approle
  %p auth enable -path=people userpass`,
  words: exactly(1),
  flags: { ...enableFlags, ...tokenTypeFlag },
  async run({ flags, args, connection, printer }) {
    const { type, path, thing } = typeAndPath(flags, args[0] ?? '')
    const body = enableBody(flags, type, tokenType(flags))
    await orFail(
      `Error enabling ${type} auth`,
      perform(connection(), { method: 'POST', path: `sys/auth/${path}`, body }),
    )
    printer.line(`Success! Enabled ${type} auth method${thing} at: ${path}`)
  },
})

export const disable = command({
  usage: 'auth disable [options] PATH',
  about: `Unmounts an auth method, deletes its settings and revokes all tokens that it gave.

  %p auth disable approle`,
  words: exactly(1),
  async run({ args, connection, printer }) {
    const path = folder(bare(args[0] ?? ''))
    await orFail(
      `Error disabling auth method at ${path}`,
      perform(connection(), { method: 'DELETE', path: `sys/auth/${path}` }),
    )
    printer.line(`Success! Disabled the auth method (if it existed) at: ${path}`)
  },
})

const COLUMNS = ['type', 'accessor', 'description', 'plugin_version']

export const list = command({
  usage: 'auth list [options]',
  about: `Lists the mounted auth methods.

  %p auth list -detailed`,
  outputs: 'format',
  flags: { detailed: yesNo('Show their settings too.') },
  async run({ flags, connection, printer }) {
    const mounts = await askMounts(
      connection(),
      'sys/auth',
      'Error listing enabled authentications',
    )
    if (printer.format !== 'table') return printer.data(mountMembers(mounts))
    if (flags.detailed)
      return showDetailed(printer, mounts, {
        title: 'Token Type',
        of: (config) => textOf(config['token_type']),
      })
    const rows = sortedMounts(mounts).map(([path, mount]) => [
      path,
      ...COLUMNS.map((name) => textOf(mount[name])),
    ])
    printer.line(tableText([['Path', 'Type', 'Accessor', 'Description', 'Version'], ...rows]))
  },
})

const lockoutFlags = {
  'user-lockout-threshold': whole('After how many failed logins a user is locked out.'),
  'user-lockout-duration': duration('For how long.'),
  'user-lockout-counter-reset-duration': duration(
    'After how long without failures counting begins anew.',
  ),
  'user-lockout-disable': maybe('Never lock users out.'),
}

function lockout(flags: FlagValues<typeof lockoutFlags>): JsonObject {
  const threshold = flags['user-lockout-threshold']
  const span = flags['user-lockout-duration']
  const reset = flags['user-lockout-counter-reset-duration']
  const off = flags['user-lockout-disable']
  const config = {
    ...(threshold === undefined ? {} : { lockout_threshold: String(threshold) }),
    ...(span === undefined ? {} : { lockout_duration: goDuration(span) }),
    ...(reset === undefined ? {} : { lockout_counter_reset_duration: goDuration(reset) }),
    ...(off === undefined ? {} : { lockout_disable: off }),
  }
  return Object.keys(config).length === 0 ? {} : { user_lockout_config: config }
}

export const tune = command({
  usage: 'auth tune [options] PATH',
  about: `Changes the settings of a mounted auth method; what is not given stays.

  %p auth tune -max-lease-ttl=24h approle`,
  words: exactly(1),
  flags: { ...tuneFlags, ...tokenTypeFlag, ...lockoutFlags },
  async run({ flags, args, connection, printer }) {
    const path = folder(bare(args[0] ?? ''))
    await orFail(
      `Error tuning auth method ${path}`,
      perform(connection(), {
        method: 'POST',
        path: `sys/mounts/auth/${path}tune`,
        body: { ...tuneBody(flags), ...tokenType(flags), ...lockout(flags) },
      }),
    )
    printer.line(`Success! Tuned the auth method at: ${path}`)
  },
})

export const move = command({
  usage: 'auth move [options] SOURCE DESTINATION',
  about: `Moves an auth method to another path. Its tokens are revoked.

  %p auth move auth/approle auth/robots`,
  words: exactly(2),
  async run({ args: [from = '', to = ''], connection, printer }) {
    await moveMount(connection(), printer, { thing: 'auth method', from, to })
  },
})

export const help = command({
  usage: 'auth help [options] TYPE | PATH',
  about: `Tells what "%p login" needs for a method: its type, or the path where one is mounted.

  %p auth help approle`,
  words: exactly(1),
  async run({ args, connection, printer, program }) {
    const given = (args[0] ?? '').trim()
    if (Object.hasOwn(LOGIN_METHODS, given)) return printer.line(methodHelp(given, program.command))
    const mounts = await askMounts(connection(), 'sys/auth', 'Error listing auth methods')
    const path = folder(bare(given))
    const type = textOf(objectOf(mounts[path])?.['type'])
    if (type === '')
      throw new CommandFailed(
        `No auth method available on the server at ${JSON.stringify(path)}`,
        EXIT_USAGE,
      )
    if (!Object.hasOwn(LOGIN_METHODS, type))
      throw new CommandFailed(
        `"${program.command} login" does not know the method ${type}: use its API.`,
      )
    printer.line(methodHelp(type, program.command))
  },
})

function methodHelp(type: string, program: string): string {
  const lines = (LOGIN_METHODS[type]?.parameters ?? []).map((line) => `  ${line}`)
  return [`Usage: ${program} login -method=${type} [K=V...]`, '', ...lines].join('\n')
}
