/**
 * The entries that no checkpoint has signed, as bytes in memory that the signing thread sees as well: one stage is filled,
 * the other may be lent to that thread. What was lent comes first.
 */
import { digestsOf } from './link.ts'

/** Some 2,200 usual lines. */
const STAGE_BYTES = 2 * 1024 * 1024
/** UTF-8, for each character of a JavaScript string. */
const MAX_BYTES_PER_CHARACTER = 3

interface Stage {
  readonly memory: SharedArrayBuffer
  readonly bytes: Buffer
  used: number
}

/** Which stage it is, and how much of it is used. */
export interface Lent {
  readonly stage: number
  readonly bytes: number
}

export class Stages {
  readonly #stages: readonly [Stage, Stage] = [newStage(), newStage()]
  #filled: 0 | 1 = 0
  #isLent = false
  /** What is lent is not signed otherwise by now. */
  #isWanted = false
  /** The thread died with it: it is nobody's, and stays until it is signed. */
  #isOrphan = false

  get memories(): readonly SharedArrayBuffer[] {
    return this.#stages.map(({ memory }) => memory)
  }

  hasRoomFor(text: string): boolean {
    const room = STAGE_BYTES - this.#filling.used
    return text.length * MAX_BYTES_PER_CHARACTER <= room || Buffer.byteLength(text) <= room
  }

  /** hot. @returns where the text is, until the stage is cleared */
  add(text: string): Uint8Array {
    const stage = this.#filling
    const from = stage.used
    stage.used += stage.bytes.write(text, from)
    return stage.bytes.subarray(from, stage.used)
  }

  /** @param last what was added last */
  takeBack(last: Uint8Array): void {
    this.#filling.used -= last.length
  }

  /** Of all entries, and then of `more` lines. */
  digests(more?: Uint8Array): string {
    const lent = this.#isWanted ? digestsOf(contentOf(this.#lent)) : ''
    const rest = more === undefined ? '' : digestsOf(more)
    return lent + digestsOf(contentOf(this.#filling)) + rest
  }

  /** `undefined`: there is nothing, or the thread still has what was lent before. */
  lend(): Lent | undefined {
    const { used } = this.#filling
    if (this.#isLent || used === 0) return undefined
    const stage = this.#filled
    this.#filled = stage === 0 ? 1 : 0
    this.#isLent = true
    this.#isWanted = true
    return { stage, bytes: used }
  }

  /** @returns whether what the thread made of it is wanted: it was not signed otherwise meanwhile */
  takeReturned(): boolean {
    const isWanted = this.#isWanted
    this.#isLent = false
    this.#isWanted = false
    this.#lent.used = 0
    return isWanted
  }

  /** The thread has died. @returns whether what it had is still to be signed */
  takeOrphan(): boolean {
    if (!this.#isWanted) return this.takeReturned()
    this.#isOrphan = true
    return true
  }

  /** All is signed. What is lent comes back nevertheless. */
  clear(): void {
    this.#filling.used = 0
    this.#isWanted = false
    if (!this.#isOrphan) return
    this.#isOrphan = false
    this.takeReturned()
  }

  get #filling(): Stage {
    return this.#stages[this.#filled]
  }

  get #lent(): Stage {
    return this.#stages[this.#filled === 0 ? 1 : 0]
  }
}

function newStage(): Stage {
  const memory = new SharedArrayBuffer(STAGE_BYTES)
  return { memory, bytes: Buffer.from(memory), used: 0 }
}

function contentOf({ bytes, used }: Stage): Uint8Array {
  return bytes.subarray(0, used)
}
