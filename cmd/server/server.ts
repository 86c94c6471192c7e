/** `keyhold server`: reads what it is told, starts, and runs until a signal ends it. */
import { parseArgs } from 'node:util'
import { DEFAULT_BODY_LIMITS } from '../../core/http/body.ts'
import { ListenerRefused } from '../../core/http/listener-refused.ts'
import { DEFAULT_LIMITS, type ListenerConfig } from '../../core/http/listener.ts'
import { DEFAULT_CUSTOM_HEADERS } from '../../core/http/response-headers.ts'
import { SYSTEM_TTL_SECONDS } from '../../core/ttl.ts'
import { PRODUCT_VERSION } from '../../core/version.ts'
import { StorageRefused } from '../../storage/contract.ts'
import type { Terminal } from '../cli/terminal.ts'
import { writeTokenFile } from '../cli/token-file.ts'
import { ConfigError, loadConfig, type ServerConfig } from './config.ts'
import { devBanner, devFolder, prepareDev } from './dev.ts'
import { openLog, type LogOptions } from './log.ts'
import { RunningServer, type RunningConfig } from './running.ts'

const OPTIONS = {
  config: { type: 'string', multiple: true },
  dev: { type: 'boolean', default: false },
  'dev-root-token-id': { type: 'string' },
  'dev-listen-address': { type: 'string' },
  'dev-no-store-token': { type: 'boolean', default: false },
  'dev-tls': { type: 'boolean', default: false },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' },
  'exit-on-core-shutdown': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const USAGE = `Usage: keyhold server [options]

  Starts a server. With a configuration:

      $ keyhold server -config=/etc/keyhold/server.hcl

  To try things, without one:

      $ keyhold server -dev

Options:

  -config=PATH              File or folder (*.hcl, *.json) of configuration; may be repeated.
  -dev                      Development server: unsealed, ready, forgotten when it stops.
  -dev-root-token-id=TEXT   Its root token.
  -dev-listen-address=ADDR  Its address; default 127.0.0.1:8200.
  -dev-no-store-token       Leaves the token file of the command line alone.
  -log-level=LEVEL          trace, debug, info, warn or error.
  -log-format=FORMAT        standard or json.
`

type Flags = ReturnType<typeof readFlags>

/** @returns the exit code */
export async function runServer(argv: readonly string[], terminal: Terminal): Promise<number> {
  let flags: Flags
  try {
    flags = readFlags(argv)
  } catch (error) {
    terminal.err(`${error instanceof Error ? error.message : 'bad flags'}\n\n${USAGE}`)
    return 1
  }
  if (flags.help) {
    terminal.out(USAGE)
    return 0
  }
  try {
    return await (flags.dev ? runDev(flags, terminal) : runConfigured(flags, terminal))
  } catch (error) {
    if (!isRefusal(error)) throw error
    terminal.err(`Error starting the server: ${error.message}\n`)
    return 1
  }
}

function isRefusal(error: unknown): error is Error {
  return (
    error instanceof ListenerRefused ||
    error instanceof StorageRefused ||
    error instanceof ConfigError
  )
}

function readFlags(argv: readonly string[]) {
  const args = argv.map((arg) => arg.replace(/^-(?=[a-z][a-z-])/, '--'))
  return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values
}

async function runConfigured(flags: Flags, terminal: Terminal): Promise<number> {
  const paths = flags.config ?? []
  if (paths.length === 0) {
    terminal.err('Must specify at least one config path using -config, or start with -dev\n')
    return 1
  }
  const config = loadConfig(paths)
  const log = openLog(logOptions(flags, terminal, config))
  const server = await RunningServer.start(config.running, log)
  terminal.out(configuredBanner(server, config))
  return untilSignal(server, () => undefined)
}

async function runDev(flags: Flags, terminal: Terminal): Promise<number> {
  const folder = devFolder()
  try {
    const log = openLog(logOptions(flags, terminal))
    const server = await RunningServer.start(devConfig(flags, terminal, folder.path), log)
    const rootTokenId = flags['dev-root-token-id'] ?? environment(terminal, 'DEV_ROOT_TOKEN_ID')
    const keys = await prepareDev(server.node, { rootTokenId })
    if (!flags['dev-no-store-token']) writeTokenFile(terminal.home, keys.rootToken)
    terminal.out(devBanner(server.urls[0] ?? '', keys))
    return await untilSignal(server, folder.remove)
  } catch (error) {
    folder.remove()
    throw error
  }
}

function devConfig(flags: Flags, terminal: Terminal, folder: string): RunningConfig {
  const address =
    flags['dev-listen-address'] ?? environment(terminal, 'DEV_LISTEN_ADDRESS') ?? '127.0.0.1:8200'
  const at = address.lastIndexOf(':')
  const listener: ListenerConfig = {
    address: { kind: 'tcp', host: address.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(address.slice(at + 1)) },
    tls: undefined,
    forwardedFor: undefined,
    responseHeaders: DEFAULT_CUSTOM_HEADERS,
    limits: DEFAULT_LIMITS,
    viaHono: false,
  }
  return {
    storage: { type: 'sqlite', path: `${folder}/keyhold.db` },
    listeners: [listener],
    audit: { device: { auditDirectory: folder }, allowApiCreation: true },
    systemTtl: { defaultSeconds: SYSTEM_TTL_SECONDS, maxSeconds: SYSTEM_TTL_SECONDS },
    limits: DEFAULT_BODY_LIMITS,
    clusterName: undefined,
  }
}

function environment(terminal: Terminal, name: string): string | undefined {
  for (const prefix of ['KEYHOLD_', 'BAO_', 'VAULT_']) {
    const value = terminal.env[prefix + name]
    if (value !== undefined && value !== '') return value
  }
  return undefined
}

function logOptions(flags: Flags, terminal: Terminal, config?: ServerConfig): LogOptions {
  const level = flags['log-level'] ?? environment(terminal, 'LOG_LEVEL') ?? config?.logLevel ?? 'info'
  const format = flags['log-format'] ?? environment(terminal, 'LOG_FORMAT') ?? config?.logFormat
  return { level: levelOf(level), format: format === 'json' ? 'json' : 'standard' }
}

function levelOf(text: string): LogOptions['level'] {
  switch (text.toLowerCase()) {
    case 'trace':
    case 'debug':
    case 'warn':
    case 'error':
      return text.toLowerCase() as LogOptions['level']
    case 'warning':
      return 'warn'
    case 'err':
      return 'error'
    default:
      return 'info'
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

/** Runs until SIGINT or SIGTERM; SIGHUP reloads. A second signal ends it at once. */
async function untilSignal(server: RunningServer, afterwards: () => void): Promise<number> {
  // SIGUSR1 would open Node's inspector, and with it the memory that holds the keys.
  process.on('SIGUSR1', () => undefined)
  process.on('SIGHUP', () => void server.reload())
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  process.once('SIGINT', () => process.exit(1))
  await server.stop()
  afterwards()
  return 0
}
