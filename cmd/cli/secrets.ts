/** The commands of `secrets`: the engines that keep or make secrets. */
import { perform } from '../client/logical.ts'
import { textOf } from '../client/secret.ts'
import { tableText } from '../output/table.ts'
import { command, exactly } from './command.ts'
import { orFail } from './failure.ts'
import { yesNo } from './flags.ts'
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

export const enable = command({
  usage: 'secrets enable [options] TYPE',
  about: `Mounts a secrets engine.

  %p secrets enable -path=secret -version=2 kv`,
  words: exactly(1),
  flags: { ...enableFlags, 'force-no-cache': yesNo('Do not cache what it stores.') },
  async run({ flags, args, connection, printer }) {
    const { type, path, thing } = typeAndPath(flags, args[0] ?? '')
    const more = flags['force-no-cache'] ? { force_no_cache: true } : {}
    const body = enableBody(flags, type, more)
    await orFail(
      'Error enabling',
      perform(connection(), { method: 'POST', path: `sys/mounts/${path}`, body }),
    )
    printer.line(`Success! Enabled the ${type} secrets engine${thing} at: ${path}`)
  },
})

export const disable = command({
  usage: 'secrets disable [options] PATH',
  about: `Unmounts a secrets engine, revokes its leases and deletes all that it stores.

  %p secrets disable secret`,
  words: exactly(1),
  async run({ args, connection, printer }) {
    const path = folder(bare(args[0] ?? ''))
    await orFail(
      `Error disabling secrets engine at ${path}`,
      perform(connection(), { method: 'DELETE', path: `sys/mounts/${path}` }),
    )
    printer.line(`Success! Disabled the secrets engine (if it existed) at: ${path}`)
  },
})

export const list = command({
  usage: 'secrets list [options]',
  about: `Lists the mounted secrets engines.

  %p secrets list -detailed`,
  outputs: 'format',
  flags: { detailed: yesNo('Show their settings too.') },
  async run({ flags, connection, printer }) {
    const mounts = await askMounts(connection(), 'sys/mounts', 'Error listing secrets engines')
    if (printer.format !== 'table') return printer.data(mountMembers(mounts))
    if (flags.detailed)
      return showDetailed(printer, mounts, {
        title: 'Force No Cache',
        of: (config) => String(config['force_no_cache'] === true),
      })
    const rows = sortedMounts(mounts).map(([path, mount]) => [
      path,
      ...['type', 'accessor', 'description'].map((name) => textOf(mount[name])),
    ])
    printer.line(tableText([['Path', 'Type', 'Accessor', 'Description'], ...rows]))
  },
})

export const tune = command({
  usage: 'secrets tune [options] PATH',
  about: `Changes the settings of a mounted secrets engine; what is not given stays.

  %p secrets tune -description="secrets of the shop" secret`,
  words: exactly(1),
  flags: tuneFlags,
  async run({ flags, args, connection, printer }) {
    const path = folder(bare(args[0] ?? ''))
    await orFail(
      `Error tuning secrets engine ${path}`,
      perform(connection(), {
        method: 'POST',
        path: `sys/mounts/${path}tune`,
        body: tuneBody(flags),
      }),
    )
    printer.line(`Success! Tuned the secrets engine at: ${path}`)
  },
})

export const move = command({
  usage: 'secrets move [options] SOURCE DESTINATION',
  about: `Moves a secrets engine to another path. Its leases are revoked.

  %p secrets move secret kept`,
  words: exactly(2),
  async run({ args: [from = '', to = ''], connection, printer }) {
    await moveMount(connection(), printer, { thing: 'secrets engine', from, to })
  },
})
