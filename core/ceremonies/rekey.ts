/**
 * New key shares by the agreement of a threshold of the present ones. With them the root key is replaced, so that old
 * shares and an old copy of the storage open nothing that is sealed later.
 *
 * Where verification is asked for, the new shares do nothing until a threshold of them was brought back: what waits in
 * the record until then is the new root key, wrapped by the key that the new shares make, and no secret beside it.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import type { Storage } from '../../storage/contract.ts'
import type { Barrier } from '../barrier/barrier.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { KEY_BYTES } from '../barrier/sealed-record.ts'
import { BadRequest } from '../errors.ts'
import type { Random } from '../random.ts'
import { demandSealConfig, recordReader, replaceShares } from '../seal/lifecycle.ts'
import { checkKeyCount, encryptShares, readPgpKeys } from '../seal/pgp.ts'
import { checkSharing } from '../seal/seal-config.ts'
import { WrongShares, type Seal, type Sharing } from '../seal/seal.ts'
import { kind } from '../store/kind.ts'
import { CEREMONY_MS, gather, type Moment } from './gathered-shares.ts'
import { DRILL_KEY } from './drill.ts'
import { GENERATE_ROOT_KEY } from './generate-root.ts'
import {
  checkHolderNames,
  describeShares,
  SHARE_SET_KEY,
  shareSetSchema,
  shareSets,
  type ShareSet,
} from './share-set.ts'
import { REKEY_WORDS, type RekeyWords } from './rekey-words.ts'

const backupSchema = z
  .object({
    nonce: z.string(),
    /** Fingerprint -> PGP messages in hex. */
    keys: z.record(z.string(), z.array(z.string()).readonly()).readonly(),
  })
  .readonly()
export type SharesBackup = z.infer<typeof backupSchema>
const backups = kind('shares-backup', backupSchema)
const BACKUP_KEY = 'core/unseal-keys-backup'

const sealedShares = z.array(z.string()).readonly()
const rekeys = kind(
  'rekey',
  z
    .object({
      nonce: z.string(),
      sharing: z.object({ shares: z.int(), threshold: z.int() }).readonly(),
      verifies: z.boolean(),
      /** Base64, one for each new share; empty: they are not encrypted. */
      pgpKeys: z.array(z.string()).readonly().default([]),
      pgpFingerprints: z.array(z.string()).readonly().default([]),
      /** Who gets the new shares; empty: they were not named. */
      holders: z.array(z.string()).readonly().default([]),
      /** Whether the encrypted shares are kept. */
      backup: z.boolean().default(false),
      shares: sealedShares,
      /** Once the present holders have agreed: what waits for the new ones to bring theirs. */
      pending: z
        .object({
          nonce: z.string(),
          shares: sealedShares,
          /** Storage key -> the seal's record, base64. */
          wrapped: z.record(z.string(), z.string()).readonly(),
          /** The encrypted shares, to be kept once they are in force. */
          backup: backupSchema.nullable().default(null),
          /** What is to be known of them then. */
          set: shareSetSchema.nullable().default(null),
          /** Of the root key's record, when the holders agreed. */
          revision: z.int(),
        })
        .readonly()
        .nullable(),
      expiresAtMs: z.number(),
    })
    .readonly(),
  { keptWhenWritten: false },
)
type Running = ReturnType<typeof rekeys.decode>
export const REKEY_KEY = 'core/ceremony/rekey'

export interface RekeyParts {
  readonly storage: Pick<Storage, 'get' | 'commit'>
  readonly seal: Seal
  readonly random: Random
  /** @throws {Sealed} */
  readonly open: () => { readonly barrier: Barrier }
}

export interface RekeyOptions extends Sharing {
  readonly verifies: boolean
  /** Public keys in base64, one for each new share; none: they are not encrypted. */
  readonly pgpKeys: readonly string[]
  /** Names of who gets the new shares, one for each; none: they are not named. */
  readonly holders: readonly string[]
  readonly backup: boolean
}

export interface RekeyStatus {
  readonly state: 'idle' | 'running'
  /** Empty: none is running. */
  readonly nonce: string
  /** What it will be; 0 and 0 while none is running. */
  readonly sharing: Sharing
  /** Shares so far, of those that are given now. */
  readonly progress: number
  /** Present shares needed. */
  readonly required: number
  readonly verifies: boolean
  readonly pgpFingerprints: readonly string[]
  /** Names of the new holders, where they were given. */
  readonly holders: readonly string[]
  readonly backup: boolean
  /** Empty: nothing is there to be verified yet. */
  readonly verificationNonce: string
}

/** The present holders have agreed. */
export interface NewShares extends Omit<RekeyStatus, 'state'> {
  readonly state: 'new shares'
  /** One for each holder, encrypted where there are PGP keys; the caller zeroes them. */
  readonly keys: readonly Buffer[]
  /** Puts them in place of the present ones, once the request is durable; nothing to do where they wait for verification. */
  readonly apply: (() => Promise<void>) | undefined
}

export interface Verified {
  readonly state: 'verified'
  readonly nonce: string
  readonly apply: () => Promise<void>
}

/** What is brought. */
interface Given {
  readonly key: string
  readonly nonce: string
}

export class Rekey {
  readonly #parts: RekeyParts
  readonly #words: RekeyWords

  constructor(parts: RekeyParts, words: RekeyWords = REKEY_WORDS) {
    this.#parts = parts
    this.#words = words
  }

  async status(moment: Moment): Promise<RekeyStatus> {
    return shown((await this.#present()).threshold, await current(moment))
  }

  /** @throws {BadRequest} one is running; shares, threshold and PGP keys do not fit */
  async start(moment: Moment, options: RekeyOptions): Promise<RekeyStatus> {
    const { verifies, pgpKeys, holders, backup, shares, threshold } = options
    if (backup && pgpKeys.length === 0) {
      throw new BadRequest(
        'cannot request a backup of the new keys without providing PGP keys for encryption',
      )
    }
    checkSharing(options, this.#words.configured)
    checkKeyCount(pgpKeys, shares, this.#words.configured)
    checkHolderNames(holders, shares)
    const pgpFingerprints = (await readPgpKeys(pgpKeys)).map(({ fingerprint }) => fingerprint)
    const present = await this.#present()
    if ((await current(moment)) !== undefined) throw new BadRequest(this.#words.running)
    const running = {
      nonce: this.#parts.random.uuid(),
      sharing: { shares, threshold },
      verifies,
      pgpKeys,
      pgpFingerprints,
      holders,
      backup,
      shares: [],
      pending: null,
      expiresAtMs: moment.nowMs + CEREMONY_MS,
    }
    moment.root.put(rekeys, REKEY_KEY, running)
    return shown(present.threshold, running)
  }

  /** The encrypted shares that are in force, where they were to be kept. */
  async backup({ root }: Moment): Promise<SharesBackup> {
    const backup = await root.get(backups, BACKUP_KEY)
    if (backup === undefined) throw new BadRequest('no backed-up keys found')
    return backup
  }

  async forgetBackup({ root }: Moment): Promise<void> {
    if ((await root.get(backups, BACKUP_KEY)) !== undefined) root.delete(BACKUP_KEY)
  }

  /**
   * Ends it: present shares stay in force, new ones that wait for verification are worth nothing.
   *
   * @param nonce of the one that is meant; empty: whichever runs
   */
  async cancel(moment: Moment, nonce: string): Promise<void> {
    const running = await current(moment)
    if (running !== undefined && nonce !== '') this.#demandNonce(nonce, running.nonce)
    if ((await moment.root.get(rekeys, REKEY_KEY)) !== undefined) moment.root.delete(REKEY_KEY)
  }

  /**
   * Takes one of the present shares. The last that was missing makes the new ones.
   *
   * @returns `WrongShares`: those given so far are forgotten, and it goes on; to be answered once that is durable
   * @throws {BadRequest} none is running, another nonce, no share, or one given before; nothing changed
   */
  async update(moment: Moment, given: Given): Promise<RekeyStatus | NewShares | WrongShares> {
    const { storage, seal } = this.#parts
    if (given.key === '') throw new BadRequest(this.#words.noKey)
    const present = await this.#present()
    const running = await current(moment)
    if (running === undefined) throw new BadRequest(this.#words.idle)
    if (running.pending !== null) {
      throw new BadRequest(
        `rekey operation already finished; verification must be performed; nonce for the verification operation is "${running.pending.nonce}"`,
      )
    }
    this.#demandNonce(given.nonce, running.nonce)
    const revision = (await storage.get(CORE_RECORDS.rootKey))?.revision ?? 0
    const gathered = await gather(given.key, {
      barrier: this.#parts.open().barrier,
      seal,
      sharing: present,
      nonce: running.nonce,
      shares: running.shares,
      attempt: async (shares) => {
        await seal.verifyShares(recordReader(storage), shares)
        return this.#newKey(running, moment.nowMs)
      },
    })
    if (gathered.state === 'enough') {
      return this.#hand(moment, running, {
        ...gathered.result,
        revision,
        required: present.threshold,
      })
    }
    const shares = gathered.state === 'more' ? gathered.shares : []
    const next = this.#put(moment, { ...running, shares })
    if (gathered.state === 'more') return shown(present.threshold, next)
    return new WrongShares('failed to read root key')
  }

  /** @throws {BadRequest} nothing is running */
  async verificationStatus(moment: Moment): Promise<RekeyStatus> {
    return shownVerification(await this.#demandRunning(moment))
  }

  /** Forgets the new shares that were brought back; they can be brought anew. */
  async restartVerification(moment: Moment): Promise<RekeyStatus> {
    const running = await this.#demandRunning(moment)
    const nonce = this.#parts.random.uuid()
    const pending = running.pending && { ...running.pending, nonce, shares: [] }
    return shownVerification(this.#put(moment, { ...running, pending }))
  }

  /** Takes one of the new shares. With a threshold of them they come into force. */
  async verify(moment: Moment, given: Given): Promise<RekeyStatus | Verified | WrongShares> {
    if (given.key === '') throw new BadRequest(this.#words.noKey)
    const { seal } = this.#parts
    const running = await this.#demandRunning(moment)
    const { pending, sharing } = running
    if (pending === null) {
      throw new BadRequest(
        running.verifies
          ? 'no rekey verification in progress: the present key shares come first'
          : 'rekey verification not required',
      )
    }
    if (given.nonce !== pending.nonce) {
      throw new BadRequest(
        `incorrect nonce supplied; nonce for this verify operation is "${pending.nonce}"`,
      )
    }
    const wrapped = new Map(
      Object.entries(pending.wrapped).map(([key, text]) => [key, Buffer.from(text, 'base64')]),
    )
    const gathered = await gather(given.key, {
      barrier: this.#parts.open().barrier,
      seal,
      sharing,
      nonce: pending.nonce,
      shares: pending.shares,
      attempt: async (shares) => asKey(await seal.recover(async (key) => wrapped.get(key), shares)),
    })
    if (gathered.state === 'enough') {
      moment.root.delete(REKEY_KEY)
      const { revision, backup, set } = pending
      const apply = this.#applying(gathered.result, { wrapped, sharing, revision, backup, set })
      return { state: 'verified', nonce: pending.nonce, apply }
    }
    const shares = gathered.state === 'more' ? gathered.shares : []
    const next = this.#put(moment, { ...running, pending: { ...pending, shares } })
    if (gathered.state === 'more') return shownVerification(next)
    return new WrongShares('rekey verification failed; incorrect key shares supplied')
  }

  async #demandRunning(moment: Moment): Promise<Running> {
    const running = await current(moment)
    if (running === undefined) throw new BadRequest(this.#words.unconfigured)
    return running
  }

  #demandNonce(given: string, nonce: string): void {
    if (given === nonce) return
    throw new BadRequest(`incorrect nonce supplied; ${this.#words.nonce} "${nonce}"`)
  }

  #present() {
    return demandSealConfig(recordReader(this.#parts.storage))
  }

  async #newKey({ sharing, pgpKeys, holders, pgpFingerprints }: Running, nowMs: number) {
    const readers = await readPgpKeys(pgpKeys)
    const { random } = this.#parts
    const rootKey = random.bytes(KEY_BYTES)
    try {
      const made = await this.#parts.seal.protect(rootKey, sharing)
      const set = await describeShares(made, { names: holders, pgpFingerprints, random, nowMs })
      const keys = readers.length === 0 ? made.shares : await encryptShares(made.shares, readers)
      return { wrapped: made.records, keys, set, rootKey: asKey(rootKey) }
    } finally {
      rootKey.fill(0)
    }
  }

  #hand(
    moment: Moment,
    running: Running,
    made: {
      readonly wrapped: ReadonlyMap<string, Buffer>
      readonly keys: readonly Buffer[]
      readonly set: ShareSet
      readonly rootKey: KeyObject
      readonly revision: number
      readonly required: number
    },
  ): NewShares {
    const { keys, wrapped, revision, required, set } = made
    const backup = running.backup ? backupOf(running, keys) : null
    if (!running.verifies) {
      moment.root.delete(REKEY_KEY)
      const { sharing } = running
      const apply = this.#applying(made.rootKey, { wrapped, sharing, revision, backup, set })
      return { ...shown(required, running), state: 'new shares', keys, apply }
    }
    const texts = Array.from(wrapped, ([key, bytes]) => [key, bytes.toString('base64')] as const)
    const nonce = this.#parts.random.uuid()
    const pending = { nonce, shares: [], wrapped: Object.fromEntries(texts), revision, backup, set }
    const next = this.#put(moment, { ...running, shares: [], pending })
    return { ...shown(required, next), state: 'new shares', keys, apply: undefined }
  }

  /** The commit that puts the new shares in force. */
  #applying(
    key: KeyObject,
    next: {
      readonly wrapped: ReadonlyMap<string, Buffer>
      readonly sharing: Sharing
      readonly revision: number
      readonly backup: SharesBackup | null
      /** `null`: another release made them, which noted nothing. */
      readonly set: ShareSet | null
    },
  ): () => Promise<void> {
    return async () => {
      const { storage, seal } = this.#parts
      const { barrier } = this.#parts.open()
      const kept = new Map<string, string>()
      if (next.backup !== null) kept.set(BACKUP_KEY, backups.encode(next.backup))
      if (next.set !== null) kept.set(SHARE_SET_KEY, shareSets.encode(next.set))
      // An older backup holds shares that open nothing any more.
      const all = [GENERATE_ROOT_KEY, DRILL_KEY, BACKUP_KEY, SHARE_SET_KEY]
      const forget = all.filter((key) => !kept.has(key))
      const records = new Map([...next.wrapped, ...(await barrier.sealAll(kept))])
      const rootKey = key.export()
      const { shares, threshold } = next.sharing
      try {
        await replaceShares({ storage, barrier }, rootKey, records, {
          config: { type: seal.type, shares, threshold },
          revision: next.revision,
          forget,
        })
      } finally {
        rootKey.fill(0)
      }
    }
  }

  #put({ root, nowMs }: Moment, running: Running): Running {
    const next = { ...running, expiresAtMs: nowMs + CEREMONY_MS }
    root.put(rekeys, REKEY_KEY, next)
    return next
  }
}

function backupOf({ nonce, pgpFingerprints }: Running, keys: readonly Buffer[]): SharesBackup {
  const byFingerprint = new Map<string, string[]>()
  for (const [i, fingerprint] of pgpFingerprints.entries()) {
    const text = keys[i]?.toString('hex') ?? ''
    byFingerprint.set(fingerprint, [...(byFingerprint.get(fingerprint) ?? []), text])
  }
  return { nonce, keys: Object.fromEntries(byFingerprint) }
}

/** Held so between a request and its commit: OpenSSL overwrites it, whatever becomes of the request. */
function asKey(rootKey: Buffer): KeyObject {
  const key = createSecretKey(rootKey)
  rootKey.fill(0)
  return key
}

/** Whether there is one that nobody has touched for too long. */
export async function isOver({ root, nowMs }: Moment): Promise<boolean> {
  const running = await root.get(rekeys, REKEY_KEY)
  return running !== undefined && running.expiresAtMs <= nowMs
}

async function current({ root, nowMs }: Moment): Promise<Running | undefined> {
  const running = await root.get(rekeys, REKEY_KEY)
  return running !== undefined && running.expiresAtMs > nowMs ? running : undefined
}

const NO_SHARING: Sharing = { shares: 0, threshold: 0 }

function shown(required: number, running: Running | undefined): RekeyStatus {
  return {
    state: running === undefined ? 'idle' : 'running',
    nonce: running?.nonce ?? '',
    sharing: running?.sharing ?? NO_SHARING,
    progress: running?.shares.length ?? 0,
    required,
    verifies: running?.verifies ?? false,
    pgpFingerprints: running?.pgpFingerprints ?? [],
    holders: running?.holders ?? [],
    backup: running?.backup ?? false,
    verificationNonce: running?.pending?.nonce ?? '',
  }
}

/** The same of the shares that are brought back. */
function shownVerification(running: Running): RekeyStatus {
  const { pending, sharing } = running
  return {
    ...shown(sharing.threshold, running),
    state: pending === null ? 'idle' : 'running',
    nonce: pending?.nonce ?? '',
    progress: pending?.shares.length ?? 0,
  }
}
