/**
 * The `listener` blocks.
 */
import { parseRanges, type ForwardedFor } from '../../core/http/client-address.ts'
import type { ListenAddress } from '../../core/http/bind.ts'
import {
  DEFAULT_LIMITS,
  type ListenerConfig,
  type ListenerLimits,
} from '../../core/http/listener.ts'
import { DEFAULT_CUSTOM_HEADERS, type CustomHeaders } from '../../core/http/response-headers.ts'
import type { HclValue } from '../../core/hcl/ast.ts'
import {
  block,
  count,
  fileMode,
  flag,
  ignored,
  readSection,
  seconds,
  text,
  texts,
  unsupported,
  type Section,
  type Setting,
  type Values,
  type Where,
} from './config-settings.ts'
import { readTls, TLS_SETTINGS } from './config-tls.ts'

/** Limits of bodies, which may stand at the top or in a listener. */
export const BODY_SETTINGS = {
  max_request_size: count({ min: 1 }),
  max_request_duration: seconds({ min: 0.001 }),
  max_request_json_strings: count({ min: 1 }),
  max_request_json_memory: count({ min: 1 }),
  max_json_depth: count({ min: 1 }),
}
export type BodySettings = Values<typeof BODY_SETTINGS>

/** What may be done at this listener without a token, where that is configured. */
export interface OpenEndpoints {
  /** Vault's classic `sys/rekey`; undefined: not configured. */
  readonly rekey: boolean | undefined
  /** Vault's classic `sys/generate-root`; undefined: not configured. */
  readonly generateRoot: boolean | undefined
  readonly metrics: boolean
  readonly inFlightRequests: boolean
}

export interface ListenerSettings extends ListenerConfig {
  readonly open: OpenEndpoints
  readonly body: BodySettings
}

const customHeaders: Setting<CustomHeaders> = (value, where) => {
  const byStatus = entriesOf(value, where).map(
    ([status, headers, at]): [string, Record<string, string>] => {
      if (!/^(?:default|[1-5]xx|[1-5]\d\d)$/.test(status)) {
        throw at.place.error(
          'custom_response_headers are given for "default", "2xx" or a status such as "404"',
        )
      }
      const lines = entriesOf(headers, at).map(([name, line, lineAt]) =>
        headerLine(name, line, lineAt),
      )
      return [status, Object.fromEntries(lines)]
    },
  )
  return Object.fromEntries(byStatus)
}

function entriesOf(value: HclValue, where: Where): [name: string, value: HclValue, where: Where][] {
  if (value.kind === 'list') return value.items.flatMap((item) => entriesOf(item, where))
  if (value.kind !== 'object') throw where.place.error(`${where.name} must be a block { ... }`)
  return value.items.map((item) => [
    item.key,
    item.value,
    { ...where, place: where.place.moved(item.at) },
  ])
}

function headerLine(name: string, value: HclValue, where: Where): [name: string, value: string] {
  if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)) throw where.place.error('this is no name of a header')
  if (/^x-vault-/i.test(name))
    throw where.place.error('headers that begin with X-Vault- cannot be configured')
  const parts = value.kind === 'list' ? value.items : [value]
  const line = parts.map((part) => text(part, { ...where, name })).join('; ')
  if (!/^[\t\x20-\x7e]*$/.test(line))
    throw where.place.error(`${name} holds characters that no header may hold`)
  return [name, line]
}

const REMOVE = 'remove it'
const LISTENER_SETTINGS = {
  ...BODY_SETTINGS,
  address: text,
  max_connections: count({ min: 1 }),
  http_read_header_timeout: seconds({ min: 0.001 }),
  http_read_timeout: seconds({ min: 0.001 }),
  http_idle_timeout: seconds({ min: 0.001 }),
  custom_response_headers: customHeaders,
  disable_unauthed_rekey_endpoints: flag,
  disable_unauthed_generate_root_endpoints: flag,
  telemetry: block({
    unauthenticated_metrics_access: flag,
    disallow_metrics: unsupported('take the right to read sys/metrics from policies'),
    metrics_only: unsupported(REMOVE),
  }),
  inflight_requests_logging: block({ unauthenticated_in_flight_requests_access: flag }),
  profiling: block({ unauthenticated_pprof_access: unsupported('there is no sys/pprof') }),
  chroot_namespace: unsupported('give clients X-Vault-Namespace instead'),
  redact_addresses: unsupported(REMOVE),
  redact_cluster_name: unsupported(REMOVE),
  redact_version: unsupported(REMOVE),
  http_write_timeout: ignored, // max_request_duration and a limit on stalled connections do this
  max_json_string_value_length: ignored, // max_request_size and max_request_json_memory do these
  max_json_object_entry_count: ignored,
  max_json_array_element_count: ignored,
  disable_request_limiter: ignored,
  disable_replication_status_endpoints: ignored,
}

const PROXY_PROTOCOL = 'use x_forwarded_for_authorized_addrs with a proxy that speaks HTTP'
const TCP_SETTINGS = {
  ...LISTENER_SETTINGS,
  ...TLS_SETTINGS,
  cluster_address: ignored, // nodes meet in the storage
  x_forwarded_for_authorized_addrs: texts,
  x_forwarded_for_hop_skips: count({ min: 0, max: 100 }),
  x_forwarded_for_reject_not_authorized: flag,
  x_forwarded_for_reject_not_present: flag,
  x_forwarded_for_client_cert_header: unsupported(
    'end TLS at the listener where the method cert is used',
  ),
  proxy_protocol_behavior: unsupported(PROXY_PROTOCOL),
  proxy_protocol_authorized_addrs: unsupported(PROXY_PROTOCOL),
}

const UNIX_SETTINGS = {
  ...LISTENER_SETTINGS,
  socket_mode: fileMode,
  socket_user: count({ min: 0 }),
  socket_group: count({ min: 0 }),
  tls_disable: ignored,
}

const DEFAULT_ADDRESS = '127.0.0.1:8200'
/** For the owner alone. */
const DEFAULT_SOCKET_MODE = 0o600

/** @throws {ConfigError} */
export function readListener(
  type: string,
  section: Section,
  defaults: BodySettings,
): ListenerSettings {
  if (type === 'tcp') return readTcp(section, defaults)
  if (type === 'unix') return readUnix(section, defaults)
  throw section.place.error(
    `listener "${type}" is not supported; there are listener "tcp" and listener "unix"`,
  )
}

function readTcp(section: Section, defaults: BodySettings): ListenerSettings {
  const values = readSection(section, TCP_SETTINGS)
  return {
    ...readCommon(values, defaults),
    address: readAddress(values.address ?? DEFAULT_ADDRESS, section),
    tls: readTls(values, section),
    forwardedFor: readForwardedFor(values, section),
  }
}

function readUnix(section: Section, defaults: BodySettings): ListenerSettings {
  const values = readSection(section, UNIX_SETTINGS)
  const {
    address,
    socket_mode: mode = DEFAULT_SOCKET_MODE,
    socket_user: uid,
    socket_group: gid,
  } = values
  if (address === undefined || address === '') {
    throw section.place.error(`${section.name} needs an address: the path of the socket`)
  }
  const owner = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) }
  return {
    ...readCommon(values, defaults),
    address: { kind: 'unix', path: address, mode, ...owner },
    tls: undefined,
    forwardedFor: undefined,
  }
}

function readCommon(
  values: Values<typeof LISTENER_SETTINGS>,
  defaults: BodySettings,
): Omit<ListenerSettings, 'address' | 'tls' | 'forwardedFor'> {
  return {
    responseHeaders: mergeHeaders(values.custom_response_headers ?? {}),
    limits: readLimits(values, defaults),
    viaHono: false,
    open: {
      rekey: negated(values.disable_unauthed_rekey_endpoints),
      generateRoot: negated(values.disable_unauthed_generate_root_endpoints),
      metrics: values.telemetry?.unauthenticated_metrics_access ?? false,
      inFlightRequests:
        values.inflight_requests_logging?.unauthenticated_in_flight_requests_access ?? false,
    },
    body: values,
  }
}

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value
}

function readLimits(
  values: Values<typeof LISTENER_SETTINGS>,
  defaults: BodySettings,
): ListenerLimits {
  const own = DEFAULT_LIMITS
  return {
    maxRequestBytes: values.max_request_size ?? defaults.max_request_size ?? own.maxRequestBytes,
    maxRequestSeconds:
      values.max_request_duration ?? defaults.max_request_duration ?? own.maxRequestSeconds,
    maxConnections: values.max_connections ?? own.maxConnections,
    readHeaderSeconds: values.http_read_header_timeout ?? own.readHeaderSeconds,
    readSeconds: values.http_read_timeout ?? own.readSeconds,
    idleSeconds: values.http_idle_timeout ?? own.idleSeconds,
  }
}

/** The defaults stay where they are not set anew. */
function mergeHeaders(custom: CustomHeaders): CustomHeaders {
  return { ...custom, default: { ...DEFAULT_CUSTOM_HEADERS['default'], ...custom['default'] } }
}

function readAddress(text: string, section: Section): ListenAddress {
  const address = parseAddress(text)
  if (address !== undefined) return address
  throw section.place.error(
    `the address of ${section.name} must be host and port, such as "127.0.0.1:8200" or "[::]:8200"`,
  )
}

/** @param text `HOST:PORT`, `[IPV6]:PORT`, or `:PORT` for every address of the machine */
export function parseAddress(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:[\]{}\s]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits ?? -1)
  if (port < 0 || port > 65_535) return undefined
  return { kind: 'tcp', host: bracketed ?? plain ?? '', port }
}

function readForwardedFor(
  values: Values<typeof TCP_SETTINGS>,
  section: Section,
): ForwardedFor | undefined {
  const addresses = values.x_forwarded_for_authorized_addrs
  if (addresses === undefined || addresses.length === 0) {
    const first = Object.keys(values).find((name) => name.startsWith('x_forwarded_for_'))
    if (first === undefined) return undefined
    throw section.place.error(`${first} has no effect without x_forwarded_for_authorized_addrs`)
  }
  const ranges = parseRanges(addresses)
  if ('invalid' in ranges) {
    throw section.place.error(
      'x_forwarded_for_authorized_addrs must hold addresses and ranges, such as "10.0.0.0/8"',
    )
  }
  return {
    authorized: ranges.list,
    hopSkips: values.x_forwarded_for_hop_skips ?? 0,
    rejectNotAuthorized: values.x_forwarded_for_reject_not_authorized ?? true,
    rejectNotPresent: values.x_forwarded_for_reject_not_present ?? true,
  }
}
