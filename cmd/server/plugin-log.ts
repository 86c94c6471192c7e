/** What the server's log has of external plugins: each line says whose it is, and what a plugin printed is marked so. */
import { shownName } from '../../core/external/failures.ts'
import type { PluginLog } from '../../core/external/program.ts'
import type { Logger } from './log-parts.ts'

/** @param describe an error as the log has it */
export function pluginLog(log: Logger, describe: (error: unknown) => string): PluginLog {
  return {
    printed: ({ name, version }, stream, line) =>
      log.info({ plugin: name, version, stream }, `plugin: ${name} printed: ${line}`),
    started: (plugin) => log.info(`plugin: ${shownName(plugin)} has started`),
    failed: (plugin, why, cause) =>
      log.error(
        cause === undefined ? {} : { err: describe(cause) },
        `plugin: ${shownName(plugin)} ${why}`,
      ),
  }
}
