/** kv get, put, patch, delete, list, scan: the values themselves. */
import type { Json, JsonObject } from '../../../core/json.ts'
import type { Connection } from '../../client/connection.ts'
import { ApiError } from '../../client/errors.ts'
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
import { list as listFlag, text, whole } from '../flags.ts'
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

export function showTable(printer: Printer, title: string, data: JsonObject): void {
  printer.line(headingOver(title, data))
  printer.data(data)
}

/** What a write to version 2 answers: the new version's metadata. */
function showWritten(
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

const patchFlags = {
  cas: whole('Change only if this is the current version.'),
  method: text(
    'How: "patch" (the server merges) or "rw" (read, merge here, write). Default: patch, else rw.',
  ),
  'remove-data': listFlag('A field to remove; may be given several times.'),
  ...mountFlag,
}

export const patch = command({
  usage: 'kv patch [options] KEY K=V...',
  about: `Changes only the given fields of a secret, as a new version (kv version 2).

  %p kv patch secret/app password=-`,
  outputs: 'field',
  words: atLeast(1, '>1'),
  flags: patchFlags,
  async run(call) {
    const [key = '', ...rest] = call.args
    const { method, mount } = call.flags
    if (rest.length === 0 && call.flags['remove-data'].length === 0)
      throw new UsageProblem('Must supply data')
    const connection = call.connection()
    const removed = Object.fromEntries(call.flags['remove-data'].map((name) => [name, null]))
    const changes = { ...(await parseData(rest, inputOf(call))), ...removed }
    const place = await locate(connection, key, mount)
    if (place.version !== 2)
      throw new CommandFailed('K/V engine mount must be version 2 for patch support')
    if (method !== undefined && !['', 'rw', 'patch'].includes(method))
      throw new CommandFailed('Unsupported method provided to -method flag: it is "patch" or "rw"')
    const path = place.below('data')
    const secret =
      method === 'rw'
        ? await readThenWrite(connection, path, changes)
        : await mergePatch(call, connection, path, changes)
    showWritten(call, secret, path, true)
  },
})

/** The server merges; where it cannot (405) or the policy forbids patch (403), it is done here unless told otherwise. */
async function mergePatch(
  { flags, printer }: Call<typeof patchFlags>,
  connection: Connection,
  path: string,
  changes: JsonObject,
): Promise<Secret | undefined> {
  const { cas = 0, method } = flags
  const body = { data: changes, options: cas > 0 ? { cas } : {} }
  const written = writeSecret(connection, path, body, 'PATCH')
  if (method === 'patch') return orFail(`Error writing data to ${path}`, written)
  try {
    return await written
  } catch (error) {
    const status = error instanceof ApiError ? error.status : undefined
    if (status !== 405 && status !== 403)
      return orFail(`Error writing data to ${path}`, Promise.reject(error))
    if (status === 403)
      printer.warn(
        `The policy does not allow "patch" at ${path}: the secret is read, changed and written instead.`,
      )
    return readThenWrite(connection, path, changes)
  }
}

async function readThenWrite(
  connection: Connection,
  path: string,
  changes: JsonObject,
): Promise<Secret | undefined> {
  const { metadata, data } = await readBefore(connection, path, 'patch', {})
  const merged = Object.entries({ ...existing(data, path, 'patch'), ...changes })
  const body = {
    data: Object.fromEntries(merged.filter(([name]) => changes[name] !== null)),
    options: { cas: metadata['version'] ?? 0 },
  }
  return orFail(`Error writing data to ${path}`, writeSecret(connection, path, body))
}

/** The metadata and the data of a version that the next request builds on; read even where that one is only shown. */
async function readBefore(
  connection: Connection,
  path: string,
  what: 'patch' | 'rollback',
  query: Readonly<Record<string, string>>,
): Promise<{ metadata: JsonObject; data: JsonObject | null }> {
  const secret = await orFail(
    `Error doing pre-read at ${path}`,
    readSecret({ ...connection, mode: 'send', wrapTtl: undefined }, path, query),
  )
  if (secret?.data === undefined) throw new CommandFailed(`No value found at ${path}`)
  const metadata = objectOf(secret.data['metadata'])
  if (metadata === null)
    throw new CommandFailed(`No metadata found at ${path}; ${what} only works on existing data`)
  return { metadata, data: objectOf(secret.data['data']) }
}

/** The number of the newest version, deleted or not: what the next write expects. */
export async function newestVersion(connection: Connection, path: string): Promise<Json> {
  const { metadata } = await readBefore(connection, path, 'rollback', {})
  return metadata['version'] ?? 0
}

/** The data of an older version that is still there. */
export async function readVersion(
  connection: Connection,
  path: string,
  version: number,
): Promise<JsonObject> {
  const { metadata, data } = await readBefore(connection, path, 'rollback', {
    version: String(version),
  })
  refuseGone(metadata)
  return existing(data, path, 'rollback')
}

function existing(data: JsonObject | null, path: string, what: 'patch' | 'rollback'): JsonObject {
  if (data !== null) return data
  throw new CommandFailed(`No data found at ${path}; ${what} only works on existing data`)
}

function refuseGone({ deletion_time: deletedAt, destroyed }: JsonObject): void {
  if (typeof deletedAt === 'string' && deletedAt !== '')
    throw new CommandFailed('Cannot roll back to a version that has been deleted')
  if (destroyed === true)
    throw new CommandFailed('Cannot roll back to a version that has been destroyed')
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
  about: `Deletes a secret. Version 2 only hides the newest version, or those that -versions names: "%p kv undelete" brings them back.`,
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
  'Lists the names below a path; folders end with a slash.',
  'listing',
  listSecrets,
)

export const scan = listing(
  'kv scan [options] PATH',
  'Lists the names of the whole tree below a path.',
  'scanning',
  scanSecrets,
)
