/**
 * The shares that people have brought to this node so far. They lie in this node's memory only: each node is opened by
 * itself, and a restart begins anew.
 *
 * Bounded: fewer shares than the threshold, at most 33 bytes each, whatever is sent. Anyone may send one and so spoil
 * the attempt of others: `reset` starts over, and the nonce shows when somebody did.
 */
import { timingSafeEqual } from 'node:crypto'
import { assert } from '../errors.ts'
import type { Random } from '../random.ts'
import type { Seal, Sharing } from './seal.ts'
import { parseShare } from './share-text.ts'

export interface CeremonyParts<Opened> {
  readonly seal: Pick<Seal, 'checkShare'>
  readonly random: Pick<Random, 'uuid'>
  /** Called with a threshold of different shares, which it does not keep: they are zeroed once it is done. */
  readonly attempt: (shares: readonly Buffer[]) => Promise<Opened>
}

export class UnsealCeremony<Opened> {
  readonly #parts: CeremonyParts<Opened>
  #shares: Buffer[] = []
  #nonce = ''

  constructor(parts: CeremonyParts<Opened>) {
    this.#parts = parts
  }

  /** For seal-status: shares so far, and a UUID that is the same from the first of them to the end, else empty. */
  get progress(): { readonly progress: number; readonly nonce: string } {
    return { progress: this.#shares.length, nonce: this.#nonce }
  }

  /**
   * Takes one share, in hex or base64. The last that was missing starts the attempt; whatever comes of it, the
   * ceremony begins anew. A share that is here already changes nothing.
   *
   * @returns what was opened, or `undefined` while shares are missing
   * @throws {BadRequest} the text is no share; nothing changed
   * @throws {WrongShares} the shares do not fit together or are of another server
   */
  async provide(text: string, sharing: Sharing): Promise<Opened | undefined> {
    const share = parseShare(text)
    try {
      this.#parts.seal.checkShare(share, sharing)
    } catch (error) {
      share.fill(0)
      throw error
    }
    this.#add(share)
    if (this.#shares.length < sharing.threshold) return undefined
    return this.#open()
  }

  /** Forgets the shares. */
  reset(): void {
    for (const share of this.#shares) share.fill(0)
    this.#shares = []
    this.#nonce = ''
  }

  #add(share: Buffer): void {
    if (this.#shares.some((known) => isSame(known, share))) {
      share.fill(0)
      return
    }
    this.#shares.push(share)
    if (this.#nonce === '') this.#nonce = this.#parts.random.uuid()
  }

  async #open(): Promise<Opened> {
    const shares = this.#shares
    assert(shares.length > 0, 'an attempt has shares')
    // Detached before the first await, so that a share that comes meanwhile belongs to the next attempt.
    this.#shares = []
    this.#nonce = ''
    try {
      const opened = await this.#parts.attempt(shares)
      this.reset()
      return opened
    } finally {
      for (const share of shares) share.fill(0)
    }
  }
}

export function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
