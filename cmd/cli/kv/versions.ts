/** kv undelete, destroy, rollback, enable-versioning: the versions of kv version 2. */
import { perform, writeSecret } from '../../client/logical.ts'
import { command, exactly } from '../command.ts'
import type { Command } from '../command.ts'
import { CommandFailed, UsageProblem, orFail } from '../failure.ts'
import { list, whole } from '../flags.ts'
import { mountFlag } from '../global-flags.ts'
import { showChange } from '../logical.ts'
import { bare, folder } from '../paths.ts'
import { newestVersion, readVersion } from './current.ts'
import { locate } from './location.ts'
import { versionList } from './values.ts'

function onVersions(verb: 'undelete' | 'destroy', title: string, about: string): Command {
  return command({
    usage: `kv ${verb} [options] KEY`,
    about: `${about}

  %p kv ${verb} -versions=1,2 secret/app`,
    outputs: 'format',
    words: exactly(1),
    flags: { versions: list(`Versions to ${verb}: 1,2`), ...mountFlag },
    async run(call) {
      const versions = versionList(call.flags.versions)
      if (versions.length === 0)
        throw new UsageProblem(
          `No versions provided, use the "-versions" flag to specify the version to ${verb}.`,
        )
      const connection = call.connection()
      const place = await locate(connection, call.args[0] ?? '', call.flags.mount)
      if (place.version !== 2) throw new UsageProblem(`${title} not supported on KV Version 1`)
      const path = place.below(verb)
      const secret = await orFail(
        `Error writing data to ${path}`,
        writeSecret(connection, path, { versions }),
      )
      showChange(call, secret, `Success! Data written to: ${path}`)
    },
  })
}

export const undelete = onVersions(
  'undelete',
  'Undelete',
  'Brings deleted versions of a secret back.',
)

export const destroy = onVersions(
  'destroy',
  'Destroy',
  'Removes the data of versions of a secret for good: nothing brings them back.',
)

export const rollback = command({
  usage: 'kv rollback [options] KEY',
  about: `Makes an older version of a secret the current one again, by writing it as a new version.

  %p kv rollback -version=2 secret/app`,
  outputs: 'format',
  words: { min: 1, max: 1, expected: '1' },
  flags: { version: whole('The version to go back to.'), ...mountFlag },
  async run(call) {
    const { version, mount } = call.flags
    if (version === undefined) throw new UsageProblem('Version flag must be specified')
    if (version <= 0) throw new UsageProblem(`Invalid value ${version} for the version flag`)
    const connection = call.connection()
    const place = await locate(connection, call.args[0] ?? '', mount)
    if (place.version !== 2)
      throw new CommandFailed('K/V engine mount must be version 2 for rollback support')
    const path = place.below('data')
    const newest = await newestVersion(connection, path)
    const data = await readVersion(connection, path, version)
    const secret = await orFail(
      `Error writing data to ${path}`,
      writeSecret(connection, path, { data, options: { cas: newest } }),
    )
    showChange(call, secret, `Success! Data written to: ${path}`)
  },
})

export const enableVersioning = command({
  usage: 'kv enable-versioning [options] PATH',
  about: `Makes a kv engine of version 1 one of version 2. Its secrets become their own first versions.

  %p kv enable-versioning secret`,
  outputs: 'format',
  words: exactly(1),
  async run(call) {
    const mount = folder(bare(call.args[0] ?? ''))
    await orFail(
      `Error tuning secrets engine ${mount}`,
      perform(call.connection(), {
        method: 'POST',
        path: `sys/mounts/${mount}tune`,
        body: { options: { version: '2' } },
      }),
    )
    call.printer.line(`Success! Tuned the secrets engine at: ${mount}`)
  },
})
