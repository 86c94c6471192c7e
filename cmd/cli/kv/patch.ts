/** kv patch: some fields of a secret. */
import type { JsonObject } from '../../../core/json.ts'
import type { Connection } from '../../client/connection.ts'
import { ApiError } from '../../client/errors.ts'
import { writeSecret } from '../../client/logical.ts'
import type { Secret } from '../../client/secret.ts'
import { atLeast, command } from '../command.ts'
import type { Call } from '../command.ts'
import { inputOf, parseData } from '../data-args.ts'
import { CommandFailed, UsageProblem, orFail } from '../failure.ts'
import { list as listFlag, text, whole } from '../flags.ts'
import { mountFlag } from '../global-flags.ts'
import { existing, readBefore } from './current.ts'
import { locate } from './location.ts'
import { showWritten } from './values.ts'

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
