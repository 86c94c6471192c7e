/**
 * The timed duties: ending tokens and policies whose time has come, cleaning up after what was revoked, unmounted or
 * deleted, rotating the barrier's key. One node at a time does them: it holds the duty lease, a record with a deadline, which it
 * renews with each round.
 */
import { z } from 'zod'
import type { Barrier } from './barrier/barrier.ts'
import { removeEndedCeremonies } from './ceremonies/expire.ts'
import type { Clock } from './clock.ts'
import { Sealed } from './errors.ts'
import type { Commit } from './effects/sweeper.ts'
import { carryOutNext } from './leases/orders.ts'
import { periodicWork } from './mounts/periodic.ts'
import { purgeUnmounted } from './mounts/purge.ts'
import { mountPrefix } from './mounts/record.ts'
import type { Registry } from './mounts/registry.ts'
import { deleteNamespaces } from './namespace/delete.ts'
import { ROOT } from './namespaces.ts'
import type { OwnWork, OwnWorkEntry, Witness } from './own-work.ts'
import { removeEndedPolicies } from './policy-ends.ts'
import { tendLeaseQuotas } from './quota/recount.ts'
import type { Random } from './random.ts'
import { kind } from './store/kind.ts'
import type { Store } from './store/store.ts'
import { Transaction } from './store/transaction.ts'
import { View } from './store/view.ts'
import { expireTokens } from './tokens/expire.ts'
import { removeRecalled } from './tokens/recall-work.ts'
import { cleanUpRevoked } from './tokens/revoke.ts'

/** From the end of one round to the beginning of the next. */
const ROUND_MS = 1000
/** A holder that does not renew for so long has lost the lease. */
const LEASE_MS = 15_000
/** By how much the clocks of two nodes may differ before they take the lease from each other. */
const MAX_SKEW_MS = 15_000
/** From one turn of the engines' own timed work to the next. */
const PERIODIC_MS = 60_000
/** Steps of one duty in one round: others get their turn, and a round ends within the lease. */
const STEPS_PER_ROUND = 50

const dutyLeases = kind(
  'duty-lease',
  z.object({ holder: z.string(), untilMs: z.number() }).readonly(),
)
const LEASE_KEY = 'core/duty-lease'

export interface DutyParts {
  readonly store: Store
  readonly barrier: Pick<Barrier, 'rotateIfDue'>
  readonly clock: Clock
  readonly random: Random
  readonly registry: Registry
  /** What is done is told to the audit log. */
  readonly ownWork: Pick<OwnWork, 'record'>
  /** What undoes leases that have ended, and what was begun and not finished. */
  readonly sweepers: readonly { sweep(commit: Commit): Promise<void> }[]
  readonly onFailure: (what: string, error: unknown) => void
}

export interface Duties {
  /** One round, if this node holds or can take the lease. */
  run(): Promise<void>
  stop(): void
}

/** A step in a transaction of its own. @returns whether there is more to do */
type Step = (root: View, nowMs: number, witness: Witness) => Promise<boolean>

const ROTATED: OwnWorkEntry = {
  operation: 'update',
  namespaceId: ROOT.id,
  path: 'sys/rotate/keyring',
}

export function startDuties(parts: DutyParts): Duties {
  const duties = new Rounds(parts)
  duties.schedule()
  return duties
}

class Rounds implements Duties {
  readonly #parts: DutyParts
  readonly #holder: string
  #cancel: () => void = () => undefined
  #stopped = false
  #periodicAtMs = 0
  /** The end of the last round that was asked for; they never overlap. */
  #round: Promise<void> = Promise.resolve()

  constructor(parts: DutyParts) {
    this.#parts = parts
    this.#holder = parts.random.uuid()
  }

  schedule(): void {
    this.#cancel = this.#parts.clock.after(ROUND_MS, () => {
      void this.run().then(() => {
        if (!this.#stopped) this.schedule()
      })
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  run(): Promise<void> {
    this.#round = this.#round.then(() => this.#runOnce())
    return this.#round
  }

  async #runOnce(): Promise<void> {
    if (this.#stopped || !(await this.#duty('taking the duty lease', this.#takesLease))) return
    const { barrier, clock, ownWork } = this.#parts
    await this.#duty('removing what deleted namespaces held', () =>
      this.#repeat((root, _nowMs, witness) => deleteNamespaces(root, witness)),
    )
    await this.#duty('ending tokens', () => this.#repeat(expireTokens))
    await this.#duty('removing recalled tokens', () => this.#repeat(removeRecalled))
    await this.#duty('cleaning up after revoked tokens', () => this.#repeat(cleanUpRevoked))
    await this.#duty('carrying out orders to revoke', () => this.#repeat(carryOutNext))
    await this.#duty('cleaning up after mounts', () =>
      this.#repeat((root, nowMs, { report }) => purgeUnmounted(root, nowMs, report)),
    )
    for (const sweeper of this.#parts.sweepers) {
      await this.#duty('undoing what has ended', () => sweeper.sweep(this.#commit))
    }
    await this.#duty('counting leases', () =>
      this.#repeat((root, _nowMs, { report }) => tendLeaseQuotas(root, report)),
    )
    await this.#duty('removing policies that have ended', () => this.#repeat(removeEndedPolicies))
    await this.#duty('removing ceremonies that nobody has gone on with', () =>
      this.#repeat(removeEndedCeremonies),
    )
    if (clock.monotonicMs() >= this.#periodicAtMs) {
      await this.#duty('finding the work of engines', () => this.#runPeriodic())
    }
    await this.#duty('rotating the key', async () => {
      if (await barrier.rotateIfDue()) await ownWork.record(ROTATED)
    })
  }

  /** One that fails is reported, and the others get their turn all the same. */
  async #duty<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      if (!this.#stopped) return await work()
    } catch (error) {
      if (!(error instanceof Sealed)) this.#report(what)(error)
    }
    return undefined
  }

  #report(what: string): (error: unknown) => void {
    return (error) => this.#parts.onFailure(what, error)
  }

  /** The timed work of all engines. */
  async #runPeriodic(): Promise<void> {
    const { store, clock, registry, random } = this.#parts
    this.#periodicAtMs = clock.monotonicMs() + PERIODIC_MS
    const root = new View(new Transaction(store), '')
    for (const { entry, work } of await periodicWork(root, registry)) {
      await this.#duty(`timed work of the mount ${entry.path}`, () =>
        this.#repeat((view, nowMs) =>
          work({ storage: view.below(mountPrefix(entry.uuid)), nowMs, random }),
        ),
      )
    }
  }

  async #repeat(step: Step): Promise<void> {
    for (let i = 0; i < STEPS_PER_ROUND && !this.#stopped; i++) {
      if ((await this.#step(this.#fenced(step))) === 'done') return
    }
  }

  readonly #takesLease = async (): Promise<boolean> =>
    (await this.#step(this.#takeLease)) === 'more'

  /** Takes or renews the lease. @returns whether this node has it */
  readonly #takeLease: Step = async (root, nowMs) => {
    const lease = await root.get(dutyLeases, LEASE_KEY)
    // One that would run for longer than any does was taken before a clock stepped back: its holder may be long gone.
    const remainingMs = lease === undefined ? 0 : lease.untilMs - nowMs
    const isHeld = remainingMs > 0 && remainingMs <= LEASE_MS + MAX_SKEW_MS
    if (isHeld && lease?.holder !== this.#holder) return false
    if (lease?.holder !== this.#holder || !isHeld || remainingMs < LEASE_MS / 2) {
      root.put(dutyLeases, LEASE_KEY, { holder: this.#holder, untilMs: nowMs + LEASE_MS })
    }
    return true
  }

  /** One step of those that go on by themselves. */
  readonly #commit: Commit = async <T>(work: (root: View, nowMs: number) => Promise<T>) => {
    let result: { readonly done: T } | undefined
    const step = this.#fenced(async (root, nowMs) => {
      result = { done: await work(root, nowMs) }
      return true
    })
    return (await this.#step(step)) === 'more' ? result : undefined
  }

  /** The lease is among what the step read, so that its commit fails once another node has taken it. */
  #fenced(step: Step): Step {
    return async (root, nowMs, witness) => {
      const lease = await root.get(dutyLeases, LEASE_KEY)
      return lease?.holder === this.#holder && lease.untilMs > nowMs && step(root, nowMs, witness)
    }
  }

  async #step(step: Step): Promise<'more' | 'done' | 'conflict'> {
    const { store, clock, ownWork } = this.#parts
    const told: OwnWorkEntry[] = []
    const report = this.#report('a record that a timed duty met')
    store.cache.refresh()
    const transaction = new Transaction(store)
    const witness = { report, tell: (entry: OwnWorkEntry) => void told.push(entry) }
    const more = await step(new View(transaction, ''), clock.nowMs(), witness)
    if ((await transaction.commit()) !== undefined) return 'conflict'
    await Promise.all(told.map((entry) => ownWork.record(entry)))
    return more ? 'more' : 'done'
  }
}
