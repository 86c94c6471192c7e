/** `keyhold server`: reads what it is told, starts, and runs until a signal ends it. */
import { resolve } from 'node:path'
import { ListenerRefused } from '../../core/http/listener-refused.ts'
import { PRODUCT_VERSION } from '../../core/version.ts'
import { StorageRefused } from '../../storage/contract.ts'
import type { Terminal } from '../cli/terminal.ts'
import { writeTokenFile } from '../cli/token-file.ts'
import { ConfigError, loadConfig, type ServerConfig } from './config.ts'
import {
  checkRootTokenId,
  DEFAULT_DEV_ADDRESS,
  devAddress,
  devBanner,
  devCertificate,
  devConfig,
  devFolder,
  prepareDev,
} from './dev.ts'
import { environment, FlagsRefused, logOptions, readFlags, USAGE, type Flags } from './flags.ts'
import { limitHeapGrowth } from './heap.ts'
import { openLog } from './log.ts'
import type { Logger } from './log-parts.ts'
import { writePidFile } from './pid-file.ts'
import { RunningServer } from './running.ts'
import { startWarnings } from './start-warnings.ts'
import { typedCommand } from './typed-command.ts'

/** @param startedAs the path of the program; @returns the exit code */
export async function runServer(
  argv: readonly string[],
  terminal: Terminal,
  startedAs: string,
): Promise<number> {
  try {
    const flags = readFlags(argv)
    if (flags.help) {
      terminal.out(USAGE)
      return 0
    }
    limitHeapGrowth()
    const isDev = flags.dev || flags['dev-tls']
    return await (isDev ? runDev(flags, terminal, startedAs) : runConfigured(flags, terminal))
  } catch (error) {
    if (!isRefusal(error)) throw error
    terminal.err(`Error starting the server: ${error.message}\n`)
    if (error instanceof ListenerRefused) terminal.err(`hint: ${error.hint}\n`)
    if (error instanceof FlagsRefused) terminal.err('hint: keyhold server -help lists the flags\n')
    return 1
  }
}

function isRefusal(error: unknown): error is Error {
  return (
    error instanceof FlagsRefused ||
    error instanceof ListenerRefused ||
    error instanceof StorageRefused ||
    error instanceof ConfigError
  )
}

async function runConfigured(flags: Flags, terminal: Terminal): Promise<number> {
  const paths = flags.config ?? []
  if (paths.length === 0) {
    terminal.err('Must specify at least one config path using -config, or start with -dev\n')
    return 1
  }
  const config = loadConfig(paths)
  const serverLog = openLog(logOptions(flags, terminal.env, config))
  const log = serverLog.parts.core
  const server = await RunningServer.start(
    {
      ...config.running,
      apiAddress: config.apiAddress,
      prometheus: config.prometheusRetentionSeconds > 0,
      debugging: {
        rawStorage: config.rawStorageEndpoint,
        introspection: config.introspectionEndpoint,
      },
    },
    serverLog,
  )
  for (const text of startWarnings(config)) log.warn(`core: ${text}`)
  let removePidFile = (): void => undefined
  try {
    if (config.pidFile !== undefined) removePidFile = writePidFile(config.pidFile)
  } catch (error) {
    await server.stop()
    throw error
  }
  const banner = configuredBanner(server, config)
  return untilSignal(server, () => terminal.out(banner), removePidFile)
}

async function runDev(flags: Flags, terminal: Terminal, startedAs: string): Promise<number> {
  const { env } = terminal
  const address = devAddress(
    flags['dev-listen-address'] ?? environment(env, 'DEV_LISTEN_ADDRESS') ?? DEFAULT_DEV_ADDRESS,
  )
  const rootTokenId = flags['dev-root-token-id'] ?? environment(env, 'DEV_ROOT_TOKEN_ID')
  checkRootTokenId(rootTokenId)
  const serverLog = openLog(logOptions(flags, env, {}))
  const log = serverLog.parts.core
  if (flags.config !== undefined) log.warn('core: -dev reads no configuration; -config is ignored')
  const folder = devFolder()
  try {
    const where = { named: flags['dev-tls-cert-dir'], folder: folder.path }
    const tls = flags['dev-tls'] ? devCertificate(address, where) : undefined
    const config = devConfig(address, { folder: folder.path, files: tls?.files })
    const plugins = flags['dev-plugin-dir']
    const server = await RunningServer.start(
      {
        ...config,
        ...(plugins !== undefined && { externalPlugins: { directory: resolve(plugins) } }),
      },
      serverLog,
    )
    const keys = await prepareDev(server.node, { rootTokenId })
    if (!flags['dev-no-store-token']) keepToken(keys.rootToken, terminal, log)
    const command = typedCommand({
      path: startedAs,
      directory: process.cwd(),
      byNpm: env['npm_lifecycle_event'] !== undefined,
    })
    const banner = devBanner(
      { url: server.urls[0] ?? '', authorityFile: tls?.publish().authorityFile },
      keys,
      command,
    )
    return await untilSignal(server, () => terminal.out(banner), folder.remove)
  } catch (error) {
    folder.remove()
    throw error
  }
}

/** A service's user may have no folder of its own: the server runs without. */
function keepToken(token: string, { home, env }: Terminal, log: Logger): void {
  try {
    writeTokenFile(home, token, environment(env, 'TOKEN_PATH'))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    log.warn({ code }, 'core: the root token was not written to .vault-token in the home folder')
  }
}

function configuredBanner(server: RunningServer, { running }: ServerConfig): string {
  const lines = [
    ['Version', `Keyhold v${PRODUCT_VERSION}`],
    ...server.urls.map((url, i) => [`Listener ${i + 1}`, url]),
    ['Storage', running.storage.type],
  ]
  const rows = lines.map(([name, value]) => `${`${name}:`.padStart(22)} ${value}`)
  return `==> Keyhold server configuration:\n\n${rows.join('\n')}\n\n==> Keyhold server started! Log data goes to standard error.\n\n`
}

/**
 * Runs until SIGINT or SIGTERM; SIGHUP reloads. A second signal ends it at once.
 * @param announce says that the server is ready: a signal sent on reading that is heard already
 */
async function untilSignal(
  server: RunningServer,
  announce: () => void,
  afterwards: () => void,
): Promise<number> {
  // SIGUSR1 would open Node's inspector, and with it the memory that holds the keys.
  process.on('SIGUSR1', () => undefined)
  process.on('SIGHUP', () => void server.reload())
  const ended = signalled()
  announce()
  await ended
  void signalled().then(() => {
    afterwards()
    process.exit(1)
  })
  await server.stop()
  afterwards()
  return 0
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
}
