/** A server: one node, its listeners, its log; from configuration to the end. */
import { AuditBroker } from '../../core/audit/broker.ts'
import { createApi } from '../../core/api.ts'
import { systemClock } from '../../core/clock.ts'
import type { BodyLimits } from '../../core/http/body.ts'
import { openListener, type Listener, type ListenerConfig } from '../../core/http/listener.ts'
import { ExternalPlugins } from '../../core/external/plugins.ts'
import { ListenerRefused } from '../../core/http/listener-refused.ts'
import type { SystemTtl } from '../../core/mounts/mount.ts'
import { Node } from '../../core/node.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { systemRandom } from '../../core/random.ts'
import { ShamirSeal } from '../../core/seal/shamir.ts'
import type { AuditSettings } from '../../engines/system/paths/audit.ts'
import type { Storage } from '../../storage/contract.ts'
import { MemoryStorage } from '../../storage/memory.ts'
import { demandWhole } from '../../storage/copy.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import type { LogParts, ServerLog } from './log-parts.ts'
import { pluginLog } from './plugin-log.ts'
import { measuredOf } from './measured.ts'
import { openedSettings, openEndpoints, type Opening } from './open-endpoints.ts'
import { builtinPlugins, type Debugging } from './plugins.ts'

export type StorageConfig =
  | { readonly type: 'inmem' }
  | { readonly type: 'sqlite'; readonly path: string }

export interface RunningConfig {
  readonly storage: StorageConfig
  readonly listeners: readonly RunningListener[]
  readonly audit: AuditSettings
  readonly systemTtl: SystemTtl
  readonly limits: BodyLimits
  readonly clusterName: string | undefined
  /** As clients reach this node. */
  readonly apiAddress?: string | undefined
  /** Whether metrics are shown as Prometheus text; absent: they are. */
  readonly prometheus?: boolean
  /** Where external plugins lie, and where their copies are made; absent: none are taken. */
  readonly externalPlugins?: ExternalPluginConfig
  /** Absent: nothing is open. */
  readonly debugging?: Debugging
  /** Engines and methods beside the built-in ones. */
  readonly plugins?: readonly PluginType[]
}

export interface ExternalPluginConfig {
  readonly directory: string
  /** Absent: the system's folder for temporary files. */
  readonly temporaryDirectory?: string | undefined
}

export interface RunningListener extends ListenerConfig {
  /** What needs no token here; absent: nothing. */
  readonly open?: Opening
}

/** How long running requests may take when the server stops. */
const DRAIN_MS = 10_000

export class RunningServer {
  readonly node: Node
  readonly #storage: Storage
  readonly #audit: AuditBroker
  readonly #log: LogParts
  readonly #listeners: Listener[] = []

  private constructor(config: RunningConfig, storage: Storage, serverLog: ServerLog) {
    const { parts, levels, tail } = serverLog
    const log = parts.core
    this.#storage = storage
    this.#log = parts
    this.#audit = new AuditBroker({
      config: config.audit.device,
      report: (path, failure) =>
        failure === undefined
          ? parts.audit.info({ device: path }, 'audit: the device works again')
          : parts.audit.error({ device: path, err: describe(failure) }, 'audit: the device fails'),
    })
    const builtin = builtinPlugins({
      audit: this.#audit,
      auditSettings: config.audit,
      apiAddress: config.apiAddress ?? '',
      configuration: shownConfiguration(config),
      logLevels: levels,
      followLog: tail.follow,
      warn: (text) => log.warn(text),
      prometheus: config.prometheus ?? true,
      ...(config.debugging && { debugging: config.debugging }),
      responseHeaders: config.listeners.flatMap(headerNames),
    })
    this.node = new Node({
      storage,
      storageType: config.storage.type,
      seal: new ShamirSeal(systemRandom),
      clock: systemClock,
      random: systemRandom,
      audit: this.#audit,
      systemTtl: config.systemTtl,
      limits: config.limits,
      clusterName: config.clusterName,
      plugins: (node) => [...builtin(node), ...(config.plugins ?? [])],
      external: new ExternalPlugins({
        clock: systemClock,
        directory: config.externalPlugins?.directory,
        temporaryDirectory: config.externalPlugins?.temporaryDirectory,
        callMs: 1000 * Math.max(...config.listeners.map(({ limits }) => limits.maxRequestSeconds)),
        log: pluginLog(parts.plugin, describe),
      }),
      onFailure: (what, error) => log.error({ err: describe(error) }, `core: ${what} failed`),
      onSealChange: (sealed) => {
        log.info(`core: the server is ${sealed ? 'sealed' : 'unsealed'}`)
        if (sealed) tail.end()
      },
    })
  }

  /** @throws {StorageRefused} {ListenerRefused} with a text that says what to do */
  static async start(config: RunningConfig, log: ServerLog): Promise<RunningServer> {
    const storage = await openStorage(config.storage)
    const server = new RunningServer(config, storage, log)
    try {
      await demandWhole(storage)
      await server.#listen(config)
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url)
  }

  /** Reads certificates again and opens audit files anew, as on SIGHUP. */
  async reload(): Promise<void> {
    this.#audit.reopen()
    for (const listener of this.#listeners) {
      try {
        await listener.reload()
      } catch (error) {
        const err = describe(error)
        this.#log.listener.error(
          { listener: listener.url, err },
          'listener: the old certificate stays in use',
        )
      }
    }
    this.#log.core.info('core: reloaded')
  }

  /** Answers what runs, then lets go of everything. */
  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop(DRAIN_MS)))
    await this.node.drain()
    this.node.close()
    await this.#audit.close()
    await this.#storage.close()
  }

  async #listen({ listeners, prometheus = true }: RunningConfig): Promise<void> {
    const measured = measuredOf(this.node, { prometheus })
    const report = (error: unknown): void =>
      this.#log.listener.error({ err: describe(error) }, 'listener: failed')
    for (const config of listeners) {
      const open = config.open === undefined ? [] : openEndpoints(config.open, measured)
      const app = createApi(this.node, open, openedSettings(config.open))
      const listener = await openListener(config, { app, clock: systemClock, report })
      this.#listeners.push(listener)
      this.#log.listener.info({ url: listener.url }, 'listener: started')
    }
  }
}

function openStorage(config: StorageConfig): Promise<Storage> {
  return config.type === 'inmem'
    ? Promise.resolve(new MemoryStorage())
    : openSqlite({ path: config.path })
}

/** An error as the log has it: its class, text, place and causes; nothing enumerable of it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is no error was thrown'
  if (error instanceof ListenerRefused) return `${error.message}; ${error.hint}`
  const cause = error.cause === undefined ? '' : `; caused by ${describe(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

/** The configuration as `sys/config/state/sanitized` shows it: what is named here, and nothing else. */
function shownConfiguration(config: RunningConfig): Readonly<Record<string, unknown>> {
  return {
    api_addr: config.apiAddress ?? '',
    cluster_name: config.clusterName ?? '',
    default_lease_ttl: config.systemTtl.defaultSeconds,
    max_lease_ttl: config.systemTtl.maxSeconds,
    listeners: config.listeners.map(({ address, tls }) => ({
      type: address.kind,
      config: {
        address: address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path,
        tls_disable: tls === undefined,
      },
    })),
    storage: { type: config.storage.type },
  }
}

/** Of all statuses. */
function headerNames({ responseHeaders }: ListenerConfig): string[] {
  return Object.values(responseHeaders).flatMap((headers) => Object.keys(headers))
}
