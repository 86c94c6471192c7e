/** The command `version-history`. */
import { listSecrets, plainly } from '../client/logical.ts'
import { listedKeys, objectOf, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import { tableText } from '../output/table.ts'
import { command } from './command.ts'
import { CommandFailed, orFail } from './failure.ts'

/** Vault's and OpenBao's say this before each answer, and scripts compare it. */
const NOTE = `
Note:
Use of this command requires a server running Vault 1.10.0 or greater.
Version tracking was added in 1.9.0. Earlier versions have not been tracked.

`

export const versionHistory = command({
  usage: 'version-history [options]',
  about: `Lists the releases that ran over the server's storage, and since when.

  %p version-history`,
  outputs: 'format',
  async run({ connection, printer, program }) {
    const secret = await orFail(
      'Error reading version history',
      plainly(listSecrets(connection(), 'sys/version-history')),
    )
    const keys = listedKeys(secret)
    if (secret === undefined || keys === undefined)
      throw new CommandFailed(`Invalid response returned from ${program.server}`)
    if (program.command !== 'keyhold') printer.warn(NOTE)
    if (printer.format !== 'table') return printer.secret(secret)
    const known = objectOf(secret.data?.['key_info']) ?? {}
    const rows = keys.map(goValue).map((version) => {
      const info = objectOf(known[version]) ?? {}
      const committed = textOf(info['commit_date']) || textOf(info['build_date'])
      return [version, textOf(info['timestamp_installed']), committed]
    })
    printer.line(tableText([['Version', 'Installation Time', 'Commit Date'], ...rows]))
  },
})
