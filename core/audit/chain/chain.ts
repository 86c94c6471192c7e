/**
 * One chain of entries, of one process from one start to its end: each line is linked to the one before, and every so
 * often a checkpoint signs them.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Random } from '../../random.ts'
import { checkpointLine, type Checkpoint } from './checkpoint.ts'
import { linkBody, linkMac } from './link.ts'

const ID_BYTES = 8
const KEY_BYTES = 32

/** Where a chain stands: to go back to after a write that failed. */
interface ChainState {
  /** Of the last entry. */
  readonly number: number
  readonly mac: string
  /** Since the last checkpoint: the number of the first entry, the MAC before it, all MACs, and their key. */
  readonly first: number
  readonly before: string
  readonly macs: string
  readonly key: MacKey
}

interface MacKey {
  readonly key: KeyObject
  /** Base64url. */
  readonly text: string
}

export class Chain {
  readonly #id: string
  readonly #signingKey: KeyObject
  readonly #random: Random
  #state: ChainState

  constructor(signingKey: KeyObject, random: Random) {
    this.#signingKey = signingKey
    this.#random = random
    const id = random.bytes(ID_BYTES).toString('hex')
    this.#id = id
    this.#state = { number: 0, mac: id, first: 1, before: id, macs: '', key: newKey(random) }
  }

  get state(): ChainState {
    return this.#state
  }

  /** How many entries no checkpoint has signed. */
  get unsigned(): number {
    return this.#state.number - this.#state.first + 1
  }

  goBack(state: ChainState): void {
    this.#state = state
  }

  /** hot. @param line ends with a brace and a newline @returns the line with its link */
  link(line: string): string {
    const { number: last, mac: before, first, before: beforeFirst, macs, key } = this.#state
    const number = last + 1
    const body = linkBody(line, this.#id, number)
    const mac = linkMac(key.key, before, body)
    this.#state = { number, mac, first, before: beforeFirst, macs: macs + mac, key }
    return `${body}${mac}"}\n`
  }

  /** Signs what is unsigned; further entries get another key. @returns a line with its newline */
  checkpoint(nowMs: number, more: Pick<Checkpoint, 'seen' | 'end'> = {}): string {
    const { number, mac, first, before, macs, key } = this.#state
    this.#state = {
      number,
      mac,
      first: number + 1,
      before: mac,
      macs: '',
      key: newKey(this.#random),
    }
    const signed = { id: this.#id, first, last: number, before, key: key.text, macs, ...more }
    return checkpointLine(signed, this.#signingKey, nowMs)
  }
}

function newKey(random: Random): MacKey {
  const bytes = random.bytes(KEY_BYTES)
  return { key: createSecretKey(bytes), text: bytes.toString('base64url') }
}
