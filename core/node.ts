/**
 * One node: sealed or unsealed, over a storage that it shares with others. It holds nothing that another node could
 * miss but the keys, the shares brought to it so far, and caches.
 */
import type { Change, Feed, Storage } from '../storage/contract.ts'
import { EMPTY_AUDIT_TABLE } from './audit/table.ts'
import type { AuditBroker } from './audit/broker.ts'
import { bootstrap, readCluster, type Cluster } from './bootstrap.ts'
import type { Barrier, BarrierParts } from './barrier/barrier.ts'
import { CORE_RECORDS } from './barrier/record-keys.ts'
import { Drill, DRILL_KEY } from './ceremonies/drill.ts'
import { GENERATE_ROOT_KEY, GenerateRoot } from './ceremonies/generate-root.ts'
import { ROTATION_WORDS } from './ceremonies/rekey-words.ts'
import { REKEY_KEY, Rekey } from './ceremonies/rekey.ts'
import { describeShares, SHARE_SET_KEY, shareSets } from './ceremonies/share-set.ts'
import type { Clock } from './clock.ts'
import { startDuties, type Duties } from './duties.ts'
import { overdueIntents } from './effects/intents.ts'
import { Sweeper } from './effects/sweeper.ts'
import { TimedEffects } from './effects/timed.ts'
import { BadRequest, Sealed } from './errors.ts'
import { isOfCatalog } from './external/catalog.ts'
import type { ExternalPlugins } from './external/plugins.ts'
import type { BodyLimits } from './http/body.ts'
import type { HttpRequest, HttpResponse } from './http/message.ts'
import { InFlight } from './in-flight.ts'
import { dueLeases } from './leases/revoke.ts'
import { Revoker } from './leases/revoker.ts'
import { Metrics } from './metrics.ts'
import { LocalMounts } from './mounts/local.ts'
import type { SystemTtl } from './mounts/mount.ts'
import { Registry } from './mounts/registry.ts'
import { ROOT } from './namespaces.ts'
import { OwnWork, type OwnWorkEntry } from './own-work.ts'
import { Pipeline, type UnsealedParts } from './pipeline.ts'
import type { PluginType } from './plugin/plugin.ts'
import { AclCache } from './policies.ts'
import type { Random } from './random.ts'
import { UnsealCeremony } from './seal/ceremony.ts'
import {
  initialize,
  isInitialized,
  NotInitialized,
  recordReader,
  sealBarrier,
  unseal,
} from './seal/lifecycle.ts'
import type { Unsealed } from './seal/lifecycle.ts'
import { readSealConfig, type SealConfig } from './seal/seal-config.ts'
import type { Seal, Sharing } from './seal/seal.ts'
import { readSealedEpoch, sealAllNodes } from './seal/sealed-epoch.ts'
import { Standings } from './request/standing.ts'
import { RecordCache } from './store/cache.ts'
import { Store } from './store/store.ts'
import { Transaction } from './store/transaction.ts'
import { View } from './store/view.ts'
import { BatchCodec } from './tokens/batch.ts'

export interface NodeParts {
  readonly storage: Storage
  /** As `sys/seal-status` names it. */
  readonly storageType: string
  readonly seal: Seal
  readonly clock: Clock
  readonly random: Random
  readonly audit: AuditBroker
  readonly systemTtl: SystemTtl
  readonly limits: BodyLimits
  readonly clusterName?: string | undefined
  /** The engines and methods, given the node that they are part of. */
  readonly plugins: (node: Node) => readonly PluginType[]
  readonly external: ExternalPlugins
  /** Told of each failure that is not a client's. */
  readonly onFailure: (what: string, error: unknown) => void
  /** Told when the barrier opens and closes. */
  readonly onSealChange?: (sealed: boolean) => void
}

export interface SealStatus {
  readonly config: SealConfig | undefined
  readonly sealed: boolean
  readonly progress: number
  readonly nonce: string
  /** Only while unsealed. */
  readonly cluster: Cluster | undefined
}

interface InitializeNode {
  readonly rootTokenId?: string | undefined
  /** Who gets the shares: names, and PGP keys that they are encrypted to; one for each share, or none. */
  readonly holders?: {
    readonly names: readonly string[]
    readonly pgpFingerprints: readonly string[]
  }
}
const NO_HOLDERS = { names: [], pgpFingerprints: [] }

interface Open extends UnsealedParts {
  readonly barrier: Barrier
  readonly feed: Feed
  readonly cluster: Cluster
  readonly duties: Duties
  readonly revoker: Revoker
}

const UNSEALED: OwnWorkEntry = { operation: 'update', namespaceId: ROOT.id, path: 'sys/unseal' }

export class Node {
  readonly parts: NodeParts
  readonly registry: Registry
  readonly metrics = new Metrics()
  readonly inFlight = new InFlight()
  readonly generateRoot: GenerateRoot
  readonly rekey: Rekey
  /** The same ceremony by its other name. */
  readonly rotateRoot: Rekey
  readonly drill: Drill
  readonly pipeline: Pipeline
  readonly #ceremony: UnsealCeremony<Unsealed>
  #open: Open | undefined

  constructor(parts: NodeParts) {
    this.parts = parts
    const ceremonyParts = { ...parts, open: () => this.#need() }
    this.generateRoot = new GenerateRoot(ceremonyParts)
    this.rekey = new Rekey(ceremonyParts)
    this.rotateRoot = new Rekey(ceremonyParts, ROTATION_WORDS)
    this.drill = new Drill(ceremonyParts)
    this.registry = new Registry(parts.plugins(this), parts.external)
    this.pipeline = new Pipeline({
      ...parts,
      metrics: this.metrics,
      inFlight: this.inFlight,
      registry: this.registry,
      unsealed: () => this.#open,
      onFailure: (requestId, error) => parts.onFailure(`request ${requestId}`, error),
    })
    this.#ceremony = new UnsealCeremony({
      seal: parts.seal,
      random: parts.random,
      attempt: (shares) => unseal({ ...this.#barrierParts(), seal: parts.seal, shares }),
    })
  }

  /** hot: a request below `/v1/` that is not one of the few that work while sealed. */
  handle(http: HttpRequest): Promise<HttpResponse> {
    return this.pipeline.handle(http)
  }

  get isSealed(): boolean {
    return this.#open === undefined
  }

  /** @throws {Sealed} */
  get unsealed(): UnsealedParts {
    if (this.#open === undefined) throw new Sealed()
    return this.#open
  }

  isInitialized(): Promise<boolean> {
    return isInitialized(this.parts.storage)
  }

  async sealStatus(): Promise<SealStatus> {
    const config = await readSealConfig(recordReader(this.parts.storage))
    const { progress, nonce } = this.#ceremony.progress
    return { config, sealed: this.isSealed, progress, nonce, cluster: this.#open?.cluster }
  }

  /** Makes keys and first records. @returns the shares, which the caller zeroes, and the root token */
  async initialize(
    sharing: Sharing,
    { rootTokenId, holders = NO_HOLDERS }: InitializeNode = {},
  ): Promise<{ shares: readonly Buffer[]; rootToken: string }> {
    const { seal, storage, random, clock, clusterName } = this.parts
    let rootToken = ''
    const shares = await initialize({
      ...this.#barrierParts(),
      seal,
      sharing,
      populate: async (barrier, made) => {
        const feed = storage.watch()
        try {
          const store = new Store(storage, onlySeals(barrier), new RecordCache(feed))
          const transaction = new Transaction(store)
          const root = new View(transaction, '')
          const batch = new BatchCodec(onlySeals(barrier))
          const context = { root, random, batch, nowMs: clock.nowMs() }
          const described = { ...holders, random, nowMs: context.nowMs }
          root.put(shareSets, SHARE_SET_KEY, await describeShares(made, described))
          rootToken = await bootstrap(context, { clusterName, rootTokenId })
          return await transaction.sealedWrites()
        } finally {
          feed.close()
        }
      },
    })
    return { shares, rootToken }
  }

  /** Takes one share. Opens the barrier with the last that was missing. */
  async provideShare(text: string): Promise<void> {
    const config = await readSealConfig(recordReader(this.parts.storage))
    if (config === undefined) throw new NotInitialized()
    if (!this.isSealed) return
    const unsealed = await this.#ceremony.provide(text, config)
    if (unsealed !== undefined) await this.#becomeUnsealed(unsealed)
  }

  resetUnseal(): void {
    if (!this.isSealed) throw new BadRequest('vault is unsealed')
    this.#ceremony.reset()
  }

  /** Closes this node and tells all others over the same storage to close. */
  async seal(): Promise<void> {
    await sealAllNodes(this.parts.storage, this.parts.clock, [
      GENERATE_ROOT_KEY,
      REKEY_KEY,
      DRILL_KEY,
    ])
    this.#becomeSealed()
  }

  /** @throws {Sealed} */
  get barrier(): Barrier {
    return this.#need().barrier
  }

  /** @throws {Sealed} */
  get revoker(): Revoker {
    return this.#need().revoker
  }

  /** Runs what is due now, as the timed duties do. */
  async runDuties(): Promise<void> {
    await this.#open?.duties.run()
  }

  /** Writes what engines have gathered in memory, before the node closes. */
  async drain(): Promise<void> {
    await this.#open?.locals.flush()
  }

  /** Drops the keys of this node; the others stay open. */
  close(): void {
    this.#ceremony.reset()
    this.#becomeSealed()
  }

  #need(): Open {
    if (this.#open === undefined) throw new Sealed()
    return this.#open
  }

  #barrierParts(): BarrierParts {
    const { storage, clock, random } = this.parts
    return { storage, clock, random }
  }

  async #becomeUnsealed({ barrier, sealedEpoch }: Unsealed): Promise<void> {
    const { storage, onFailure } = this.parts
    const feed = storage.watch()
    const cache = new RecordCache(feed, (key, revision) =>
      this.#changed({ key, revision }, sealedEpoch),
    )
    const store = new Store(storage, barrier, cache)
    const cluster = await readCluster(new View(new Transaction(store), ''))
    if (this.#open !== undefined) {
      // Shares that came at the same time were enough as well.
      feed.close()
      sealBarrier(barrier)
      return
    }
    const { undoParts, ownWork, sweepers } = this.#undoing(store)
    const duties = startDuties({ ...undoParts, barrier, ownWork, sweepers, onFailure })
    this.#open = {
      barrier,
      feed,
      store,
      duties,
      revoker: new Revoker({ ...undoParts, onFailure }),
      batch: new BatchCodec(barrier),
      acls: new AclCache(),
      standings: new Standings(),
      locals: new LocalMounts({ store, ...this.parts }),
      cluster: cluster ?? { name: '', id: '' },
    }
    this.parts.onSealChange?.(false)
    // Who gave the shares does not wait for it: an audit device that hangs must not keep a server closed.
    void ownWork.record(UNSEALED)
    // Who sealed before the feed began is not in it.
    await this.#sealIfTold(sealedEpoch)
  }

  /** What undoes the secrets that have ended, and what was begun and not finished. */
  #undoing(store: Store) {
    const { clock, random, audit, systemTtl, onFailure } = this.parts
    const { registry } = this
    const undoParts = { store, clock, random, registry, systemTtl }
    const mounts = { registry, systemTtl }
    const ownWork = new OwnWork({ store, audit, clock, random, mounts, onFailure })
    const parts = { ...undoParts, ownWork, onFailure }
    const sweepers = [
      new Sweeper(parts, dueLeases(parts)),
      new Sweeper(parts, overdueIntents),
      new TimedEffects(parts),
    ]
    return { undoParts, ownWork, sweepers }
  }

  #becomeSealed(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    open.duties.stop()
    open.locals.stop()
    this.parts.external.stop()
    this.registry.close()
    open.store.cache.clear()
    open.batch.clear()
    open.acls.clear()
    open.feed.close()
    this.parts.audit.sync(EMPTY_AUDIT_TABLE)
    sealBarrier(open.barrier)
    this.parts.onSealChange?.(true)
  }

  /** A record changed; with an empty key, any may have. Who seals is obeyed before anything else is answered. */
  #changed({ key, revision }: Change, sealedEpoch: number): void {
    if (key === CORE_RECORDS.sealedEpoch && revision > sealedEpoch) this.#becomeSealed()
    if (key === CORE_RECORDS.keyring || key === '') this.#reloadKeyring()
    if (key === '' || isOfCatalog(key)) void this.#sweepPlugins()
    if (key === '') void this.#sealIfTold(sealedEpoch)
  }

  /** Ends the processes of plugins that are not in the catalog any more. */
  async #sweepPlugins(): Promise<void> {
    try {
      const store = this.#open?.store
      if (store !== undefined) {
        await this.parts.external.sweep(new View(new Transaction(store), ''))
      }
    } catch (error) {
      if (!(error instanceof Sealed)) this.parts.onFailure('ending replaced plugins', error)
    }
  }

  #reloadKeyring(): void {
    const barrier = this.#open?.barrier
    barrier?.reload().catch((error: unknown) => {
      if (!(error instanceof Sealed)) this.parts.onFailure('reading the keyring again', error)
    })
  }

  async #sealIfTold(sealedEpoch: number): Promise<void> {
    try {
      if ((await readSealedEpoch(this.parts.storage)) > sealedEpoch) this.#becomeSealed()
    } catch (error) {
      this.parts.onFailure('looking whether to seal', error)
    }
  }
}

/** The barrier of `initialize` seals; nothing is there yet to be opened. */
function onlySeals(barrier: Pick<Barrier, 'seal'>): ConstructorParameters<typeof BatchCodec>[0] {
  const open = (): never => {
    throw new Sealed()
  }
  return {
    ready: () => undefined,
    seal: (key, text) => barrier.seal(key, text),
    open,
    openFetched: open,
  }
}
