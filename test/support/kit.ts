/**
 * Two nodes over one storage, in this process: initialised, unsealed, and each request goes to the other one in turn,
 * so that nothing which a later request needs can hide in one node's memory.
 */
import { AuditBroker } from '../../core/audit/broker.ts'
import { createApi } from '../../core/api.ts'
import type { Clock } from '../../core/clock.ts'
import { DEFAULT_BODY_LIMITS } from '../../core/http/body.ts'
import { DEFAULT_CUSTOM_HEADERS } from '../../core/http/response-headers.ts'
import type { App, HttpRequest } from '../../core/http/message.ts'
import { ExternalPlugins } from '../../core/external/plugins.ts'
import { isJsonObject, parseJson, type JsonObject } from '../../core/json.ts'
import { Node } from '../../core/node.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { systemRandom, type Random } from '../../core/random.ts'
import { ShamirSeal } from '../../core/seal/shamir.ts'
import { SYSTEM_TTL_SECONDS } from '../../core/ttl.ts'
import { builtinPlugins, type Debugging } from '../../cmd/server/plugins.ts'
import type { Follow } from '../../engines/system/paths/monitor.ts'
import type { Storage } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { TestClock } from './clock.ts'

export interface ClusterOptions {
  readonly nodes?: number
  readonly storage?: Storage
  readonly clock?: Clock
  readonly random?: Random
  /** Engines and methods beside the built-in ones. */
  readonly plugins?: readonly PluginType[]
  /** Where external plugins may lie: one for all nodes, or one each. */
  readonly pluginDirectory?: string | readonly (string | undefined)[]
  /** Longest time of a call to one. */
  readonly pluginCallMs?: number
  /** Where audit files may lie. */
  readonly auditDirectory?: string
  /** The log's lines, for `sys/monitor`. */
  readonly followLog?: Follow
  /** What a configuration can open for who looks for a fault; default: nothing. */
  readonly debugging?: Debugging
  /** Left sealed and uninitialised. */
  readonly bare?: boolean
}

export interface RequestOptions {
  /** Default: the root token; `null`: none. */
  readonly token?: string | null
  readonly body?: unknown
  /** The body as this very text. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
  /** This node, instead of the one whose turn it is. */
  readonly node?: number
  readonly address?: string
}

export interface Answer {
  readonly status: number
  readonly text: string
  /** Empty where there is no body. */
  readonly json: JsonObject
  readonly headers: Readonly<Record<string, string>>
  /** `json.data`, empty where there is none. */
  readonly data: JsonObject
  /** `json.auth`, empty where there is none. */
  readonly auth: JsonObject
  readonly errors: readonly string[]
}

export interface Cluster {
  readonly nodes: readonly Node[]
  readonly storage: Storage
  readonly clock: TestClock
  readonly rootToken: string
  /** Base64. */
  readonly unsealKeys: readonly string[]
  /** Failures that were not a client's, as the log would have them. */
  readonly failures: readonly unknown[]
  /** What the log would have of external plugins. */
  readonly pluginLog: readonly string[]
  /** What the log would warn of. */
  readonly warnings: readonly string[]
  /** @param path below `/v1/`, with its query */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  read(path: string, options?: RequestOptions): Promise<Answer>
  write(path: string, body?: unknown, options?: RequestOptions): Promise<Answer>
  list(path: string, options?: RequestOptions): Promise<Answer>
  remove(path: string, options?: RequestOptions): Promise<Answer>
  /** A policy of this text, and a token that has it. */
  tokenWith(policy: string): Promise<string>
  close(): Promise<void>
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { storage = new MemoryStorage(), random = systemRandom } = options
  const clock = options.clock instanceof TestClock ? options.clock : new TestClock()
  const failures: unknown[] = []
  const warnings: string[] = []
  const pluginLog: string[] = []
  const apps: { node: Node; app: App }[] = []
  for (let i = 0; i < (options.nodes ?? 2); i++) {
    const pluginDirectory = directoryOf(options, i)
    apps.push(
      startNode(
        { ...options, storage, random, clock },
        { failures, warnings, pluginLog, pluginDirectory },
      ),
    )
  }
  let rootToken = ''
  let turn = 0
  let policies = 0

  async function request(method: string, path: string, more: RequestOptions = {}): Promise<Answer> {
    const { app } = apps[more.node ?? turn++ % apps.length] ?? fail('there is no such node')
    const token = more.token === undefined ? rootToken : (more.token ?? '')
    const response = await app(httpRequest(method, path, token, more))
    return answerOf(response.status, String(response.body), response.headers)
  }

  const cluster: Cluster = {
    nodes: apps.map(({ node }) => node),
    storage,
    clock,
    failures,
    warnings,
    pluginLog,
    get rootToken() {
      return rootToken
    },
    unsealKeys: [],
    request,
    read: (path, more) => request('GET', path, more),
    write: (path, body, more) => request('POST', path, { body: body ?? {}, ...more }),
    list: (path, more) => request('LIST', path, more),
    remove: (path, more) => request('DELETE', path, more),
    async tokenWith(policy) {
      const name = `test-${++policies}`
      await request('POST', `sys/policies/acl/${name}`, { body: { policy } })
      const made = await request('POST', 'auth/token/create', { body: { policies: [name] } })
      return String(made.auth['client_token'])
    },
    async close() {
      for (const { node } of apps) {
        node.close()
        await node.parts.audit.close()
      }
    },
  }
  if (options.bare) return cluster
  const init = await request('POST', 'sys/init', {
    token: null,
    body: { secret_shares: 1, secret_threshold: 1 },
  })
  rootToken = String(init.json['root_token'])
  const keys = init.json['keys_base64']
  const unsealKeys = Array.isArray(keys) ? keys.map(String) : []
  for (let node = 0; node < apps.length; node++) {
    await request('POST', 'sys/unseal', { token: null, node, body: { key: unsealKeys[0] } })
  }
  return Object.defineProperties(cluster, { unsealKeys: { value: unsealKeys } })
}

function directoryOf({ pluginDirectory }: ClusterOptions, node: number): string | undefined {
  return typeof pluginDirectory === 'object' ? pluginDirectory[node] : pluginDirectory
}

function startNode(
  options: ClusterOptions & { storage: Storage; random: Random; clock: TestClock },
  {
    failures,
    warnings,
    pluginLog,
    pluginDirectory,
  }: {
    failures: unknown[]
    warnings: string[]
    pluginLog: string[]
    pluginDirectory: string | undefined
  },
): { node: Node; app: App } {
  const { storage, random, clock, auditDirectory } = options
  const audit = new AuditBroker({
    config: { auditDirectory },
    report: (_path, failure) => failure && failures.push(failure),
    clock,
    random,
  })
  const auditSettings = { device: { auditDirectory }, allowApiCreation: true }
  const builtin = builtinPlugins({
    audit,
    auditSettings,
    warn: (text) => warnings.push(text),
    ...(options.debugging && { debugging: options.debugging }),
    ...(options.followLog && { followLog: options.followLog }),
    responseHeaders: Object.keys(DEFAULT_CUSTOM_HEADERS['default'] ?? {}),
  })
  const node = new Node({
    storage,
    storageType: 'inmem',
    seal: new ShamirSeal(random),
    clock,
    random,
    audit,
    systemTtl: { defaultSeconds: SYSTEM_TTL_SECONDS, maxSeconds: SYSTEM_TTL_SECONDS },
    limits: DEFAULT_BODY_LIMITS,
    plugins: (self) => [...builtin(self), ...(options.plugins ?? [])],
    external: new ExternalPlugins({
      clock,
      directory: pluginDirectory,
      temporaryDirectory: undefined,
      callMs: options.pluginCallMs ?? 90_000,
      log: {
        printed: (plugin, stream, line) => pluginLog.push(`${plugin.name} ${stream}: ${line}`),
        started: (plugin) => pluginLog.push(`${plugin.name} ${plugin.version} started`),
        failed: (plugin, why, cause) =>
          pluginLog.push(`${plugin.name} ${plugin.version} ${why}: ${String(cause ?? '')}`),
      },
    }),
    onFailure: (_what, error) => failures.push(error),
  })
  return { node, app: createApi(node) }
}

function httpRequest(
  method: string,
  path: string,
  token: string,
  { body, text, headers = {}, address = '127.0.0.1' }: RequestOptions,
): HttpRequest {
  const url = new URL(`http://test/v1/${path}`)
  const query = new Map<string, string[]>()
  for (const [name, value] of url.searchParams) query.set(name, [...(query.get(name) ?? []), value])
  const sent = text ?? (body === undefined ? '' : JSON.stringify(body))
  return {
    method,
    path: decodeURIComponent(url.pathname),
    query,
    headers: {
      ...(token !== '' && { 'x-vault-token': token }),
      ...(sent !== '' && {
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      }),
      ...headers,
    },
    body: Buffer.from(sent),
    client: { address, port: 40_000 },
  }
}

function answerOf(status: number, text: string, headers: Readonly<Record<string, string>>): Answer {
  const json = text.startsWith('{') ? objectOf(parseJson(text)) : {}
  const errors = json['errors']
  return {
    status,
    text,
    json,
    headers,
    data: objectOf(json['data']),
    auth: objectOf(json['auth']),
    errors: Array.isArray(errors) ? errors.map(String) : [],
  }
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

function fail(text: string): never {
  throw new Error(text)
}
