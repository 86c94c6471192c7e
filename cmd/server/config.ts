/**
 * The configuration of a server, out of HCL or JSON files with the names of Vault's and OpenBao's. Later files win over
 * earlier ones; listeners add up. A setting that nobody knows is an error with its line and the nearest known one.
 */
import { hostname } from 'node:os'
import { relative } from 'node:path'
import type { AuditSettings } from '../../engines/system/paths/audit.ts'
import { DEFAULT_BODY_LIMITS, type BodyLimits } from '../../core/http/body.ts'
import { SYSTEM_TTL_SECONDS } from '../../core/ttl.ts'
import { blockExample, labelledBlocks } from './config-blocks.ts'
import { ConfigError } from './config-error.ts'
import { readFiles } from './config-files.ts'
import {
  BODY_SETTINGS,
  readListener,
  type BodySettings,
  type ListenerSettings,
} from './config-listener.ts'
import {
  absolutePath,
  block,
  count,
  flag,
  ignored,
  labelled,
  oneOf,
  readSection,
  seconds,
  text,
  unsupported,
  type Section,
  type Values,
} from './config-settings.ts'
import { readStorage } from './config-storage.ts'
import type { RunningConfig, StorageConfig } from './running.ts'

export { ConfigError } from './config-error.ts'

export interface ServerConfig {
  readonly running: RunningConfig & { readonly listeners: readonly ListenerSettings[] }
  readonly logLevel: string | undefined
  readonly logFormat: 'standard' | 'json' | undefined
  /** As clients reach this node. */
  readonly apiAddress: string | undefined
  readonly pidFile: string | undefined
  readonly ui: boolean
  /** `sys/raw` exists. */
  readonly rawStorageEndpoint: boolean
  /** `sys/internal/inspect` answers. */
  readonly introspectionEndpoint: boolean
  /** 0: metrics are not shown as Prometheus text; else they are, whatever it is. */
  readonly prometheusRetentionSeconds: number
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'notice', 'warn', 'warning', 'err', 'error'] as const
const PROMETHEUS_RETENTION_SECONDS = 86_400
const LOG_FILE = 'the log goes to standard error: let the service manager write it to a file'
const ONLY_PROMETHEUS = 'read the metrics from sys/metrics'
const DECLARED_AUDIT = 'enable the device through sys/audit'

const TELEMETRY_SETTINGS = {
  prometheus_retention_time: seconds({ min: 0 }),
  statsd_address: unsupported(ONLY_PROMETHEUS),
  statsite_address: unsupported(ONLY_PROMETHEUS),
  dogstatsd_addr: unsupported(ONLY_PROMETHEUS),
  dogstatsd_tags: unsupported(ONLY_PROMETHEUS),
  circonus_api_token: unsupported(ONLY_PROMETHEUS),
  stackdriver_project_id: unsupported(ONLY_PROMETHEUS),
  disable_hostname: ignored,
  enable_hostname_label: ignored,
  metrics_prefix: ignored,
  usage_gauge_period: ignored,
  maximum_gauge_cardinality: ignored,
  lease_metrics_epsilon: ignored,
  num_lease_metrics_buckets: ignored,
  add_lease_metrics_namespace_labels: ignored,
  add_mount_point_rollback_metrics: ignored,
  filter_default: ignored,
  prefix_filter: ignored,
}

const TOP_SETTINGS = {
  ...BODY_SETTINGS,
  storage: labelled,
  backend: labelled,
  listener: labelled,
  seal: labelled,
  api_addr: text,
  cluster_name: text,
  ui: flag,
  enable_ui: flag,
  log_level: oneOf(LOG_LEVELS),
  log_format: oneOf(['standard', 'json']),
  default_lease_ttl: seconds({ min: 1 }),
  max_lease_ttl: seconds({ min: 1 }),
  default_max_request_duration: seconds({ min: 0.001 }),
  pid_file: text,
  telemetry: block(TELEMETRY_SETTINGS),
  audit_directory: absolutePath('"/var/log/keyhold"'),
  allow_audit_log_prefixing: flag,
  unsafe_allow_api_audit_creation: flag,
  raw_storage_endpoint: flag,
  introspection_endpoint: flag,
  enable_response_header_hostname: flag,
  audit: unsupported(DECLARED_AUDIT),
  initialize: unsupported('use `operator init`'),
  log_file: unsupported(LOG_FILE),
  log_rotate_bytes: unsupported(LOG_FILE),
  log_rotate_duration: unsupported(LOG_FILE),
  log_rotate_max_files: unsupported(LOG_FILE),
  disable_printable_check: unsupported(
    'names with characters that do not print are always refused',
  ),
  ha_storage: unsupported('every node serves from the one storage'),
  service_registration: unsupported('point clients at api_addr or a load balancer'),
  entropy: unsupported('randomness comes from the operating system'),
  cluster_addr: ignored, // nodes meet in the storage
  disable_clustering: ignored,
  disable_mlock: ignored, // Node cannot lock its heap: see docs/security-model.md
  disable_cache: ignored, // caches are exact
  cache_size: ignored,
  disable_sealwrap: ignored,
  disable_performance_standby: ignored,
  disable_sentinel_trace: ignored,
  disable_indexing: ignored,
  detect_deadlocks: ignored, // there are no locks
  enable_response_header_raft_node_id: ignored,
  imprecise_lease_role_tracking: ignored,
  log_requests_level: ignored,
  license_path: ignored,
  plugin_directory: absolutePath('"/opt/keyhold/plugins"'),
  plugin_tmpdir: absolutePath('"/var/tmp"'),
  plugin_file_uid: count({ min: 0 }),
  plugin_file_permissions: ignored,
  experiments: ignored,
  user_lockout: ignored,
  reporting: ignored,
}
type TopValues = Values<typeof TOP_SETTINGS>

/**
 * @param paths files, or folders of `*.hcl` and `*.json`
 * @throws {ConfigError}
 */
export function loadConfig(paths: readonly string[]): ServerConfig {
  const files = readFiles(paths)
  const top: TopValues = {}
  for (const file of files) Object.assign(top, readSection(file, TOP_SETTINGS))
  for (const [type, section] of labelledBlocks(files, 'seal')) checkSeal(type, section)
  const listeners = labelledBlocks(files, 'listener')
    .map(([type, section]) => readListener(type, section, listenerDefaults(top)))
    .map((listener) =>
      top.enable_response_header_hostname === true ? namingHost(listener) : listener,
    )
  const where = paths.join(', ')
  if (listeners.length === 0) {
    throw new ConfigError(
      `${where}: no listener is configured; add listener "tcp" { address = "127.0.0.1:8200" ... }`,
    )
  }
  return {
    running: {
      storage: chooseStorage(files, where),
      listeners,
      audit: auditSettings(top),
      ...externalPlugins(top, where),
      systemTtl: systemTtl(top, where),
      limits: bodyLimits([top, ...listeners.map(({ body }) => body)]),
      clusterName: top.cluster_name,
    },
    logLevel: top.log_level,
    logFormat: top.log_format,
    apiAddress: top.api_addr,
    pidFile: top.pid_file,
    ui: top.ui ?? top.enable_ui ?? false,
    rawStorageEndpoint: top.raw_storage_endpoint ?? false,
    introspectionEndpoint: top.introspection_endpoint ?? false,
    prometheusRetentionSeconds:
      top.telemetry?.prometheus_retention_time ?? PROMETHEUS_RETENTION_SECONDS,
  }
}

/** Its answers name the machine. */
function namingHost(listener: ListenerSettings): ListenerSettings {
  const { responseHeaders } = listener
  const defaults = { ...responseHeaders['default'], 'X-Vault-Hostname': hostname() }
  return { ...listener, responseHeaders: { ...responseHeaders, default: defaults } }
}

/** Vault's name for the duration at the top, beside ours. */
function listenerDefaults(top: TopValues): BodySettings {
  const duration = top.max_request_duration ?? top.default_max_request_duration
  return duration === undefined ? top : { ...top, max_request_duration: duration }
}

/** The last that was named. */
function chooseStorage(files: readonly Section[], where: string): StorageConfig {
  const all = files.flatMap((file) =>
    ['backend', 'storage'].flatMap((key) => labelledBlocks([file], key)),
  )
  const storages = all.map(([type, section]) => readStorage(type, section))
  const last = storages.at(-1)
  if (last === undefined) {
    throw new ConfigError(`${where}: no storage is configured; add ${blockExample('storage')}`)
  }
  return last
}

function checkSeal(type: string, section: Section): void {
  if (type !== 'shamir')
    throw section.place.error(`seal "${type}" is not supported; remove the block for Shamir shares`)
  readSection(section, { disabled: flag, name: text, priority: count({ min: 0 }) })
}

function auditSettings(top: TopValues): AuditSettings {
  return {
    device: { auditDirectory: top.audit_directory, allowPrefix: top.allow_audit_log_prefixing },
    allowApiCreation: top.unsafe_allow_api_audit_creation ?? true,
  }
}

/**
 * Who may say where audit files lie must not be able to write a plugin: neither directory lies in the other.
 *
 * @throws {ConfigError}
 */
function externalPlugins(
  { plugin_directory: directory, plugin_tmpdir: temporaryDirectory, audit_directory }: TopValues,
  where: string,
): Pick<RunningConfig, 'externalPlugins'> {
  if (directory === undefined) return {}
  if (audit_directory !== undefined && overlap(directory, audit_directory)) {
    throw new ConfigError(
      `${where}: plugin_directory and audit_directory must be apart: what is written to the log could be run`,
    )
  }
  return { externalPlugins: { directory, temporaryDirectory } }
}

function overlap(a: string, b: string): boolean {
  return [relative(a, b), relative(b, a)].some((way) => way !== '..' && !way.startsWith('../'))
}

function systemTtl(top: TopValues, where: string): RunningConfig['systemTtl'] {
  const maxSeconds = top.max_lease_ttl ?? SYSTEM_TTL_SECONDS
  const defaultSeconds = top.default_lease_ttl ?? Math.min(SYSTEM_TTL_SECONDS, maxSeconds)
  if (defaultSeconds > maxSeconds)
    throw new ConfigError(`${where}: default_lease_ttl is above max_lease_ttl`)
  return { defaultSeconds, maxSeconds }
}

/** The strictest that is configured anywhere: a body is parsed alike whichever way it came. */
function bodyLimits(all: readonly BodySettings[]): BodyLimits {
  const least = (name: keyof BodySettings, otherwise: number): number => {
    const set = all.map((one) => one[name]).filter((value) => value !== undefined)
    return set.length === 0 ? otherwise : Math.min(...set)
  }
  return {
    maxDepth: least('max_json_depth', DEFAULT_BODY_LIMITS.maxDepth),
    maxStrings: least('max_request_json_strings', DEFAULT_BODY_LIMITS.maxStrings),
    maxMemoryBytes: least('max_request_json_memory', DEFAULT_BODY_LIMITS.maxMemoryBytes),
  }
}
