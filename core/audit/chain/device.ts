/**
 * A file device whose entries are chained (`chain=true`).
 *
 * Chain    one for each process and start of the device; it goes on over rotations. It begins with a checkpoint that names
 *          the last entries of other chains in the file, so that these cannot be cut off unseen.
 * Signs    after `CHECKPOINT_ENTRIES`, or `CHECKPOINT_MS` after the first entry that is unsigned, and at the end.
 * Fails    as the file. A write that failed ends the chain at the entry before it, and the next one begins another.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { systemRandom, type Random } from '../../random.ts'
import type { AuditDevice } from '../device.ts'
import { FileDevice } from '../file.ts'
import type { FileSink } from '../options.ts'
import { eachLine } from '../peer/lines.ts'
import { Chain } from './chain.ts'
import { CHECKPOINT_ENTRIES } from './checkpoint.ts'
import { seenChains } from './seen.ts'

/** How long an entry may stay unsigned. */
const CHECKPOINT_MS = 10_000
/** Where the last entries of other processes are looked for. */
const TAIL_BYTES = 262_144

export interface ChainedDeviceOptions {
  readonly file: FileDevice
  readonly signingKey: KeyObject
  readonly clock: Clock
  readonly random: Random
}

export class ChainedDevice implements AuditDevice {
  readonly #options: ChainedDeviceOptions
  #chain: Chain | undefined
  /** The last checkpoint of a chain that a failure has ended, still to be written. */
  #ending = ''
  #underWay: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined

  constructor(options: ChainedDeviceOptions) {
    this.#options = options
  }

  async write(lines: string): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay
    const { clock, random, signingKey } = this.#options
    const chain = this.#chain ?? new Chain(signingKey, random)
    const before = chain.state
    let text = this.#chain === undefined ? this.#beginning(chain) : ''
    for (const line of eachLine(lines)) text += chain.link(line)
    if (chain.unsigned >= CHECKPOINT_ENTRIES) text += chain.checkpoint(clock.nowMs())
    await this.#put(text, chain, before)
    this.#cancelTimer ??= clock.after(CHECKPOINT_MS, () => this.#sign())
  }

  check(): void {
    this.#options.file.check()
  }

  reopen(): void {
    this.#options.file.reopen()
  }

  close(): void {
    this.#cancelTimer?.()
    if (this.#chain !== undefined && this.#underWay === undefined) {
      const end = this.#chain.checkpoint(this.#options.clock.nowMs(), { end: true })
      void this.#options.file.write(end).catch(unsignedEntries)
    }
    this.#chain = undefined
    this.#options.file.close()
  }

  #beginning(chain: Chain): string {
    const { clock, file, signingKey } = this.#options
    const seen = seenChains(file.tail(TAIL_BYTES), createPublicKey(signingKey))
    return this.#ending + chain.checkpoint(clock.nowMs(), { seen })
  }

  async #put(text: string, chain: Chain, before: Chain['state']): Promise<void> {
    const written = this.#options.file.write(text)
    this.#underWay = written.catch(unsignedEntries)
    try {
      await written
      this.#chain = chain
      this.#ending = ''
    } catch (error) {
      if (this.#chain !== undefined) {
        chain.goBack(before)
        this.#ending = chain.checkpoint(this.#options.clock.nowMs(), { end: true })
        this.#chain = undefined
      }
      throw error
    } finally {
      this.#underWay = undefined
    }
  }

  #sign(): void {
    this.#cancelTimer = undefined
    const chain = this.#chain
    if (chain === undefined || chain.unsigned === 0) return
    if (this.#underWay !== undefined) {
      void this.#underWay.then(() => this.#sign())
      return
    }
    const before = chain.state
    const checkpoint = chain.checkpoint(this.#options.clock.nowMs())
    void this.#put(checkpoint, chain, before).catch(unsignedEntries)
  }
}

/** The entries are in the file. That nothing signs the last of them is told to who verifies it. */
function unsignedEntries(): void {}

/** A file device, chained where there is a key to sign with. */
export function fileDevice(
  sink: FileSink,
  signingKey: KeyObject | undefined,
  clock: Clock,
): AuditDevice {
  const file = new FileDevice(sink, clock)
  if (signingKey === undefined) return file
  return new ChainedDevice({ file, clock, signingKey, random: systemRandom })
}
