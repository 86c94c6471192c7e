/** The commands of `plugin` about pins: the version of a plugin that serves all its mounts. The bao CLI has none. */
import type { JsonObject } from '../../core/json.ts'
import { askData, perform } from '../client/logical.ts'
import { textOf } from '../client/secret.ts'
import { tableText } from '../output/table.ts'
import { command, exactly } from './command.ts'
import { UsageProblem, orFail } from './failure.ts'
import { text } from './flags.ts'
import { typeOf } from './plugin.ts'

function pinPath(type: string, name: string): string {
  return `sys/plugins/pins/${typeOf(type.trim())}/${name.trim()}`
}

export const pin = command({
  usage: 'plugin pin -version=VERSION TYPE NAME',
  about: `Has one version of a plugin serve all its mounts, whatever each of them is tuned to, from the next request on.

  %p plugin pin -version=v2.0.0 secret my-engine`,
  words: exactly(2),
  flags: { version: text('The version, which is in the catalog: v1.2.3.') },
  async run({ args: [type = '', name = ''], flags, connection, printer }) {
    const { version = '' } = flags
    if (version === '') throw new UsageProblem('give -version, which of them is to serve')
    const path = pinPath(type, name)
    await orFail(
      `Error pinning plugin ${name}`,
      perform(connection(), { method: 'PUT', path, body: { version } }),
    )
    printer.line(`Success! Pinned plugin: ${name} at ${version}`)
  },
})

export const unpin = command({
  usage: 'plugin unpin TYPE NAME',
  about: `Lets each mount of a plugin have the version that it is tuned to again.

  %p plugin unpin secret my-engine`,
  words: exactly(2),
  async run({ args: [type = '', name = ''], connection, printer }) {
    await orFail(
      `Error unpinning plugin ${name}`,
      perform(connection(), { method: 'DELETE', path: pinPath(type, name) }),
    )
    printer.line(`Success! Unpinned plugin (if it was pinned): ${name}`)
  },
})

export const pins = command({
  usage: 'plugin pins [options]',
  about: `Lists the versions that are pinned.

  %p plugin pins`,
  outputs: 'format',
  async run({ connection, printer }) {
    const data = await orFail(
      'Error listing pinned versions',
      askData(connection(), { method: 'GET', path: 'sys/plugins/pins' }),
    )
    const all = Array.isArray(data['pinned_versions']) ? data['pinned_versions'] : []
    if (printer.format !== 'table') return printer.data(all)
    const rows = all.map((one: JsonObject) => COLUMNS.map(([, key]) => textOf(one[key])))
    printer.line(tableText([COLUMNS.map(([title]) => title), ...rows]))
  },
})

const COLUMNS = [
  ['Name', 'name'],
  ['Type', 'type'],
  ['Version', 'version'],
] as const
