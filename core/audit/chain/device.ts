/**
 * A file device whose entries are chained (`chain=true`).
 *
 * Chain    one for each process and start of the device; it goes on over rotations. It begins with a checkpoint that names
 *          the last entries of other chains in the file, so that these cannot be cut off unseen.
 * Signs    `CHECKPOINT_ENTRIES` together, in a thread of its own where there is one; after `CHECKPOINT_MS` what there is; at the
 *          end all. Where that thread does not keep up, the main one signs before more than `MAX_UNSIGNED_ENTRIES` are unsigned.
 * Fails    as the file. A write that failed ends the chain at the entry before it, and the next one begins another.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { systemRandom, type Random } from '../../random.ts'
import type { AuditDevice } from '../device.ts'
import { FileDevice } from '../file.ts'
import type { FileSink } from '../options.ts'
import { Chain } from './chain.ts'
import { CHECKPOINT_ENTRIES, MAX_UNSIGNED_ENTRIES, type Checkpoint } from './checkpoint.ts'
import { checkpointLine } from './checkpoint-line.ts'
import { seenChains } from './seen.ts'
import { Signer, startSigningThread, type SigningThread } from './signer.ts'
import { Stages } from './stages.ts'

/** How long an entry may stay unsigned. */
const CHECKPOINT_MS = 10_000
/** Where the last entries of other processes are looked for. */
const TAIL_BYTES = 1024 * 1024

export interface ChainedDeviceOptions {
  readonly file: FileDevice
  readonly signingKey: KeyObject
  readonly clock: Clock
  readonly random: Random
  /** Absent: this thread signs, such as where it is the device's own. */
  readonly startThread?:
    | ((given: SigningThread) => ReturnType<typeof startSigningThread>)
    | undefined
}

export class ChainedDevice implements AuditDevice {
  readonly #options: ChainedDeviceOptions
  readonly #stages = new Stages()
  readonly #signer: Signer | undefined
  #chain: Chain | undefined
  /** Checkpoints that were made and go before the next entries. */
  #unwritten = ''
  #underWay: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined

  constructor(options: ChainedDeviceOptions) {
    this.#options = options
    const { signingKey, startThread } = options
    const { memories } = this.#stages
    this.#signer = startThread && new Signer(() => startThread({ signingKey, memories }))
  }

  write(lines: string): Promise<void> {
    return this.#alone(() => this.#append(lines))
  }

  check(): void {
    this.#options.file.check()
  }

  reopen(): void {
    this.#options.file.reopen()
  }

  close(): void {
    this.#cancelTimer?.()
    this.#signer?.close()
    if (this.#underWay === undefined) {
      this.#end(this.#chain)
      void this.#options.file.write(this.#unwritten).catch(unsignedEntries)
    }
    this.#chain = undefined
    this.#options.file.close()
  }

  get #mostUnsigned(): number {
    return this.#signer === undefined ? CHECKPOINT_ENTRIES : MAX_UNSIGNED_ENTRIES
  }

  #beginning(chain: Chain): string {
    const { clock, file, signingKey } = this.#options
    const seen = seenChains(file.tail(TAIL_BYTES), createPublicKey(signingKey))
    const checkpoint = checkpointLine(
      { ...chain.next, digests: '', seen },
      signingKey,
      clock.nowMs(),
    )
    chain.signed(0, checkpoint)
    return checkpoint
  }

  /** hot */
  async #append(lines: string): Promise<void> {
    const { clock, random } = this.#options
    const chain = this.#chain ?? new Chain(random)
    const before = chain.last
    const beginning = this.#chain === undefined ? this.#beginning(chain) : ''
    const text = chain.link(lines)
    const bytes = this.#staged(chain, before, text)
    const isDue = bytes === undefined || chain.unsigned >= this.#mostUnsigned
    const rest = bytes === undefined ? Buffer.from(text) : undefined
    const checkpoint = isDue ? this.#checkpoint(chain, {}, rest) : ''
    const isPlain = bytes !== undefined && beginning === '' && checkpoint === ''
    try {
      await this.#put(isPlain ? bytes : beginning + text + checkpoint)
    } catch (error) {
      chain.goBack(before)
      if (bytes !== undefined) this.#stages.takeBack(bytes)
      this.#end(this.#chain)
      throw error
    }
    this.#chain = chain
    if (isDue) this.#signed(chain, checkpoint)
    else if (chain.unsigned >= CHECKPOINT_ENTRIES) this.#signBeside(chain)
    this.#cancelTimer ??= clock.after(CHECKPOINT_MS, () => void this.#alone(() => this.#signRest()))
  }

  /** @returns where the text lies now; `undefined`: there is no room */
  #staged(chain: Chain, before: number, text: string): Uint8Array | undefined {
    if (this.#stages.hasRoomFor(text)) return this.#stages.add(text)
    this.#signBeside(chain, before)
    return this.#stages.hasRoomFor(text) ? this.#stages.add(text) : undefined
  }

  /** One after the other, each with what follows from it. */
  async #alone(work: () => Promise<void>): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay
    const working = work()
    this.#underWay = working.catch(unsignedEntries)
    try {
      await working
    } finally {
      this.#underWay = undefined
    }
  }

  /** Writes the checkpoints that were made, then `text`. */
  async #put(text: string | Uint8Array): Promise<void> {
    const first = this.#unwritten
    const whole = first === '' ? text : first + (typeof text === 'string' ? text : decoded(text))
    await this.#options.file.write(whole)
    this.#unwritten = this.#unwritten.slice(first.length)
  }

  /** Signs all that is unsigned. @param last lines that found no room in a stage */
  #checkpoint(chain: Chain, more: Pick<Checkpoint, 'end'> = {}, last?: Uint8Array): string {
    const { clock, signingKey } = this.#options
    const digests = this.#stages.digests(last)
    return checkpointLine({ ...chain.next, digests, ...more }, signingKey, clock.nowMs())
  }

  /** Everything is, by this checkpoint. */
  #signed(chain: Chain, checkpoint: string): void {
    chain.signed(chain.last, checkpoint)
    this.#stages.clear()
  }

  #end(chain: Chain | undefined): void {
    if (chain !== undefined) this.#unwritten += this.#checkpoint(chain, { end: true })
    this.#stages.clear()
    this.#chain = undefined
  }

  /** Has the thread sign what is in the file, unless it is still busy. */
  #signBeside(chain: Chain, last = chain.last): void {
    if (this.#signer === undefined) return
    const lent = this.#stages.lend()
    if (lent === undefined) return
    const interval = { ...chain.next, last }
    const nowMs = this.#options.clock.nowMs()
    void this.#signer.sign({ ...lent, interval, nowMs }).then((checkpoint) => {
      if (checkpoint === undefined) return this.#signOrphan()
      if (!this.#stages.takeReturned() || this.#chain !== chain) return
      chain.signed(last, checkpoint)
      this.#unwritten += checkpoint
      void this.#alone(() => this.#flush())
    })
  }

  /** What the thread had when it died. */
  #signOrphan(): void {
    if (this.#stages.takeOrphan()) void this.#alone(() => this.#signRest())
  }

  async #signRest(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const chain = this.#chain
    if (chain === undefined || chain.unsigned === 0) return
    const checkpoint = this.#checkpoint(chain)
    this.#signed(chain, checkpoint)
    this.#unwritten += checkpoint
    await this.#flush()
  }

  /** Checkpoints that cannot be written now go before the next entries. */
  async #flush(): Promise<void> {
    if (this.#unwritten !== '') await this.#put('').catch(unsignedEntries)
  }
}

function decoded(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
}

/** The entries are in the file. That nothing signs the last of them is told to who verifies it. */
function unsignedEntries(): void {}

/** A file device, chained where there is a key to sign with. */
export function fileDevice(
  sink: FileSink,
  signingKey: KeyObject | undefined,
  clock: Clock,
  startThread?: ChainedDeviceOptions['startThread'],
): AuditDevice {
  const file = new FileDevice(sink, clock)
  if (signingKey === undefined) return file
  return new ChainedDevice({ file, clock, signingKey, random: systemRandom, startThread })
}
