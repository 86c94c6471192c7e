import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contains } from '../../core/http/client-address.ts'
import { DEFAULT_LIMITS } from '../../core/http/listener.ts'
import { DEFAULT_CUSTOM_HEADERS } from '../../core/http/response-headers.ts'
import { ConfigError, loadConfig } from './config.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function put(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const load = (text: string, name = 's.hcl') => loadConfig([put(name, text)])
/** The text of the refusal, without the folder's name. */
function refusal(paths: readonly string[]): string {
  try {
    loadConfig(paths)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(`${folder}/`, '')
    throw error
  }
  return 'taken'
}

const INMEM = 'storage "inmem" {}\n'
const TCP = 'listener "tcp" {\n  tls_disable = true\n}\n'
const SMALL = INMEM + TCP

test('what is not set has a default', () => {
  const config = load(SMALL)
  expect(config.running).toMatchObject({
    storage: { type: 'inmem' },
    audit: { device: { auditDirectory: undefined }, allowApiCreation: true },
    systemTtl: { defaultSeconds: 2_764_800, maxSeconds: 2_764_800 },
    limits: { maxDepth: 300, maxStrings: 50_000, maxMemoryBytes: 34_078_720 },
  })
  expect(config.running.listeners).toMatchObject([
    {
      address: { kind: 'tcp', host: '127.0.0.1', port: 8200 },
      tls: undefined,
      forwardedFor: undefined,
      responseHeaders: DEFAULT_CUSTOM_HEADERS,
      limits: DEFAULT_LIMITS,
      viaHono: false,
      open: { rekey: undefined, generateRoot: undefined, metrics: false, inFlightRequests: false },
    },
  ])
})

test('a full configuration, as one writes it for Vault', () => {
  const config = load(`
    # comment
    ui            = true
    api_addr      = "https://vault.example:8200"
    cluster_addr  = "https://vault.example:8201"
    cluster_name  = "prod"
    disable_mlock = "true"
    log_level     = "WARN"
    log_format    = "json"
    default_lease_ttl = "1h"
    max_lease_ttl = 86400
    max_request_duration = "30s"
    pid_file = "/run/keyhold.pid"
    audit_directory = "/var/log/keyhold"
    unsafe_allow_api_audit_creation = false
    raw_storage_endpoint = 1
    enable_response_header_hostname = true
    plugin_directory = "/opt/plugins"
    telemetry { prometheus_retention_time = "30s" disable_hostname = true }
    seal "shamir" {}
    storage "file" { path = "${folder}/data" }
    listener "tcp" {
      address = "[::]:8200"
      cluster_address = "[::]:8201"
      tls_cert_file = "c.pem"
      tls_key_file = "k.pem"
      tls_min_version = "tls13"
      tls_cipher_suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256"
      tls_client_ca_file = "ca.pem"
      tls_require_and_verify_client_cert = "true"
      x_forwarded_for_authorized_addrs = ["10.0.0.0/8", "192.0.2.1,192.0.2.2"]
      x_forwarded_for_hop_skips = "1"
      x_forwarded_for_reject_not_present = false
      max_request_size = 1000
      http_idle_timeout = "1m"
      disable_unauthed_rekey_endpoints = false
      disable_unauthed_generate_root_endpoints = true
      telemetry { unauthenticated_metrics_access = true }
      custom_response_headers {
        "default" = { "X-A" = ["a", "b"] }
        "2xx" = { "X-B" = "c" }
      }
    }
    listener "unix" {
      address = "/run/keyhold.sock"
      socket_mode = "0660"
      socket_group = "1000"
      max_request_json_strings = 77
    }
  `)
  expect(config).toMatchObject({
    logLevel: 'warn',
    logFormat: 'json',
    apiAddress: 'https://vault.example:8200',
    pidFile: '/run/keyhold.pid',
    ui: true,
    rawStorageEndpoint: true,
    prometheusRetentionSeconds: 30,
    running: {
      storage: { type: 'sqlite', path: `${folder}/data/keyhold.db` },
      audit: { device: { auditDirectory: '/var/log/keyhold' }, allowApiCreation: false },
      systemTtl: { defaultSeconds: 3_600, maxSeconds: 86_400 },
      limits: { maxStrings: 77 },
      clusterName: 'prod',
    },
  })
  const [tcp, unix] = config.running.listeners
  expect(tcp).toMatchObject({
    address: { kind: 'tcp', host: '::', port: 8200 },
    tls: {
      certFile: 'c.pem',
      keyFile: 'k.pem',
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      clientCaFile: 'ca.pem',
      requireClientCert: true,
      disableClientCerts: false,
      ciphers:
        'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    },
    forwardedFor: { hopSkips: 1, rejectNotAuthorized: true, rejectNotPresent: false },
    limits: { maxRequestBytes: 1_000, maxRequestSeconds: 30, idleSeconds: 60 },
    responseHeaders: {
      default: {
        'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
        'X-A': 'a; b',
        'X-Vault-Hostname': hostname(),
      },
      '2xx': { 'X-B': 'c' },
    },
    open: { rekey: true, generateRoot: false, metrics: true },
  })
  const list = tcp?.forwardedFor?.authorized
  for (const address of ['10.1.1.1', '192.0.2.1', '192.0.2.2']) {
    expect(list !== undefined && contains(list, address)).toBe(true)
  }
  expect(unix?.address).toEqual({ kind: 'unix', path: '/run/keyhold.sock', mode: 0o660, gid: 1000 })
})

test('JSON says the same', () => {
  const text = JSON.stringify({
    storage: { inmem: {} },
    listener: [
      { tcp: { address: '127.0.0.1:1', tls_disable: 1 } },
      { unix: { address: '/run/s' } },
    ],
    default_lease_ttl: '1h',
  })
  const { running } = load(text, 's.json')
  expect(running.storage).toEqual({ type: 'inmem' })
  expect(running.listeners.map(({ address }) => address)).toEqual([
    { kind: 'tcp', host: '127.0.0.1', port: 1 },
    { kind: 'unix', path: '/run/s', mode: 0o600 },
  ])
  expect(running.systemTtl.defaultSeconds).toBe(3_600)
})

test('the files of a folder count by name, later ones win, listeners add up, other files are left out', () => {
  put(
    '20.json',
    '{"log_level": "debug", "listener": {"tcp": {"address": "127.0.0.1:2", "tls_disable": true}}}',
  )
  put('10.hcl', `backend "inmem" {}\nlog_level = "info"\ncluster_name = "a"\n${TCP}`)
  put('README', 'not a configuration')
  const more = put('more', 'storage "sqlite" { path = "x.db" }')
  const config = loadConfig([folder, more])
  expect(config.logLevel).toBe('debug')
  expect(config.running.clusterName).toBe('a')
  expect(config.running.storage).toEqual({ type: 'sqlite', path: 'x.db' })
  expect(config.running.listeners.map(({ address }) => 'port' in address && address.port)).toEqual([
    8200, 2,
  ])
})

test('sqlite in a folder is the usual file in it', () => {
  mkdirSync(join(folder, 'data'))
  const { running } = load(`storage "sqlite" { path = "${folder}/data" }\n${TCP}`)
  expect(running.storage).toEqual({ type: 'sqlite', path: `${folder}/data/keyhold.db` })
})

test('":8200" is every address of the machine', () => {
  const { running } = load(`${INMEM}listener "tcp" { address = ":8200" tls_disable = 1 }`)
  expect(running.listeners[0]?.address).toEqual({ kind: 'tcp', host: '', port: 8200 })
})

const listener = (lines: string) => `${INMEM}listener "tcp" {\ntls_disable = true\n${lines}\n}`
const secure = (lines: string) =>
  `${INMEM}listener "tcp" {\ntls_cert_file = "c"\ntls_key_file = "k"\n${lines}\n}`

describe('what a person gets for', () => {
  test.each([
    [
      'a mistyped setting',
      `${SMALL}\napi_adr = "x"`,
      's.hcl:6: unknown setting "api_adr"; did you mean "api_addr"?',
    ],
    [
      'a mistyped setting of a listener',
      listener('adress = "x"'),
      's.hcl:4: unknown setting "adress" in listener "tcp"; did you mean "address"?',
    ],
    [
      'two letters exchanged',
      `${SMALL}\nlog_leevl = "x"`,
      's.hcl:6: unknown setting "log_leevl"; did you mean "log_level"?',
    ],
    [
      'a mistyped block',
      `${SMALL}\nlistner "tcp" {}`,
      's.hcl:6: unknown setting "listner"; did you mean "listener"?',
    ],
    [
      'a mistyped setting of a nested block',
      listener('telemetry {\n unauthenticated_metric_access = true\n}'),
      's.hcl:5: unknown setting "unauthenticated_metric_access" in telemetry; did you mean "unauthenticated_metrics_access"?',
    ],
    [
      'a setting like no other',
      `${SMALL}\nxyzzy_plugh_zork = 1`,
      's.hcl:6: unknown setting "xyzzy_plugh_zork"; remove it, or see the documentation of the configuration',
    ],
    [
      'a setting named as a method',
      `${SMALL}\ntoString = 1`,
      /^s\.hcl:6: unknown setting "toString"/,
    ],
    ['no storage', TCP, /^s\.hcl: no storage is configured; add storage "sqlite"/],
    ['no listener', INMEM, /^s\.hcl: no listener is configured; add listener "tcp"/],
    [
      'another storage',
      `storage "consul" {}\n${TCP}`,
      /^s\.hcl:1: storage "consul" is not supported; use storage "sqlite"/,
    ],
    [
      'a storage without path',
      `storage "sqlite" {}\n${TCP}`,
      's.hcl:1: storage "sqlite" needs a path',
    ],
    [
      'a storage with a mistyped path',
      `storage "sqlite" { pth = "x" }\n${TCP}`,
      's.hcl:1: unknown setting "pth" in storage "sqlite"; did you mean "path"?',
    ],
    [
      'a storage without its kind',
      `storage = "inmem"\n${TCP}`,
      /^s\.hcl:1: storage must be a block with a label, such as/,
    ],
    ['another listener', `${INMEM}listener "udp" {}`, /^s\.hcl:2: listener "udp" is not supported/],
    ['another seal', `${SMALL}seal "awskms" {}`, /^s\.hcl:5: seal "awskms" is not supported/],
    [
      'a listener without certificate',
      `${INMEM}listener "tcp" {}`,
      /^s\.hcl:2: listener "tcp" needs tls_cert_file and tls_key_file; or set tls_disable = true/,
    ],
    [
      'a bad address',
      listener('address = "localhost"'),
      /^s\.hcl:2: the address of listener "tcp" must be host and port/,
    ],
    ['a port too high', listener('address = "127.0.0.1:99999"'), /must be host and port/],
    [
      'a template as address',
      listener('address = "{{ GetPrivateIP }}:8200"'),
      /must be host and port/,
    ],
    [
      'a socket without path',
      `${INMEM}listener "unix" {}`,
      's.hcl:2: listener "unix" needs an address: the path of the socket',
    ],
    [
      'a bad mode',
      `${INMEM}listener "unix" { address = "s" socket_mode = "999" }`,
      's.hcl:2: socket_mode must be permission bits such as "0660"',
    ],
    [
      'a text for a flag',
      listener('tls_disable = "CANARY"'),
      's.hcl:4: tls_disable must be true or false',
    ],
    [
      'a text for a number',
      listener('max_request_size = "CANARY"'),
      's.hcl:4: max_request_size must be a whole number of at least 1',
    ],
    [
      'a size of zero',
      listener('max_request_size = 0'),
      's.hcl:4: max_request_size must be a whole number of at least 1',
    ],
    [
      'a bad duration',
      `${SMALL}max_lease_ttl = "CANARY"`,
      's.hcl:5: max_lease_ttl must be a duration such as "90s" or "1h30m" above zero',
    ],
    ['a negative duration', `${SMALL}max_lease_ttl = "-1h"`, /max_lease_ttl must be a duration/],
    [
      'a number for a text',
      `${SMALL}api_addr = 7`,
      's.hcl:5: api_addr must be a text in double quotes',
    ],
    [
      'a bad level',
      `${SMALL}log_level = "CANARY"`,
      /^s\.hcl:5: log_level must be one of "trace", "debug"/,
    ],
    [
      'a relative audit directory',
      `${SMALL}audit_directory = "CANARY/log"`,
      's.hcl:5: audit_directory must be an absolute path such as "/var/log/keyhold"',
    ],
    [
      'a relative plugin directory',
      `${SMALL}plugin_directory = "CANARY"`,
      's.hcl:5: plugin_directory must be an absolute path such as "/opt/keyhold/plugins"',
    ],
    ...['/srv/log', '/srv', '/srv/log/plugins'].map((directory): [string, string, RegExp] => [
      `a plugin directory at ${directory}, where the audit log is`,
      `${SMALL}audit_directory = "/srv/log"\nplugin_directory = "${directory}"`,
      /^s\.hcl: plugin_directory and audit_directory must be apart/,
    ]),
    ['an empty audit directory', `${SMALL}audit_directory = ""`, /^s\.hcl:5: audit_directory must/],
    ['a label too many', `${SMALL}api_addr "x" = "y"`, /^s\.hcl:5: /],
    [
      'a default above the maximum',
      `${SMALL}default_lease_ttl = "2h"\nmax_lease_ttl = "1h"`,
      's.hcl: default_lease_ttl is above max_lease_ttl',
    ],
    [
      'an old TLS version',
      secure('tls_min_version = "tls10"'),
      's.hcl:5: tls_min_version must be "tls12" or "tls13"; older versions are not spoken',
    ],
    [
      'versions in the wrong order',
      secure('tls_min_version = "tls13"\ntls_max_version = "tls12"'),
      's.hcl:2: tls_min_version is above tls_max_version',
    ],
    [
      'a weak cipher',
      secure('tls_cipher_suites = "TLS_RSA_WITH_RC4_128_SHA"'),
      /^s\.hcl:5: tls_cipher_suites may hold TLS_ECDHE/,
    ],
    [
      'client certificates that anybody signs',
      secure('tls_require_and_verify_client_cert = true'),
      /^s\.hcl:2: tls_require_and_verify_client_cert needs tls_client_ca_file/,
    ],
    [
      'client certificates on and off',
      secure('tls_require_and_verify_client_cert = true\ntls_disable_client_certs = true'),
      /contradict each other/,
    ],
    [
      'the proxy protocol',
      listener('proxy_protocol_behavior = "use_always"'),
      /^s\.hcl:4: proxy_protocol_behavior is not supported; use x_forwarded_for/,
    ],
    [
      'a bad range',
      listener('x_forwarded_for_authorized_addrs = "10.0.0.0/99"'),
      /^s\.hcl:2: x_forwarded_for_authorized_addrs must hold addresses and ranges/,
    ],
    [
      'rules for proxies without proxies',
      listener('x_forwarded_for_hop_skips = 1'),
      's.hcl:2: x_forwarded_for_hop_skips has no effect without x_forwarded_for_authorized_addrs',
    ],
    [
      'headers for a bad status',
      listener('custom_response_headers {\n"999" = { "A" = "b" }\n}'),
      /^s\.hcl:5: custom_response_headers are given for/,
    ],
    [
      'headers of Vault',
      listener('custom_response_headers {\n"200" = {\n"X-Vault-A" = "b" }\n}'),
      /^s\.hcl:6: headers that begin with X-Vault-/,
    ],
    [
      'a header of two lines',
      listener('custom_response_headers {\n"200" = { "A" = "b\\nc" }\n}'),
      /^s\.hcl:5: A holds characters/,
    ],
    [
      'a log file',
      `${SMALL}log_file = "x"`,
      /^s\.hcl:5: log_file is not supported; the log goes to standard error/,
    ],
    [
      'declared audit devices',
      `${SMALL}audit "file" "x" {}`,
      /^s\.hcl:5: audit is not supported; enable the device through sys\/audit/,
    ],
    ['broken HCL', `${INMEM}listener "tcp" {\n`, /^s\.hcl:\d: .*\(column \d+\)$/],
  ])('%s', (_what, text, expected) => {
    const message = refusal([put('s.hcl', text)])
    if (typeof expected === 'string') expect(message).toBe(expected)
    else expect(message).toMatch(expected)
    expect(message).not.toContain('CANARY')
  })

  test('a path that does not exist', () => {
    expect(refusal([join(folder, 'no.hcl')])).toBe(
      'no.hcl: the configuration does not exist; check the path after -config',
    )
  })

  test('a folder without configuration', () => {
    mkdirSync(join(folder, 'sub'))
    expect(refusal([join(folder, 'sub')])).toBe(
      'sub: the folder holds no file that ends in .hcl or .json',
    )
  })

  test('a mistake in the second of two files', () => {
    const one = put('a.hcl', SMALL)
    const two = put('b.json', '{\n "log_level": "info",\n "ur": true\n}')
    expect(refusal([one, two])).toBe('b.json:3: unknown setting "ur"; did you mean "ui"?')
  })

  test("a folder with a Vault server's data", () => {
    mkdirSync(join(folder, 'core'))
    put('core/_keyring', '')
    expect(refusal([put('s.hcl', `storage "file" { path = "${folder}" }\n${TCP}`)])).toMatch(
      /holds the files of a Vault or OpenBao server, which cannot be read; give another folder/,
    )
  })
})
