/** The commands of `plugin` that show the catalog. */
import type { JsonObject } from '../../core/json.ts'
import { askBare, askData } from '../client/logical.ts'
import { objectOf, textOf } from '../client/secret.ts'
import { tableText } from '../output/table.ts'
import { between, command } from './command.ts'
import { CommandFailed, orFail } from './failure.ts'
import { text, yesNo } from './flags.ts'

const TYPES = ['auth', 'database', 'secret']

export function typeOf(given: string): string {
  if (TYPES.includes(given)) return given
  throw new CommandFailed(
    `Error parsing type: ${JSON.stringify(given)} is not a supported plugin type: it is auth, database or secret`,
  )
}

export const list = command({
  usage: 'plugin list [options] [TYPE]',
  about: `Lists the plugins that the server knows: all, or those of a TYPE (auth, database, secret).

  %p plugin list -detailed secret`,
  outputs: 'format',
  words: between(0, 1, '0 or 1'),
  flags: { detailed: yesNo('Show their type and state too.') },
  async run({ args, flags, connection, printer }) {
    const type = args[0] === undefined ? undefined : typeOf(args[0].trim())
    const data = await orFail(
      'Error listing available plugins',
      askData(connection(), { method: 'GET', path: 'sys/plugins/catalog' }),
    )
    const all = Array.isArray(data['detailed']) ? data['detailed'] : []
    const details = all.flatMap((item: JsonObject) =>
      type === undefined || item['type'] === type ? [item] : [],
    )
    if (printer.format !== 'table') {
      const names = Object.fromEntries(
        TYPES.filter((each) => each in data).map((each) => [each, data[each] ?? null]),
      )
      return printer.data({ ...names, details })
    }
    const columns = columnsOf(flags.detailed, type)
    const rows = details.map((item) => columns.map(([, key]) => textOf(item[key])))
    printer.line(tableText([columns.map(([title]) => title), ...rows]))
  },
})

function columnsOf(
  detailed: boolean,
  type: string | undefined,
): readonly (readonly [string, string])[] {
  return [
    ['Name', 'name'],
    ...(detailed || type === undefined ? [['Type', 'type'] as const] : []),
    ['Version', 'version'],
    ...(detailed ? [['Deprecation Status', 'deprecation_status'] as const] : []),
  ]
}

const INFO = ['args', 'builtin', 'command', 'deprecation_status', 'name', 'sha256', 'version']

export const info = command({
  usage: 'plugin info [options] TYPE NAME',
  about: `Shows a plugin of the catalog.

  %p plugin info secret kv`,
  outputs: 'field',
  words: between(2, 2, '1 or 2'),
  flags: { version: text('Its version.') },
  async run({ args: [type = '', name = ''], flags, connection, printer, field }) {
    const path = `sys/plugins/catalog/${typeOf(type.trim())}/${name.trim()}`
    const query = flags.version === undefined ? {} : { version: flags.version }
    const answer = await orFail(
      `Error reading plugin named ${name}`,
      askBare(connection(), { method: 'GET', path, query }),
    )
    const found = objectOf(answer['data']) ?? answer
    const data = Object.fromEntries(
      INFO.map((key) => [key, found[key] ?? (key === 'args' ? [] : '')]),
    )
    if (field === undefined) printer.data(data)
    else printer.fieldOf(data, field)
  },
})
