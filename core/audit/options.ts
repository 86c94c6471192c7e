/**
 * The options of an audit device, checked: what an operator gives to `sys/audit/<name>` (contract: http.md, 12).
 * One place reads both spellings of the file's path, so no guard can be passed by the other.
 */
import { BadRequest } from '../errors.ts'
import { confine } from './confine.ts'
import type { EntryFormat } from './entry.ts'
import { parseExclusion } from './exclusion.ts'
import { readSelection, type Selection } from './filter.ts'
import { parseMode } from './mode.ts'
import { parsePeer, readWriteTimeout } from './peer/address.ts'
import { readHttpSink } from './peer/http-options.ts'
import type { PeerSink } from './peer/open.ts'
import { readSyslogSink } from './peer/syslog.ts'
import { readRotation, type Rotation } from './rotation.ts'

/** What the server's configuration allows. */
export interface AuditConfig {
  /** `audit_directory`: audit files lie in it or below; absent: there are none. */
  readonly auditDirectory?: string | undefined
  /** `allow_audit_log_prefixing`: a line may begin with other text than its JSON. */
  readonly allowPrefix?: boolean | undefined
}

export interface DeviceOptions {
  readonly sink: Sink
  readonly format: EntryFormat
  /** Absent: every entry. */
  readonly selection?: Selection
}

export type Sink = { readonly kind: 'discard' } | { readonly kind: 'stdout' } | FileSink | PeerSink

export interface FileSink {
  readonly kind: 'file'
  readonly path: string
  /** Permission bits, never executable, always with the owner's; `keep`: those that the file has, else 0600. */
  readonly mode: number | 'keep'
  readonly auditDirectory: string
  readonly rotation?: Rotation | undefined
  /** Lines are numbered, and signed by lines of checkpoints. */
  readonly chain?: boolean | undefined
  /** The file is written by a thread of its own, which is waited for so long. */
  readonly timeoutMs?: number | undefined
}

const KNOWN_TYPES = '"file", "socket", "syslog" and "http"'
const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])
const DEFAULT_MODE = '0600'
const MAX_PREFIX_CHARACTERS = 64
/** A word that an error may repeat as Vault does; longer or stranger ones may be a secret in the wrong place. */
const REPEATABLE = /^[a-z0-9_-]{0,16}$/

/**
 * For a device that is to be enabled. Options that are not known are ignored, as in Vault.
 *
 * @throws {BadRequest} what is wrong, with Vault's text where it has one; also if the file's directory misses
 */
export function validateDevice(
  type: string,
  options: Readonly<Record<string, string>>,
  config: AuditConfig,
): DeviceOptions {
  const device = parseDevice(type, options, config)
  if (device.sink.kind === 'file') confine(device.sink.path, device.sink.auditDirectory)
  return device
}

/**
 * For a device that was enabled before: does not look at the disk, where what misses may come back. Who opens the file
 * confines it.
 *
 * @throws {BadRequest} as `validateDevice`
 */
export function parseDevice(
  type: string,
  options: Readonly<Record<string, string>>,
  config: AuditConfig,
): DeviceOptions {
  const readSink = sinkReaders.get(type)
  if (readSink === undefined) throw unknownType(type)
  const sink = readSink(options, config)
  const jsonx = readFormat(options['format'], flag(options, 'chain', false))
  const { filter, exclude } = options
  const selection = readSelection(filter, flag(options, 'fallback', false))
  const format = {
    hmacAccessor: flag(options, 'hmac_accessor', true),
    logRaw: flag(options, 'log_raw', false),
    elideListResponses: flag(options, 'elide_list_responses', false),
    prefix: readPrefix(options['prefix'], config),
    ...(jsonx && { jsonx }),
    ...(exclude !== undefined && exclude !== '' && { exclude: parseExclusion(exclude) }),
  }
  return { format, sink, ...(Object.keys(selection).length > 0 && { selection }) }
}

type Options = Readonly<Record<string, string>>

const sinkReaders: ReadonlyMap<string, (options: Options, config: AuditConfig) => Sink> = new Map([
  ['file', readFileSink],
  ['socket', readSocketSink],
  ['syslog', readSyslogSink],
  ['http', (options) => readHttpSink(options, flag(options, 'batch', false))],
])

/** Of options that have passed `validateDevice`. */
export function isChained({ chain }: Options): boolean {
  return chain !== undefined && TRUE.has(chain)
}

/** Of options that have passed `validateDevice`. */
export function isFallback({ fallback }: Options): boolean {
  return fallback !== undefined && TRUE.has(fallback)
}

/** Of options that have passed `validateDevice`. */
export function hasFilter({ filter = '' }: Options): boolean {
  return filter !== ''
}

function unknownType(type: string): BadRequest {
  return new BadRequest(
    REPEATABLE.test(type)
      ? `unknown backend type: "${type}"`
      : `unknown backend type; the known ones are ${KNOWN_TYPES}`,
  )
}

/** @returns whether lines are JSONx */
function readFormat(format = 'json', isSigned: boolean): boolean {
  if (format === 'json') return false
  if (format !== 'jsonx') {
    throw new BadRequest(
      REPEATABLE.test(format)
        ? `unknown format type "${format}"`
        : 'unknown format type; "format" may be "json" or "jsonx"',
    )
  }
  if (isSigned) throw new BadRequest('"chain" signs lines of JSON: leave "format" out, or "chain"')
  return true
}

function flag(
  options: Readonly<Record<string, string>>,
  name: string,
  byDefault: boolean,
): boolean {
  const text = options[name]
  if (text === undefined) return byDefault
  if (TRUE.has(text)) return true
  if (FALSE.has(text)) return false
  throw new BadRequest(
    REPEATABLE.test(text)
      ? `strconv.ParseBool: parsing "${text}": invalid syntax`
      : `strconv.ParseBool: invalid syntax; "${name}" must be "true" or "false"`,
  )
}

function readPrefix(prefix = '', config: AuditConfig): string {
  if (prefix === '') return ''
  if (config.allowPrefix !== true) {
    throw new BadRequest(
      '"prefix" is not allowed; set "allow_audit_log_prefixing" in the server\'s configuration to allow it',
    )
  }
  // oxlint-disable-next-line no-control-regex -- a prefix with a newline would break the line in two
  if (prefix.length > MAX_PREFIX_CHARACTERS || /[\u0000-\u001f\u007f]/.test(prefix)) {
    throw new BadRequest(`"prefix" may have up to ${MAX_PREFIX_CHARACTERS} printable characters`)
  }
  return prefix
}

function readMode(text = DEFAULT_MODE): number | 'keep' {
  const mode = parseMode(text)
  if (mode === undefined)
    throw new BadRequest('"mode" must be octal permission bits, such as "0600"')
  return mode
}

function readFileSink(options: Options, { auditDirectory }: AuditConfig): Sink {
  const target = options['file_path'] ?? options['path']
  if (target === undefined) throw new BadRequest('file_path is required')
  const mode = readMode(options['mode'])
  const chain = flag(options, 'chain', false)
  const folded = target.toLowerCase()
  if (folded === 'stdout' || folded === 'discard') {
    if (chain) throw new BadRequest('"chain" needs a file; leave it away, or give a "file_path"')
    return { kind: folded }
  }
  if (auditDirectory === undefined) {
    throw new BadRequest(
      'audit files are off; set "audit_directory" in the server\'s configuration, such as audit_directory = "/var/log/keyhold", restart the server, and give a "file_path" below that directory',
    )
  }
  return {
    kind: 'file',
    path: target,
    mode,
    auditDirectory,
    rotation: readRotation(options),
    ...(chain ? { chain } : {}),
    ...(options['write_timeout'] !== undefined && { timeoutMs: readWriteTimeout(options) }),
  }
}

function readSocketSink(options: Options): Sink {
  const { address, socket_type: socketType = 'tcp' } = options
  if (address === undefined) throw new BadRequest('address is required')
  return {
    kind: 'socket',
    address: parsePeer(address, socketType, options),
    timeoutMs: readWriteTimeout(options),
  }
}
