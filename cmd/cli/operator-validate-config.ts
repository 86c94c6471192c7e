/** The command `operator validate-config`: reads a server's configuration as the server would, on whichever machine. */
import { setting } from '../client/environment.ts'
import { failure, ok, warning, worst, type Finding } from '../diagnose/finding.ts'
import { ConfigError, loadConfig } from '../server/config.ts'
import { startWarnings } from '../server/start-warnings.ts'
import { command } from './command.ts'
import { CommandFailed } from './failure.ts'
import { list } from './flags.ts'
import { asData, EXIT_CODES, EXIT_WRONG_CALL, show } from './operator-diagnose.ts'

export const validateConfig = command({
  usage: 'operator validate-config [options]',
  about: `Reads the configuration of a server and says what is wrong with it: before it is rolled out, in a review, on any machine. It opens no file that the configuration names and asks no server; "operator diagnose" looks at those. Exit code: 0 all is well, 1 the server would not start with it, 2 something in it should be looked at, 3 the command line is wrong.

  %p operator validate-config -config=/etc/keyhold/keyhold.hcl`,
  outputs: 'format',
  flags: {
    config: list(
      'A configuration file or folder, as for the server; may be given several times. Also: VAULT_CONFIG_PATH.',
    ),
  },
  async run({ flags, printer, terminal }) {
    const named = setting(terminal.env, 'CONFIG_PATH')
    const paths = flags.config.length === 0 && named !== undefined ? [named] : flags.config
    if (paths.length === 0)
      throw new CommandFailed('Must specify a configuration file using -config.', EXIT_WRONG_CALL)
    const findings = findingsOf(paths)
    const status = worst(findings.map((finding) => finding.status))
    const results = [{ title: 'Configuration', status, findings }]
    if (printer.format === 'table') show(results, printer)
    else printer.data(asData(results, status))
    return EXIT_CODES[status]
  },
})

function findingsOf(paths: readonly string[]): readonly Finding[] {
  try {
    const config = loadConfig(paths)
    const warnings = startWarnings(config).map((text) =>
      warning(text, 'as it says; the server starts all the same'),
    )
    return [ok(`the configuration ${paths.join(', ')} is understood`), ...warnings]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [failure(error.message, 'mend it, and run this again')]
  }
}
