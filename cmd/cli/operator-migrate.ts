/** The command `operator migrate`: copies one storage into another, while no server runs. */
import { existsSync } from 'node:fs'
import { StorageRefused, StorageUnavailable } from '../../storage/contract.ts'
import { copyStorage, type Copied, type CopyOptions } from '../../storage/copy.ts'
import { isInUse } from '../../storage/sqlite-inspect.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { setting } from '../client/environment.ts'
import { ConfigError } from '../server/config-error.ts'
import { loadMigration, type Migration } from '../server/config-migrate.ts'
import { command } from './command.ts'
import { CommandFailed, EXIT_REMOTE, EXIT_USAGE } from './failure.ts'
import { text } from './flags.ts'

/** Records. */
const TOLD_EVERY = 50_000

export const migrate = command({
  usage: 'operator migrate -config=FILE [options]',
  about: `Copies all records of one storage into another, sealed as they are: no share and no token is needed. Stop the servers of both first; a source that is in use, or is written to meanwhile, is refused. If it is interrupted, run it again: it goes on where it was. Until then no server starts on the destination.

FILE holds storage_source "sqlite" { path = "/from/keyhold.db" } and storage_destination "sqlite" { path = "/to/keyhold.db" }.

  %p operator migrate -config=migrate.hcl`,
  flags: {
    config: text('The file that says from where and to where. Also: VAULT_MIGRATE_CONFIG_PATH.'),
    start: text('Only copy keys at or after this one, in the order of their bytes.'),
  },
  async run({ flags, printer, terminal }) {
    const path = flags.config ?? setting(terminal.env, 'MIGRATE_CONFIG_PATH') ?? ''
    if (path === '')
      throw new CommandFailed('Must specify exactly one config path using -config', EXIT_USAGE)
    const migration = read(path)
    const signal = terminal.interruption()
    let told = 0
    const onProgress = (records: number) => {
      if (records < told + TOLD_EVERY) return
      told = records
      printer.advise(`${records} records copied`)
    }
    try {
      const { records, wentOn } = await copy(migration, { start: flags.start, onProgress, signal })
      const how = wentOn ? ', after those of an earlier run' : ''
      printer.line(`Success! All of the keys have been migrated: ${records} records${how}.`)
      printer.advise(
        `Name ${migration.destination} in the configuration of the server, start and unseal it. Keep the source until you have read a secret.`,
      )
    } catch (error) {
      if (signal.aborted) {
        printer.line('==> Migration interrupted: run it again, and it goes on')
        return
      }
      if (!(error instanceof StorageRefused || error instanceof StorageUnavailable)) throw error
      throw new CommandFailed(`Error migrating: ${error.message}`, EXIT_REMOTE)
    }
  },
})

function read(path: string): Migration {
  try {
    return loadMigration(path)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new CommandFailed(
      `Error loading configuration from ${path}: ${error.message}`,
      EXIT_USAGE,
    )
  }
}

async function copy({ source, destination }: Migration, options: CopyOptions): Promise<Copied> {
  if (!existsSync(source)) throw new StorageRefused(`the source ${source} does not exist`)
  for (const path of [source, destination]) {
    if (existsSync(path) && isInUse(path)) {
      throw new StorageRefused(`${path} is in use: stop the server, or what else has it open`)
    }
  }
  const from = await openSqlite({ path: source })
  try {
    const to = await openSqlite({ path: destination })
    try {
      return await copyStorage(from, to, options)
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}
