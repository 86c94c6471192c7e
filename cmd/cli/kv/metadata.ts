/** kv metadata get, put, patch, delete: what version 2 keeps beside the values. */
import { goDuration } from '../../../core/duration.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Connection } from '../../client/connection.ts'
import { deleteSecret, readSecret, writeSecret } from '../../client/logical.ts'
import { objectOf } from '../../client/secret.ts'
import { command, exactly } from '../command.ts'
import type { Call } from '../command.ts'
import { CommandFailed, UsageProblem, orFail } from '../failure.ts'
import type { FlagValues, Flags } from '../flags.ts'
import { duration, list, maybe, pairs, whole } from '../flags.ts'
import { mountFlag } from '../global-flags.ts'
import { showChange } from '../logical.ts'
import { headingOver } from './headings.ts'
import { locate } from './location.ts'
import { showPath } from './values.ts'

async function metadataPath(
  call: Call<typeof mountFlag & Flags>,
  connection: Connection,
): Promise<string> {
  const place = await locate(connection, call.args[0] ?? '', call.flags.mount)
  if (place.version !== 2) throw new UsageProblem('Metadata not supported on KV Version 1')
  return place.below('metadata')
}

export const get = command({
  usage: 'kv metadata get [options] KEY',
  about: `Shows the settings of a secret and each of its versions, without the data.

  %p kv metadata get secret/app`,
  outputs: 'format',
  words: exactly(1),
  flags: mountFlag,
  async run(call) {
    const { printer } = call
    const connection = call.connection()
    const path = await metadataPath(call, connection)
    const secret = await orFail(`Error reading ${path}`, readSecret(connection, path))
    if (secret === undefined) throw new CommandFailed(`No value found at ${path}`)
    if (secret.wrapInfo !== undefined || printer.format !== 'table') return printer.secret(secret)
    const { versions, ...data } = secret.data ?? {}
    const known = objectOf(versions)
    if (known === null) throw new CommandFailed(`No value found at ${path}`)
    showPath(printer, path, 'Metadata Path')
    printer.line(headingOver('Metadata', data))
    printer.secret({ ...secret, data })
    for (const version of Object.keys(known).sort((a, b) => Number(a) - Number(b))) {
      const facts = objectOf(known[version]) ?? {}
      printer.line(`\n${headingOver(`Version ${version}`, facts)}`)
      printer.data(facts)
    }
  },
})

const settingFlags = {
  'max-versions': whole('How many versions to keep; 0: as the engine is configured.'),
  'cas-required': maybe('Refuse writes that do not name the version they replace.'),
  'delete-version-after': duration('Delete each version after this time.'),
  'custom-metadata': pairs('Something to remember about this secret; may be given several times.'),
  ...mountFlag,
}

function settingsOf(flags: FlagValues<typeof settingFlags>): JsonObject {
  const { 'max-versions': most, 'cas-required': cas, 'delete-version-after': after } = flags
  return {
    ...(most === undefined || most < 0 ? {} : { max_versions: most }),
    ...(cas === undefined ? {} : { cas_required: cas }),
    ...(after === undefined || after < 0 ? {} : { delete_version_after: goDuration(after) }),
  }
}

export const put = command({
  usage: 'kv metadata put [options] KEY',
  about: `Sets how a secret is kept, and what is remembered about it. The secret need not exist yet.

  %p kv metadata put -max-versions=5 -custom-metadata=owner=ann secret/app`,
  outputs: 'format',
  words: exactly(1),
  flags: settingFlags,
  async run(call) {
    const connection = call.connection()
    const path = await metadataPath(call, connection)
    const custom = call.flags['custom-metadata']
    const body = {
      ...settingsOf(call.flags),
      ...(Object.keys(custom).length === 0 ? {} : { custom_metadata: custom }),
    }
    const secret = await orFail(
      `Error writing data to ${path}`,
      writeSecret(connection, path, body),
    )
    showChange(call, secret, `Success! Data written to: ${path}`)
  },
})

export const patch = command({
  usage: 'kv metadata patch [options] KEY',
  about: `Changes only the given settings of a secret, and only the given custom metadata.

  %p kv metadata patch -max-versions=5 secret/app`,
  outputs: 'format',
  words: exactly(1),
  flags: {
    ...settingFlags,
    'remove-custom-metadata': list(
      'A key of the custom metadata to remove; may be given several times.',
    ),
  },
  async run(call) {
    const connection = call.connection()
    const path = await metadataPath(call, connection)
    const removed = call.flags['remove-custom-metadata'].map((key) => [key, null] as const)
    const custom = { ...call.flags['custom-metadata'], ...Object.fromEntries(removed) }
    const body = { ...settingsOf(call.flags), custom_metadata: custom }
    const secret = await orFail(
      `Error writing data to ${path}`,
      writeSecret(connection, path, body, 'PATCH'),
    )
    showChange(call, secret, `Success! Data written to: ${path}`)
  },
})

export const remove = command({
  usage: 'kv metadata delete [options] KEY',
  about: `Deletes a secret with all its versions and metadata, for good.

  %p kv metadata delete secret/app`,
  words: exactly(1),
  flags: mountFlag,
  async run(call) {
    const connection = call.connection()
    const path = await metadataPath(call, connection)
    await orFail(`Error deleting ${path}`, deleteSecret(connection, path))
    call.printer.line(`Success! Data deleted (if it existed) at: ${path}`)
  },
})
