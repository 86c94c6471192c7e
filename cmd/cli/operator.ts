/** The ceremonies of an operator: seal, key-status, rotate, step-down, members. `init` and `unseal` have their own files. */
import type { JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { askBare, askData, perform } from '../client/logical.ts'
import { textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import type { Printable } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { columnText, tableText } from '../output/table.ts'
import { command } from './command.ts'
import { orFail } from './failure.ts'

export const seal = command({
  usage: 'operator seal [options]',
  about: `Seals the server: it forgets its keys and answers nothing until enough key shares unseal it again.

  %p operator seal`,
  async run({ connection, printer, program }) {
    await orFail(
      'Error sealing',
      perform(connection(), { method: 'PUT', path: 'sys/seal', body: {} }),
    )
    printer.line(`Success! ${program.server} is sealed.`)
    printer.advise(
      `To open it again, holders of the key shares run: ${program.command} operator unseal`,
    )
  },
})

export const keyStatus = command({
  usage: 'operator key-status [options]',
  about: `Shows the term of the encryption key that new data is sealed with.

  %p operator key-status`,
  outputs: 'format',
  async run({ connection, printer }) {
    showKeyStatus(printer, await askKeyStatus(connection()))
  },
})

export const rotate = command({
  usage: 'operator rotate [options]',
  about: `Starts a new encryption key for what is written from now on. Older data stays readable; no key share changes.

  %p operator rotate`,
  outputs: 'format',
  async run({ connection: connect, printer }) {
    const connection = connect()
    await orFail(
      'Error rotating key',
      perform(connection, { method: 'POST', path: 'sys/rotate', body: {} }),
    )
    const status = await askKeyStatus(connection)
    if (printer.format === 'table') printer.line('Success! Rotated key\n')
    showKeyStatus(printer, status)
  },
})

function askKeyStatus(connection: Connection): Promise<JsonObject> {
  return orFail(
    'Error reading key status',
    askData(connection, { method: 'GET', path: 'sys/key-status' }),
  )
}

function showKeyStatus(printer: Printer, status: JsonObject): void {
  const { term = 0, install_time: installed = '', encryptions = 0 } = status
  if (printer.format === 'table')
    printer.line(
      columnText([
        ['Key Term', goValue(term)],
        ['Install Time', shortDate(textOf(installed))],
        ['Encryption Count', goValue(encryptions)],
      ]),
    )
  else
    printer.data(
      new Map<string, Printable>([
        ['term', term],
        ['install_time', installed],
        ['encryptions', encryptions],
      ]),
    )
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `24 Nov 26 08:16 UTC` (RFC 822 as Go has it). */
function shortDate(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return time
  const two = (part: number): string => String(part).padStart(2, '0')
  const month = MONTHS[date.getUTCMonth()] ?? ''
  const year = two(date.getUTCFullYear() % 100)
  return `${two(date.getUTCDate())} ${month} ${year} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`
}

export const stepDown = command({
  usage: 'operator step-down [options]',
  about: `Asks the active node to hand its duties over to another one.

  %p operator step-down`,
  async run({ connection: connect, printer }) {
    const connection = connect()
    await orFail(
      'Error stepping down',
      perform(connection, { method: 'PUT', path: 'sys/step-down', body: {} }),
    )
    printer.line(`Success! Stepped down: ${connection.address.href.replace(/\/$/, '')}`)
  },
})

const MEMBER_COLUMNS: readonly (readonly [string, string])[] = [
  ['Host Name', 'hostname'],
  ['API Address', 'api_address'],
  ['Cluster Address', 'cluster_address'],
  ['Active Node', 'active_node'],
  ['Version', 'version'],
  ['Upgrade Version', 'upgrade_version'],
  ['Last Echo', 'last_echo'],
]

export const members = command({
  usage: 'operator members [options]',
  about: `Lists the nodes of the cluster.

  %p operator members`,
  outputs: 'format',
  async run({ connection, printer }) {
    const answer = await askBare(connection(), { method: 'GET', path: 'sys/ha-status' })
    if (printer.format !== 'table') return printer.data(answer)
    const nodes = Array.isArray(answer['nodes']) ? answer['nodes'] : []
    const rows = nodes.map((node: JsonObject) =>
      MEMBER_COLUMNS.map(([, key]) =>
        node[key] === null || node[key] === undefined ? '' : goValue(node[key]),
      ),
    )
    printer.line(tableText([MEMBER_COLUMNS.map(([title]) => title), ...rows]))
  },
})
