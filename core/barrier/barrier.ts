/**
 * The barrier: whatever leaves the process for the storage passes here and is sealed; whatever comes back is opened.
 *
 * Seals    AES-256-GCM under the newest term of the keyring, bound to storage key and term (`sealed-record.ts`).
 * Counts   each encryption is reserved durably before it happens: `await ready()`, then `seal` (`usage.ts`).
 * Rotates  by hand, by age and by count. Nodes that rotate at once each add a term; none is ever lost.
 * Learns   of new terms by `reload` (the feed names `CORE_RECORDS.keyring`) or on meeting one (`openFetched`).
 * Forgets  `destroy` lets go of all keys; then everything throws `Sealed`.
 */
import type { Storage } from '../../storage/contract.ts'
import type { Clock } from '../clock.ts'
import { Ahead } from '../ahead.ts'
import { assert, CorruptRecord, Sealed, TooManyConflicts } from '../errors.ts'
import type { Random } from '../random.ts'
import { Keyring } from './keyring.ts'
import type { Term } from './keyring.ts'
import { CORE_RECORDS, handoverKey, usageKey } from './record-keys.ts'
import { checkRotation, isRotationDue, MAX_ENCRYPTIONS_PER_TERM } from './rotation.ts'
import type { RotationConfig } from './rotation.ts'
import { RootRecords } from './root-records.ts'
import {
  claimedTerm,
  KEY_BYTES,
  NONCE_BYTES,
  openRecord,
  OUTSIDE_KEYRING,
  sealRecord,
} from './sealed-record.ts'
import { BLOCK, LOW_WATER, TermExhausted } from './usage.ts'

/** What a barrier stands on. */
export interface BarrierParts {
  readonly storage: Pick<Storage, 'get' | 'commit'>
  readonly clock: Clock
  /** Source of keys and nonces. */
  readonly random: Random
}

/** Of `sys/key-status`. */
export interface KeyStatus {
  readonly term: number
  readonly installedAtMs: number
  /** Reserved by all nodes under this term, less what this node has not used yet: never too low. */
  readonly encryptions: number
}

/** What is committed together with a new root key. */
export interface WithRootKey {
  readonly records: ReadonlyMap<string, Buffer>
  readonly forget: readonly string[]
  /** Revisions that must be as they were: else somebody else has replaced the root key. */
  readonly expect: ReadonlyMap<string, number>
}

/** Times that a change of the keyring or of a count is tried against other nodes' changes. */
const MAX_ATTEMPTS = 20

/** All that must be gone after `destroy`, in one object. */
interface Unsealed {
  root: RootRecords
  keyring: Keyring
  /** The storage's revision of `keyring`; 0: not committed yet. */
  revision: number
  /** What this node has reserved and not used. */
  block: { term: Term; left: number } | undefined
}

export class Barrier {
  readonly #parts: BarrierParts
  #unsealed: Unsealed | undefined
  /** The next block, ahead of need. */
  readonly #reserving = new Ahead(() => this.#untilCommitted(() => this.#reserveBlock()))

  private constructor(parts: BarrierParts, unsealed: Unsealed) {
    this.#parts = parts
    this.#unsealed = unsealed
  }

  /**
   * A new barrier with one term, for `initialize`: it seals up to `BLOCK` values at once. It counts once `records` are
   * committed together, where none of their keys may exist.
   *
   * @param rootKey 32 bytes, copied; the caller zeroes it
   */
  static create(
    parts: BarrierParts,
    rootKey: Buffer,
  ): { barrier: Barrier; records: Map<string, Buffer> } {
    const key = parts.random.bytes(KEY_BYTES)
    const keyring = Keyring.first(key, parts.clock.nowMs())
    key.fill(0)
    const block = { term: keyring.active(), left: BLOCK }
    const root = new RootRecords(rootKey, parts.random)
    const barrier = new Barrier(parts, { root, keyring, revision: 0, block })
    return { barrier, records: keyringRecords(root, keyring, true) }
  }

  /**
   * The barrier of an initialised storage.
   *
   * @param rootKey 32 bytes, copied; the caller zeroes it
   * @throws {CorruptRecord} the keyring is missing, altered, or sealed with another root key
   */
  static async unlock(parts: BarrierParts, rootKey: Buffer): Promise<Barrier> {
    const root = new RootRecords(rootKey, parts.random)
    const stored = await parts.storage.get(CORE_RECORDS.keyring)
    if (stored === undefined) throw new CorruptRecord(CORE_RECORDS.keyring)
    const keyring = root.openKeyring(stored.value)
    return new Barrier(parts, {
      root,
      keyring,
      revision: stored.revision,
      block: undefined,
    })
  }

  get isDestroyed(): boolean {
    return this.#unsealed === undefined
  }

  /**
   * hot: Seals one value for the place `key`, out of what `ready` has reserved.
   *
   * @param plaintext at most the storage's largest value less 32 bytes; neither kept nor changed
   * @returns term (4, big endian) | nonce (12) | ciphertext | tag (16)
   * @throws {Sealed} no keyring in memory
   * @throws {TermExhausted} nothing is reserved: `await ready()` was left out
   */
  seal(key: string, plaintext: Buffer | string): Buffer {
    const { block } = this.#need()
    if (block === undefined || block.left < 1) throw new TermExhausted()
    block.left -= 1
    const { term } = block
    return sealRecord(term.key, term.term, this.#parts.random.nonce(NONCE_BYTES), key, plaintext)
  }

  /**
   * hot: Whether `count` values can be sealed now; `undefined` says so, and holds until the caller awaits something.
   * Else wait for the promise, and ask again, for others may have waited too:
   *
   *     for (let wait = barrier.ready(n); wait !== undefined; wait = barrier.ready(n)) await wait
   *
   * The promise rejects with `StorageUnavailable`, `TermExhausted` or `TooManyConflicts`. `sealAll` does all this.
   */
  ready(count = 1): Promise<void> | undefined {
    assert(count <= LOW_WATER, `at most ${LOW_WATER} values are sealed at once`)
    const { block, keyring } = this.#need()
    const left = block?.left ?? 0
    const isLow = left < LOW_WATER || block?.term.term !== keyring.activeTerm
    const reserving = isLow ? this.#reserving.begin() : undefined
    return left >= count ? undefined : reserving
  }

  /** Seals the values of one commit, waiting for a reservation where there is none left. */
  async sealAll(plaintexts: ReadonlyMap<string, Buffer | string>): Promise<Map<string, Buffer>> {
    const count = plaintexts.size
    for (let wait = this.ready(count); wait !== undefined; wait = this.ready(count)) await wait
    const sealed = new Map<string, Buffer>()
    for (const [key, plaintext] of plaintexts) sealed.set(key, this.seal(key, plaintext))
    return sealed
  }

  /**
   * hot: Opens what was sealed for this place.
   *
   * @throws {Sealed} no keyring in memory
   * @throws {CorruptRecord} truncated, altered, moved, or of a term that this node does not know
   */
  open(key: string, sealed: Buffer): Buffer {
    const { keyring } = this.#need()
    const term = keyring.get(claimedTerm(sealed) ?? OUTSIDE_KEYRING)
    if (term === undefined) throw new CorruptRecord(key)
    return openRecord(term.key, key, sealed)
  }

  /**
   * hot: `open` for a record fresh from the storage: its term may be newer than this node's keyring, which then is
   * read again. Only then is the answer a promise.
   */
  openFetched(key: string, sealed: Buffer): Buffer | Promise<Buffer> {
    const { keyring } = this.#need()
    if ((claimedTerm(sealed) ?? OUTSIDE_KEYRING) <= keyring.activeTerm)
      return this.open(key, sealed)
    return this.reload().then(() => this.open(key, sealed))
  }

  /**
   * Reads the keyring again, as another node may have added terms. To be called when the feed names
   * `CORE_RECORDS.keyring` or is lost.
   *
   * @throws {CorruptRecord} the stored keyring is damaged, or lacks a term that this node holds; this one's stays in use
   */
  async reload(): Promise<void> {
    const stored = await this.#parts.storage.get(CORE_RECORDS.keyring)
    const unsealed = this.#need()
    if (stored === undefined) throw new CorruptRecord(CORE_RECORDS.keyring)
    if (stored.revision <= unsealed.revision) return
    const { root, keyring } = await this.#openKeyring(stored.value)
    if (!keyring.includes(this.#need().keyring)) {
      keyring.destroy()
      throw new CorruptRecord(CORE_RECORDS.keyring)
    }
    this.#adopt(keyring, stored.revision, root)
  }

  /**
   * Puts another root key in place of the present one: the keyring is sealed by it, and all that the caller gives is
   * committed with that, so that a crash leaves the old root key and its shares, or the new ones. Other open nodes are
   * handed it over.
   *
   * @param rootKey 32 bytes, copied; the caller zeroes it
   * @throws {TooManyConflicts} what the caller expects is not so any more; nothing changed
   */
  async replaceRootKey(rootKey: Buffer, along: WithRootKey): Promise<void> {
    const root = new RootRecords(rootKey, this.#parts.random)
    await this.#untilCommitted(async () => {
      const { reserved, revision: usageRevision } = await this.#readUsage()
      const { keyring, revision } = this.#need()
      const usage = usageKey(keyring.activeTerm)
      const result = await this.#parts.storage.commit({
        expect: new Map([
          [CORE_RECORDS.keyring, revision],
          [usage, usageRevision],
          ...along.expect,
        ]),
        put: new Map([
          [CORE_RECORDS.keyring, root.sealKeyring(keyring)],
          [usage, root.sealUsage(keyring.activeTerm, reserved)],
          ...this.#handovers(keyring, rootKey),
          ...along.records,
        ]),
        delete: new Set(along.forget),
      })
      if ('conflict' in result) {
        if (along.expect.has(result.conflict)) throw new TooManyConflicts()
        return false
      }
      this.#adopt(keyring, result.revision, root)
      return true
    })
  }

  /** Whether this is the root key in force, in constant time. @param rootKey neither kept nor zeroed */
  isRootKey(rootKey: Buffer): boolean {
    return this.#need().root.isKey(rootKey)
  }

  /** Adds a term, under which all nodes seal from then on (a node that has not heard of it finishes its block first). */
  async rotate(): Promise<void> {
    await this.#untilCommitted(() => this.#addTerm())
  }

  /** Adds a term if the active one is too old or too much used. For a timed duty. True: it did. */
  async rotateIfDue(): Promise<boolean> {
    let rotated = false
    await this.#untilCommitted(async () => {
      const { term, reserved } = await this.#readUsage()
      rotated = this.#isDue(term, reserved)
      return rotated ? this.#addTerm() : true
    })
    return rotated
  }

  get rotationConfig(): RotationConfig {
    return this.#need().keyring.rotation
  }

  /** @throws {BadRequest} a number is out of its range */
  async configureRotation(config: RotationConfig): Promise<void> {
    checkRotation(config)
    await this.#untilCommitted(() => this.#commitKeyring(this.#need().keyring.withRotation(config)))
  }

  async keyStatus(): Promise<KeyStatus> {
    const { term, reserved } = await this.#readUsage()
    const { block } = this.#need()
    const unused = block?.term.term === term.term ? block.left : 0
    return { term: term.term, installedAtMs: term.installedAtMs, encryptions: reserved - unused }
  }

  /** Lets go of all keys, at once and for good. Calls that are under way fail with `Sealed`. */
  destroy(): void {
    this.#unsealed?.keyring.destroy()
    this.#unsealed = undefined
    this.#reserving.forget()
  }

  #need(): Unsealed {
    if (this.#unsealed === undefined) throw new Sealed()
    return this.#unsealed
  }

  /** One try to reserve the next block under the active term. False: another node was faster. */
  async #reserveBlock(): Promise<boolean> {
    const { term, reserved, revision } = await this.#readUsage()
    if (this.#isDue(term, reserved)) return this.#addTerm()
    if (reserved + BLOCK > MAX_ENCRYPTIONS_PER_TERM) throw new TermExhausted()
    const key = usageKey(term.term)
    const { root, revision: keyringRevision } = this.#need()
    const result = await this.#parts.storage.commit({
      expect: new Map([
        [key, revision],
        // A node that has not heard of a rotation hears of it here.
        [CORE_RECORDS.keyring, keyringRevision],
      ]),
      put: new Map([[key, root.sealUsage(term.term, reserved + BLOCK)]]),
      delete: new Set(),
    })
    if ('conflict' in result) return false
    this.#grant(term)
    return true
  }

  #grant(term: Term): void {
    const unsealed = this.#need()
    const inUse = unsealed.block?.term.term ?? OUTSIDE_KEYRING
    // A rotation may have overtaken this reservation: never back to the older term.
    if (inUse > term.term) return
    const unused = unsealed.block !== undefined && inUse === term.term ? unsealed.block.left : 0
    unsealed.block = { term, left: unused + BLOCK }
  }

  /** One try to commit a keyring with a new term, and its first block for this node. */
  async #addTerm(): Promise<boolean> {
    const key = this.#parts.random.bytes(KEY_BYTES)
    const keyring = this.#need().keyring.withTerm(key, this.#parts.clock.nowMs())
    key.fill(0)
    const term = keyring.active()
    if (!(await this.#commitKeyring(keyring, true))) return false
    this.#grant(term)
    return true
  }

  /** Commits `keyring` in place of the one in use; false, and `keyring` is destroyed: that one was no longer current. */
  async #commitKeyring(keyring: Keyring, withNewTerm = false): Promise<boolean> {
    const { root, revision } = this.#need()
    const result = await this.#parts.storage.commit({
      expect: new Map([[CORE_RECORDS.keyring, revision]]),
      put: keyringRecords(root, keyring, withNewTerm),
      delete: new Set(),
    })
    if ('conflict' in result) {
      keyring.destroy()
      return false
    }
    this.#adopt(keyring, result.revision)
    return true
  }

  /** Takes a committed keyring into use, and the root key that seals it, unless a later one is in use already. */
  #adopt(keyring: Keyring, revision: number, root = this.#need().root): void {
    const unsealed = this.#need()
    const isSame = keyring === unsealed.keyring
    if (revision <= unsealed.revision) {
      if (!isSame) keyring.destroy()
      return
    }
    if (!isSame) unsealed.keyring.destroy()
    unsealed.keyring = keyring
    unsealed.revision = revision
    unsealed.root = root
  }

  /** The keyring, opened by the present root key, or by the one that has been handed over. */
  async #openKeyring(sealed: Buffer): Promise<{ root: RootRecords; keyring: Keyring }> {
    const { root } = this.#need()
    try {
      return { root, keyring: root.openKeyring(sealed) }
    } catch (error) {
      if (!(error instanceof CorruptRecord)) throw error
      const newer = await this.#handedOver()
      if (newer === undefined) throw error
      return { root: newer, keyring: newer.openKeyring(sealed) }
    }
  }

  /** The root key that another node left for who has this node's keyring. */
  async #handedOver(): Promise<RootRecords | undefined> {
    const key = handoverKey(this.#need().keyring.activeTerm)
    const stored = await this.#parts.storage.get(key)
    if (stored === undefined) return undefined
    const rootKey = this.open(key, stored.value)
    try {
      return new RootRecords(rootKey, this.#parts.random)
    } finally {
      rootKey.fill(0)
    }
  }

  /**
   * For nodes that know the newest term, and for those that have yet to hear of it. These few are not reserved:
   * automatic rotation leaves room for millions.
   */
  #handovers(keyring: Keyring, rootKey: Buffer): Map<string, Buffer> {
    const handovers = new Map<string, Buffer>()
    for (const term of [keyring.get(keyring.activeTerm - 1), keyring.active()]) {
      if (term === undefined) continue
      const key = handoverKey(term.term)
      handovers.set(
        key,
        sealRecord(term.key, term.term, this.#parts.random.nonce(NONCE_BYTES), key, rootKey),
      )
    }
    return handovers
  }

  /** Tries until it is committed, reading the keyring again after each conflict. */
  async #untilCommitted(attempt: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < MAX_ATTEMPTS; i += 1) {
      if (await attempt()) return
      await this.reload()
    }
    throw new TooManyConflicts()
  }

  /** What is reserved under the active term. */
  async #readUsage(): Promise<{ term: Term; reserved: number; revision: number }> {
    const term = this.#need().keyring.active()
    const stored = await this.#parts.storage.get(usageKey(term.term))
    const { root, keyring } = this.#need()
    // A rotation came in between: this count is no longer that of the active term.
    if (keyring.activeTerm !== term.term) return this.#readUsage()
    const reserved = root.openUsage(term.term, stored?.value)
    return { term, reserved, revision: stored?.revision ?? 0 }
  }

  #isDue({ installedAtMs }: Term, reserved: number): boolean {
    const nowMs = this.#parts.clock.nowMs()
    return isRotationDue(this.rotationConfig, { installedAtMs, reserved }, BLOCK, nowMs)
  }
}

/** A keyring as it is committed; with a new term, also that term's first block, for the node that adds it. */
function keyringRecords(
  root: RootRecords,
  keyring: Keyring,
  withNewTerm: boolean,
): Map<string, Buffer> {
  const records = new Map<string, Buffer>([[CORE_RECORDS.keyring, root.sealKeyring(keyring)]])
  const { activeTerm } = keyring
  if (withNewTerm) records.set(usageKey(activeTerm), root.sealUsage(activeTerm, BLOCK))
  return records
}
