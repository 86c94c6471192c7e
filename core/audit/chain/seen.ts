/** What a chain that begins finds of others at the end of its file. */
import type { KeyObject } from 'node:crypto'
import { eachLine } from '../peer/lines.ts'
import { readCheckpoint, type Checkpoint } from './checkpoint.ts'
import { areConsecutive, hashOfLines, parseLink, type Link } from './link.ts'

type Seen = NonNullable<Checkpoint['seen']>

interface Found {
  signed: number
  readonly links: Link[]
}

/** @param tail whole lines */
export function seenChains(tail: string, publicKey: KeyObject): Seen {
  const chains = new Map<string, Found>()
  const chain = (id: string): Found => {
    const found = chains.get(id) ?? { signed: 0, links: [] }
    chains.set(id, found)
    return found
  }
  for (const line of eachLine(tail)) {
    const text = line.trimEnd()
    const link = parseLink(text)
    if (link !== undefined) chain(link.chainId).links.push(link)
    const checkpoint = link === undefined && readCheckpoint(text, publicKey)
    if (checkpoint) {
      const found = chain(checkpoint.id)
      found.signed = Math.max(found.signed, checkpoint.last)
    }
  }
  return Object.fromEntries([...chains].map(([id, found]) => [id, seenOf(found)]))
}

function seenOf({ links, signed }: Found): Seen[string] {
  const unsigned = links.filter(({ number }) => number > signed)
  const last = Math.max(signed, ...unsigned.map(({ number }) => number))
  const whole = unsigned.length > 0 && areConsecutive(unsigned, signed)
  return { last, signed, ...(whole ? { unsigned: hashOfLines(unsigned) } : {}) }
}
