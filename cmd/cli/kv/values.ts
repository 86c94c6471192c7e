/** kv get, put, delete, list, scan: the values themselves. `patch` has its own file. */
import type { JsonObject } from '../../../core/json.ts'
import {
  deleteSecret,
  listSecrets,
  readSecret,
  scanSecrets,
  writeSecret,
} from '../../client/logical.ts'
import { objectOf } from '../../client/secret.ts'
import type { Secret } from '../../client/secret.ts'
import type { Printer } from '../../output/printer.ts'
import { atLeast, between, command, exactly } from '../command.ts'
import type { Call, Command } from '../command.ts'
import { inputOf, parseData } from '../data-args.ts'
import { CommandFailed, UsageProblem, orFail } from '../failure.ts'
import { list as listFlag, whole } from '../flags.ts'
import type { Flags } from '../flags.ts'
import { mountFlag } from '../global-flags.ts'
import { showChange, showList } from '../logical.ts'
import { heading, headingOver } from './headings.ts'
import { locate } from './location.ts'

export const get = command({
  usage: 'kv get [options] KEY',
  about: `Shows a secret: its newest version, or the one that -version names.

  %p kv get secret/app
  %p kv get -mount=secret -field=password app`,
  outputs: 'field',
  words: exactly(1),
  flags: { version: whole('The version to show.'), ...mountFlag },
  async run(call) {
    const connection = call.connection()
    const place = await locate(connection, call.args[0] ?? '', call.flags.mount)
    const v2 = place.version === 2
    const path = v2 ? place.below('data') : place.plain
    const { version = 0 } = call.flags
    const query = v2 && version > 0 ? { version: String(version) } : {}
    const secret = await orFail(`Error reading ${path}`, readSecret(connection, path, query))
    if (secret === undefined) throw new CommandFailed(`No value found at ${path}`)
    if (call.field !== undefined) showField(call.printer, secret, call.field, v2 ? path : undefined)
    else if (secret.wrapInfo !== undefined || call.printer.format !== 'table')
      call.printer.secret(secret)
    else showValue(call.printer, secret, v2 ? path : undefined)
  },
})

/** @param v2Path set for version 2, whose fields lie one level deeper */
function showField(
  printer: Printer,
  secret: Secret,
  field: string,
  v2Path: string | undefined,
): void {
  if (v2Path === undefined) return printer.field(secret, field)
  const data = objectOf(secret.data?.['data'])
  if (data === null) throw new CommandFailed(`No data found at ${v2Path}`)
  // `-field=data` means the whole block, unless the secret has a field of that name.
  if (field === 'data' && !('data' in data)) return printer.field(secret, field)
  printer.fieldOf(data, field)
}

function showValue(printer: Printer, secret: Secret, v2Path: string | undefined): void {
  printer.warnings(secret)
  if (v2Path !== undefined) showPath(printer, v2Path, 'Secret Path')
  const metadata = objectOf(secret.data?.['metadata'])
  if (metadata !== null) {
    showTable(printer, 'Metadata', metadata)
    printer.line('')
  }
  const data = v2Path === undefined ? secret.data : objectOf(secret.data?.['data'])
  if (data !== null && data !== undefined) showTable(printer, 'Data', data)
}

export function showPath(printer: Printer, path: string, title: string): void {
  printer.line(heading(title, path.length))
  printer.line(path)
  printer.line('')
}

function showTable(printer: Printer, title: string, data: JsonObject): void {
  printer.line(headingOver(title, data))
  printer.data(data)
}

/** What a write to version 2 answers: the new version's metadata. */
export function showWritten(
  call: Pick<Call<Flags>, 'printer' | 'field'>,
  secret: Secret | undefined,
  path: string,
  v2: boolean,
): void {
  const { printer, field } = call
  const asTable =
    printer.format === 'table' && field === undefined && secret?.wrapInfo === undefined
  if (!v2 || secret?.data === undefined || !asTable)
    return showChange(call, secret, `Success! Data written to: ${path}`)
  printer.warnings(secret)
  showPath(printer, path, 'Secret Path')
  showTable(printer, 'Metadata', secret.data)
}

export const put = command({
  usage: 'kv put [options] KEY K=V...',
  about: `Stores a secret; version 2 keeps the versions before it. A value may come from a file (key=@file) or from standard input (key=-), the whole secret from either as JSON (@file.json, -).

  %p kv put secret/app user=ann password=-`,
  outputs: 'field',
  words: atLeast(1, '>1'),
  flags: {
    cas: whole('Store only if this is the current version; 0: only if there is none yet.'),
    ...mountFlag,
  },
  async run(call) {
    const [key = '', ...rest] = call.args
    if (rest.length === 0) throw new UsageProblem('Must supply data')
    const connection = call.connection()
    const data = await parseData(rest, inputOf(call))
    const place = await locate(connection, key, call.flags.mount)
    const v2 = place.version === 2
    const path = v2 ? place.below('data') : place.plain
    const body = v2 ? { data, options: casOption(call.flags.cas) } : data
    const secret = await orFail(
      `Error writing data to ${path}`,
      writeSecret(connection, path, body),
    )
    showWritten(call, secret, path, v2)
  },
})

function casOption(cas: number | undefined): JsonObject {
  return cas === undefined || cas < 0 ? {} : { cas }
}

/** `-versions=1,2 -versions=3` */
export function versionList(given: readonly string[]): readonly string[] {
  return given
    .flatMap((item) => item.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

export const remove = command({
  usage: 'kv delete [options] KEY',
  about: `Deletes a secret. Version 2 only hides the newest version, or those that -versions names: "%p kv undelete" brings them back.

  %p kv delete secret/app
  %p kv delete -versions=1,2 secret/app`,
  outputs: 'field',
  words: exactly(1),
  flags: { versions: listFlag('Versions to delete: 1,2'), ...mountFlag },
  async run(call) {
    const connection = call.connection()
    const place = await locate(connection, call.args[0] ?? '', call.flags.mount)
    const path = place.version === 2 ? place.below('data') : place.plain
    const versions = versionList(call.flags.versions)
    const deleted =
      place.version === 2 && versions.length > 0
        ? writeSecret(connection, place.below('delete'), { versions })
        : deleteSecret(connection, path)
    const secret = await orFail(`Error deleting ${path}`, deleted)
    showChange(call, secret, `Success! Data deleted (if it existed) at: ${path}`)
  },
})

function listing(usage: string, about: string, verb: string, ask: typeof listSecrets): Command {
  return command({
    usage,
    about,
    outputs: 'format',
    words: between(0, 1, '1'),
    flags: mountFlag,
    async run(call) {
      const [given] = call.args
      const { mount } = call.flags
      if (given === undefined && (mount ?? '') === '')
        throw new UsageProblem('Not enough arguments (expected 1, got 0)')
      const connection = call.connection()
      const place = await locate(connection, given ?? '', mount)
      const path = place.version === 2 ? place.below('metadata') : place.plain
      const secret = await orFail(`Error ${verb} ${path}`, ask(connection, path))
      showList(call, secret, path)
    },
  })
}

export const list = listing(
  'kv list [options] PATH',
  `Lists the names below a path; folders end with a slash.

  %p kv list secret/apps
  %p kv list -mount=secret apps`,
  'listing',
  listSecrets,
)

export const scan = listing(
  'kv scan [options] PATH',
  `Lists the names of the whole tree below a path.

  %p kv scan secret`,
  'scanning',
  scanSecrets,
)
