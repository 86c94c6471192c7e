/**
 * Verifies audit files whose entries are chained, with the public key alone: finds entries that were altered, removed, moved
 * or added. Lines are given in order, those of rotated files first.
 *
 * Memory  the entries between two checkpoints of each chain.
 */
import type { KeyObject } from 'node:crypto'
import { MAX_UNSIGNED_ENTRIES, readCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import {
  areConsecutive,
  DIGEST_CHARACTERS,
  digestOf,
  hashOfLines,
  parseLink,
  type Link,
} from './link.ts'

export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
}

export interface Finding extends Place {
  readonly text: string
}

export interface Verdict {
  /** What is wrong, in the order of the files. */
  readonly findings: readonly Finding[]
  /** What could not be judged: entries before the chains began or that nothing has signed yet. */
  readonly notes: readonly Finding[]
  /** Entries that a checkpoint signs and that are as they were written. */
  readonly intact: number
}

interface Entry extends Link {
  readonly place: Place
}

interface SeenChain {
  readonly id: string
  readonly last: number
  readonly signed: number
  readonly unsigned?: string | undefined
  readonly place: Place
}

interface WatchedChain {
  /** The last entry that a checkpoint has signed; `undefined`: the chain began before these files. */
  signedTo: number | undefined
  /** The signature of that checkpoint. */
  signature: string
  pending: Entry[]
  highest: number
  ended: boolean
}

export class ChainVerifier {
  readonly #publicKey: KeyObject
  readonly #chains = new Map<string, WatchedChain>()
  readonly #seen: SeenChain[] = []
  readonly #files = new Map<string, number>()
  readonly #findings: Finding[] = []
  readonly #notes: Finding[] = []
  #intact = 0

  constructor(publicKey: KeyObject) {
    this.#publicKey = publicKey
  }

  /** @param line without its newline */
  take(line: string, place: Place): void {
    if (!this.#files.has(place.file)) this.#files.set(place.file, this.#files.size)
    const checkpoint = readCheckpoint(line, this.#publicKey)
    if (checkpoint === false) {
      this.#find(place, 'this checkpoint was altered, or signed by another key')
    } else if (checkpoint === undefined) this.#takeEntry(line, place)
    else this.#takeCheckpoint(checkpoint, place)
  }

  finish(): Verdict {
    for (const one of this.#seen) this.#attest(one)
    for (const chain of this.#chains.values()) this.#finishChain(chain)
    for (const one of this.#seen) this.#checkSeen(one)
    const findings = this.#findings.toSorted((one, other) => this.#order(one, other))
    return { findings, notes: this.#notes, intact: this.#intact }
  }

  #order(one: Place, other: Place): number {
    const files = (this.#files.get(one.file) ?? 0) - (this.#files.get(other.file) ?? 0)
    return files === 0 ? one.line - other.line : files
  }

  #takeEntry(line: string, place: Place): void {
    const link = parseLink(line)
    if (link !== undefined) {
      const chain = this.#chain(link.chainId)
      chain.pending.push({ ...link, place })
      chain.highest = Math.max(chain.highest, link.number)
    } else if (this.#chains.size > 0) {
      this.#find(place, 'this line is no entry of a chain: it was altered, cut off, or added')
    } else if (this.#notes.length === 0) {
      this.#note(place, 'the entries from here to the first chain are not chained')
    }
  }

  #takeCheckpoint(checkpoint: SignedCheckpoint, place: Place): void {
    const chain = this.#chain(checkpoint.id)
    for (const [id, seen] of Object.entries(checkpoint.seen ?? {}))
      this.#seen.push({ id, ...seen, place })
    const { first, last } = checkpoint
    // A write that failed is made again, with the same checkpoint; it says nothing new.
    if (chain.ended || (chain.signedTo !== undefined && first <= chain.signedTo)) return
    if (chain.signedTo !== undefined && first > chain.signedTo + 1) {
      const at = chain.pending[0]?.place ?? place
      this.#find(at, `${range(chain.signedTo + 1, first - 1)} lost the checkpoint that signs them`)
      chain.pending = chain.pending.filter(({ number }) => number >= first)
    }
    if (chain.signedTo === first - 1 && checkpoint.before !== chain.signature) {
      this.#find(place, 'this checkpoint does not follow the one that stands before it')
    }
    const inside = chain.pending.filter(({ number }) => number <= last)
    if (chain.signedTo === undefined && inside[0]?.number === 1) {
      this.#find(inside[0].place, 'the checkpoint that begins this chain was altered or removed')
    }
    const begins = chain.signedTo === undefined ? (inside[0]?.number ?? last + 1) : first
    if (chain.signedTo === undefined && first > 1) {
      this.#note(place, `chain ${checkpoint.id} began in an earlier file`)
    }
    this.#compare(checkpoint, Math.max(begins, first), inside, place)
    chain.pending = chain.pending.filter(({ number }) => number > last)
    chain.signedTo = last
    chain.signature = checkpoint.signature
    chain.highest = Math.max(chain.highest, last)
    chain.ended = checkpoint.end === true
  }

  /** Holds the entries, in the order of the files, against what the checkpoint signs. */
  #compare(
    checkpoint: SignedCheckpoint,
    from: number,
    inside: readonly Entry[],
    place: Place,
  ): void {
    const left = [...inside]
    let missingFrom: number | undefined
    const reportMissing = (until: number, where: Place): void => {
      if (missingFrom !== undefined) this.#find(where, removed(missingFrom, until))
      missingFrom = undefined
    }
    for (let number = from; number <= checkpoint.last; number++) {
      while (left[0] !== undefined && left[0].number < number) {
        this.#find(left[0].place, `entry ${left[0].number} was repeated or moved here`)
        left.shift()
      }
      const at = left.findIndex((entry) => entry.number === number)
      const entry = left[at]
      if (entry === undefined) {
        missingFrom ??= number
        continue
      }
      reportMissing(number - 1, entry.place)
      left.splice(at, 1)
      if (at > 0) this.#find(entry.place, `entry ${number} was moved here`)
      else if (isIntact(checkpoint, entry)) this.#intact++
      else this.#find(entry.place, `entry ${number} was altered`)
    }
    reportMissing(checkpoint.last, place)
    for (const entry of left)
      this.#find(entry.place, `entry ${entry.number} was repeated or moved here`)
  }

  /** Entries of a server that was killed: who opened the file next has signed what they were by then. */
  #attest({ id, last, signed, unsigned }: SeenChain): void {
    const chain = this.#chains.get(id)
    if (unsigned === undefined || chain === undefined || chain.signedTo !== signed) return
    const entries = chain.pending.filter(({ number }) => number <= last)
    const [first] = entries
    if (first === undefined || entries.length !== last - signed) return
    if (hashOfLines(entries) === unsigned) this.#intact += entries.length
    else this.#find(first.place, `${range(signed + 1, last)} were altered or moved`)
    chain.pending = chain.pending.filter(({ number }) => number > last)
    chain.signedTo = last
  }

  #finishChain({ ended, pending, signedTo }: WatchedChain): void {
    const [entry] = pending
    if (entry === undefined) return
    if (ended) {
      this.#find(
        entry.place,
        'entries from here follow the end of their chain: a write had failed there, or they were added',
      )
    } else if (signedTo === undefined && entry.number === 1) {
      this.#find(
        entry.place,
        'entries from here are of a chain that no checkpoint begins: they were added, or it was removed',
      )
    } else if (pending.length >= MAX_UNSIGNED_ENTRIES) {
      this.#find(
        entry.place,
        'more entries from here on are unsigned than ever can be: a checkpoint was removed',
      )
    } else if (!areConsecutive(pending, signedTo ?? entry.number - 1)) {
      this.#find(
        entry.place,
        'entries of this chain were removed, moved or added from here on, behind its last checkpoint',
      )
    } else {
      this.#note(
        entry.place,
        `${range(entry.number, entry.number + pending.length - 1)} of chain ${entry.chainId} are not signed: the server still runs, or was killed`,
      )
    }
  }

  #checkSeen({ id, last, place, signed }: SeenChain): void {
    const chain = this.#chains.get(id)
    const highest = chain?.highest ?? 0
    if (highest < last) {
      this.#find(
        place,
        `${range(highest + 1, last)} of chain ${id}, which this file held when it was opened here, were removed, or are in a file that was not given`,
      )
    } else if ((chain?.signedTo ?? 0) < signed) {
      this.#find(
        place,
        `chain ${id} was signed up to entry ${signed} when this file was opened here; that checkpoint was removed, or is in a file that was not given`,
      )
    }
  }

  #chain(id: string): WatchedChain {
    const known = this.#chains.get(id)
    if (known !== undefined) return known
    const chain = { signedTo: undefined, signature: '', pending: [], highest: 0, ended: false }
    this.#chains.set(id, chain)
    return chain
  }

  #find(place: Place, text: string): void {
    this.#findings.push({ ...place, text })
  }

  #note(place: Place, text: string): void {
    this.#notes.push({ ...place, text })
  }
}

function isIntact({ digests, first }: SignedCheckpoint, { line, number }: Entry): boolean {
  const at = (number - first) * DIGEST_CHARACTERS
  return digestOf(line) === digests.slice(at, at + DIGEST_CHARACTERS)
}

function removed(from: number, to: number): string {
  return `${range(from, to)} ${from === to ? 'was' : 'were'} removed before this line`
}

function range(from: number, to: number): string {
  return from === to ? `entry ${from}` : `entries ${from} to ${to}`
}
