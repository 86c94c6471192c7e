/** One chain of entries, of one process from one start to its end: which entries there are, and which are signed. */
import type { Random } from '../../random.ts'
import type { Checkpoint } from './checkpoint.ts'
import { signatureOf } from './checkpoint-line.ts'
import { linked } from './link.ts'

const ID_BYTES = 8

export class Chain {
  readonly #id: string
  #last = 0
  #signedTo = 0
  /** The signature of the last checkpoint. */
  #before = ''

  constructor(random: Random) {
    this.#id = random.bytes(ID_BYTES).toString('hex')
  }

  /** Number of the last entry. */
  get last(): number {
    return this.#last
  }

  /** How many entries no checkpoint has signed. */
  get unsigned(): number {
    return this.#last - this.#signedTo
  }

  /** hot. @param lines each ends with a brace and a newline @returns them with their links */
  link(lines: string): string {
    const { text, last } = linked(lines, this.#id, this.#last)
    this.#last = last
    return text
  }

  /** The entries after this one are not in the file. */
  goBack(last: number): void {
    this.#last = last
  }

  /** What the next checkpoint signs: all that is unsigned. */
  get next(): Pick<Checkpoint, 'id' | 'first' | 'last' | 'before'> {
    return { id: this.#id, first: this.#signedTo + 1, last: this.#last, before: this.#before }
  }

  /** A checkpoint signs the entries up to `last`. */
  signed(last: number, checkpoint: string): void {
    this.#signedTo = last
    this.#before = signatureOf(checkpoint)
  }
}
