/** What `keyhold server` is told on its command line, and in the environment where a flag is not given. */
import { parseArgs } from 'node:util'
import { nearest } from './config-nearest.ts'
import { parseLogLevel, type LogLevel } from '../../engines/system/log-level.ts'
import type { LogOptions } from './log.ts'

const OPTIONS = {
  config: { type: 'string', multiple: true },
  dev: { type: 'boolean', default: false },
  'dev-root-token-id': { type: 'string' },
  'dev-listen-address': { type: 'string' },
  'dev-plugin-dir': { type: 'string' },
  'dev-no-store-token': { type: 'boolean', default: false },
  'dev-tls': { type: 'boolean', default: false },
  'dev-tls-cert-dir': { type: 'string' },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' },
  'exit-on-core-shutdown': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const FLAG_NAMES = Object.keys(OPTIONS)

export const USAGE = `Usage: keyhold server [options]

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
  -dev-plugin-dir=PATH      Its folder of external plugins; default: it takes none.
  -dev-tls                  As -dev, over TLS, with a certificate that is made for it.
  -dev-tls-cert-dir=PATH    Folder for its files; default: one that goes when it stops.
  -log-level=LEVEL          trace, debug, info, warn or error.
  -log-format=FORMAT        standard or json.
`

export type Flags = ReturnType<typeof parse>
type Environment = Readonly<Record<string, string | undefined>>

/** A flag is unknown, or its value cannot be used: said in the text. */
export class FlagsRefused extends Error {
  override readonly name = 'FlagsRefused'
}

/** @throws {FlagsRefused} */
export function readFlags(argv: readonly string[]): Flags {
  const flags = parseOrRefuse(argv)
  if (flags['dev-tls-cert-dir'] !== undefined && !flags['dev-tls'])
    throw new FlagsRefused('-dev-tls-cert-dir has no effect without -dev-tls')
  return flags
}

function parseOrRefuse(argv: readonly string[]): Flags {
  try {
    return parse(argv)
  } catch (error) {
    throw new FlagsRefused(whatIsWrong(argv, error), { cause: error })
  }
}

function parse(argv: readonly string[]) {
  const args = argv.map((arg) => arg.replace(/^-(?=[a-z][a-z-])/, '--'))
  return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values
}

/** Node's own text speaks of two dashes, and repeats values. */
function whatIsWrong(argv: readonly string[], error: unknown): string {
  for (const arg of argv) {
    const [, name] = /^--?([a-z][a-z-]*)(?:=|$)/.exec(arg) ?? []
    if (name === undefined || Object.hasOwn(OPTIONS, name) || name === 'h') continue
    const near = nearest(name, Object.keys(OPTIONS))
    return `unknown flag -${name}${near === undefined ? '' : `; did you mean -${near}?`}`
  }
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL'
    ? 'server takes flags only; name a configuration with -config=PATH'
    : 'a flag needs a value, or was given one that it does not take'
}

/** Of `KEYHOLD_…`, `BAO_…` and `VAULT_…` the first that is set. */
export function environment(env: Environment, name: string): string | undefined {
  for (const prefix of ['KEYHOLD_', 'BAO_', 'VAULT_']) {
    const value = env[prefix + name]
    if (value !== undefined && value !== '') return value
  }
  return undefined
}

/** @param configured what the configuration says @throws {FlagsRefused} */
export function logOptions(
  flags: Flags,
  env: Environment,
  configured: { readonly logLevel?: string | undefined; readonly logFormat?: string | undefined },
): LogOptions {
  const level = flags['log-level'] ?? environment(env, 'LOG_LEVEL') ?? configured.logLevel
  const format = flags['log-format'] ?? environment(env, 'LOG_FORMAT') ?? configured.logFormat
  return { level: levelOf(level ?? 'info'), format: formatOf(format) }
}

function levelOf(text: string): LogLevel {
  const level = parseLogLevel(text)
  if (level !== undefined) return level
  throw new FlagsRefused('the log level must be trace, debug, info, warn or error')
}

function formatOf(text = 'standard'): LogOptions['format'] {
  if (text === 'standard' || text === 'json') return text
  throw new FlagsRefused('the log format must be standard or json')
}
