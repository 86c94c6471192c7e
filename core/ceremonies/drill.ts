/**
 * A drill: holders give their shares as if the server were to be unsealed, and at the threshold it is proved that they
 * make its root key. Nothing is opened, closed or changed; what is left is when it was and who took part.
 */
import { z } from 'zod'
import type { Barrier } from '../barrier/barrier.ts'
import { BadRequest } from '../errors.ts'
import type { Random } from '../random.ts'
import { recordReader } from '../seal/lifecycle.ts'
import { WrongShares } from '../seal/seal.ts'
import { kind } from '../store/kind.ts'
import { CEREMONY_MS, gather, type Moment } from './gathered-shares.ts'
import { checkShare, readKnownShares, type SharesParts } from './share-checks.ts'

const names = z.array(z.string()).readonly()
const drills = kind(
  'drill',
  z
    .object({
      nonce: z.string(),
      startedAtMs: z.number(),
      /** Sealed each, as in the other ceremonies. */
      shares: names,
      /** Whose they are, as far as that is known. */
      holders: names,
      expiresAtMs: z.number(),
    })
    .readonly(),
  { keptWhenWritten: false },
)
type Running = ReturnType<typeof drills.decode>
export const DRILL_KEY = 'core/ceremony/drill'

const resultSchema = z
  .object({
    nonce: z.string(),
    startedAtMs: z.number(),
    endedAtMs: z.number(),
    passed: z.boolean(),
    threshold: z.int(),
    shares: z.int(),
    holders: names,
  })
  .readonly()
export type DrillResult = z.infer<typeof resultSchema>
const results = kind('drill-results', z.array(resultSchema).readonly())
const RESULTS_KEY = 'core/drill-results'
/** Results that are kept: a few years of drills. */
const MAX_RESULTS = 20

export interface DrillParts extends SharesParts {
  readonly random: Random
  /** @throws {Sealed} */
  readonly open: () => { readonly barrier: Barrier }
}

export interface DrillStatus {
  /** Empty: none is running. */
  readonly nonce: string
  readonly startedAtMs: number
  readonly progress: number
  readonly required: number
  /** Of the shares so far; empty where they are not known. */
  readonly holders: readonly string[]
  /** Only of the update that ended it. */
  readonly result: DrillResult | undefined
}

/** Of one that cannot be among them nothing is kept. */
class NotInForce extends BadRequest {
  override readonly name = 'NotInForce'
  constructor() {
    super(
      'this is none of the key shares in force: it is mistyped, of before the last rekey, or of another server; the drill goes on without it',
    )
  }
}

export class Drill {
  readonly #parts: DrillParts

  constructor(parts: DrillParts) {
    this.#parts = parts
  }

  async status(moment: Moment): Promise<DrillStatus> {
    return this.#shown(moment, await current(moment))
  }

  /** The last ones, the newest first. */
  async results({ root }: Pick<Moment, 'root'>): Promise<readonly DrillResult[]> {
    return (await root.get(results, RESULTS_KEY)) ?? []
  }

  /** @throws {BadRequest} one is running */
  async start(moment: Moment): Promise<DrillStatus> {
    if ((await current(moment)) !== undefined)
      throw new BadRequest('a drill is in progress already')
    const { root, nowMs } = moment
    const running = {
      nonce: this.#parts.random.uuid(),
      startedAtMs: nowMs,
      shares: [],
      holders: [],
      expiresAtMs: nowMs + CEREMONY_MS,
    }
    root.put(drills, DRILL_KEY, running)
    return this.#shown(moment, running)
  }

  /** Ends it without a result, if there is one. */
  async cancel({ root }: Moment): Promise<void> {
    if ((await root.get(drills, DRILL_KEY)) !== undefined) root.delete(DRILL_KEY)
  }

  /**
   * Takes one share. The last that was missing decides.
   *
   * @returns an error: to be answered once what led to it is durable; the drill goes on
   * @throws {BadRequest} none is running, another nonce, no share, or one given before; nothing changed
   */
  async update(
    moment: Moment,
    { key, nonce }: { readonly key: string; readonly nonce: string },
  ): Promise<DrillStatus | BadRequest> {
    const running = await current(moment)
    if (running === undefined) throw new BadRequest('no drill is in progress')
    if (nonce !== running.nonce) {
      throw new BadRequest(
        `incorrect nonce supplied; the nonce of this drill is "${running.nonce}"`,
      )
    }
    if (key === '') throw new BadRequest("'key' must be specified: one key share")
    const checked = await checkShare(moment, this.#parts, key)
    if (checked.state === 'not in force') return new NotInForce()
    const holder = checked.state === 'in force' ? checked.holder.name : ''
    const holders = [...running.holders, holder]
    const { config } = await readKnownShares(moment, this.#parts)
    const gathered = await gather(key, {
      barrier: this.#parts.open().barrier,
      seal: this.#parts.seal,
      sharing: config,
      nonce: running.nonce,
      shares: running.shares,
      attempt: (shares) => this.#prove(shares),
    })
    if (gathered.state !== 'more') {
      return this.#end(moment, { ...running, holders }, gathered.state === 'enough')
    }
    const expiresAtMs = moment.nowMs + CEREMONY_MS
    const next = { ...running, holders, shares: gathered.shares, expiresAtMs }
    moment.root.put(drills, DRILL_KEY, next)
    return this.#shown(moment, next)
  }

  /** @throws {WrongShares} they do not make the root key with which this server is open */
  async #prove(shares: readonly Buffer[]): Promise<void> {
    const { seal, storage, open } = this.#parts
    const read = recordReader(storage)
    if (seal.shareUse === 'recovery') return seal.verifyShares(read, shares)
    const rootKey = await seal.recover(read, shares)
    try {
      if (!open().barrier.isRootKey(rootKey)) throw new WrongShares()
    } finally {
      rootKey.fill(0)
    }
  }

  async #end(moment: Moment, running: Running, passed: boolean): Promise<DrillStatus> {
    const { root, nowMs } = moment
    const { config } = await readKnownShares(moment, this.#parts)
    const { nonce, startedAtMs, holders } = running
    const { shares, threshold } = config
    const result = { nonce, startedAtMs, endedAtMs: nowMs, passed, threshold, shares, holders }
    const kept = [result, ...(await this.results(moment))].slice(0, MAX_RESULTS)
    root.put(results, RESULTS_KEY, kept)
    root.delete(DRILL_KEY)
    return { ...(await this.#shown(moment, running)), progress: threshold, result }
  }

  async #shown(moment: Moment, running: Running | undefined): Promise<DrillStatus> {
    const { config } = await readKnownShares(moment, this.#parts)
    return {
      nonce: running?.nonce ?? '',
      startedAtMs: running?.startedAtMs ?? 0,
      progress: running?.shares.length ?? 0,
      required: config.threshold,
      holders: running?.holders ?? [],
      result: undefined,
    }
  }
}

/** Whether there is one that nobody has touched for too long. */
export async function isOver({ root, nowMs }: Moment): Promise<boolean> {
  const running = await root.get(drills, DRILL_KEY)
  return running !== undefined && running.expiresAtMs <= nowMs
}

async function current({ root, nowMs }: Moment): Promise<Running | undefined> {
  const running = await root.get(drills, DRILL_KEY)
  return running !== undefined && running.expiresAtMs > nowMs ? running : undefined
}
