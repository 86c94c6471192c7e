/** The commands of `audit`: the devices that record each request and answer. */
import { modeNotice } from '../../core/audit/mode.ts'
import type { JsonObject } from '../../core/json.ts'
import { askData, perform } from '../client/logical.ts'
import { objectOf, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import type { Printable } from '../output/printable.ts'
import { tableText } from '../output/table.ts'
import { atLeast, command, exactly, type Call } from './command.ts'
import { inputOf, parseTexts } from './data-args.ts'
import { EXIT_REMOTE, UsageProblem, orFail } from './failure.ts'
import { text, yesNo, type Flags } from './flags.ts'
import { sortedMounts } from './mounts.ts'
import { bare, folder } from './paths.ts'

export const enable = command({
  usage: 'audit enable [options] TYPE [K=V...]',
  about: `Adds an audit device. From then on nothing is answered that it (or another device) has not recorded.

  %p audit enable file file_path=/var/log/keyhold/audit.log`,
  words: atLeast(0),
  flags: {
    description: text('What it is for, in words.'),
    path: text('Its name; default: its type.'),
    local: yesNo('Not replicated to other clusters.'),
  },
  async run(call) {
    const [given = '', ...rest] = call.args
    const { description = '', local, path: named = '' } = call.flags
    const type = given.trim()
    if (type === '')
      throw new UsageProblem(
        "Error enabling audit device: audit type missing. Valid types include 'file', 'socket' and 'syslog'.",
      )
    const path = folder(named || type)
    const options = await parseTexts(rest, inputOf(call))
    const body = { type, description, options, local }
    await orFail(
      'Error enabling audit device',
      perform(call.connection(), { method: 'PUT', path: `sys/audit/${path}`, body }),
    )
    call.printer.line(`Success! Enabled the ${type} audit device at: ${path}`)
    const notice = type === 'file' ? modeNotice(options['mode']) : undefined
    if (notice !== undefined) call.printer.warn(`WARNING! ${notice}`)
    if (type === 'file' && options['chain'] !== undefined) await showKey(call, path)
  },
})

/** The key is worth something where nobody who can change the file can change it: so it is shown when it is made. */
async function showKey({ connection, printer }: Call<Flags>, path: string): Promise<void> {
  const devices = await orFail(
    'Error asking for the public key',
    askData(connection(), { method: 'GET', path: 'sys/audit' }),
  )
  const key = textOf(objectOf(devices[path])?.['chain_public_key'])
  if (key !== '')
    printer.line(`Its entries are verified with this public key, to be kept elsewhere: ${key}`)
}

export const disable = command({
  usage: 'audit disable [options] PATH',
  about: `Removes an audit device. What it has written stays.

  %p audit disable file`,
  words: exactly(1),
  async run({ args, connection, printer }) {
    const path = folder(bare(args[0] ?? ''))
    await orFail(
      'Error disabling audit device',
      perform(connection(), { method: 'DELETE', path: `sys/audit/${path}` }),
    )
    printer.line(`Success! Disabled audit device (if it was enabled) at: ${path}`)
  },
})

export const list = command({
  usage: 'audit list [options]',
  about: `Lists the audit devices. Exit code 2: there are none.

  %p audit list -detailed`,
  outputs: 'format',
  flags: { detailed: yesNo('Show their options too.') },
  async run({ flags, connection, printer }) {
    const devices = sortedMounts(
      await orFail(
        'Error listing audits',
        askData(connection(), { method: 'GET', path: 'sys/audit' }),
      ),
    )
    if (printer.format !== 'table')
      return printer.data(new Map(devices.map(([path, device]) => [path, deviceMembers(device)])))
    if (devices.length === 0) {
      printer.line('No audit devices are enabled.')
      return EXIT_REMOTE
    }
    const titles = [
      'Path',
      'Type',
      'Description',
      ...(flags.detailed ? ['Replication', 'Options'] : []),
    ]
    const rows = devices.map(([path, device]) => [
      path,
      textOf(device['type']),
      textOf(device['description']),
      ...(flags.detailed ? details(device) : []),
    ])
    printer.line(tableText([titles, ...rows]))
    return 0
  },
})

function details(device: JsonObject): readonly string[] {
  const options = Object.entries(objectOf(device['options']) ?? {})
  return [
    device['local'] === true ? 'local' : 'replicated',
    options.map(([key, value]) => `${key}=${goValue(value)}`).join(' '),
  ]
}

function deviceMembers(device: JsonObject): ReadonlyMap<string, Printable> {
  const key = device['chain_public_key']
  return new Map<string, Printable>([
    ['type', textOf(device['type'])],
    ['description', textOf(device['description'])],
    ['options', objectOf(device['options'])],
    ['local', device['local'] === true],
    ['path', textOf(device['path'])],
    ...(typeof key === 'string' ? [['chain_public_key', key] as const] : []),
  ])
}
