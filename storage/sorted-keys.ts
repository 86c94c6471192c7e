/**
 * Keys in the order of their UTF-8 bytes, in blocks of at most 512: adding or removing one costs a search and a short
 * copy, so a million random keys take seconds, where one sorted array would take hours of copying.
 */

const MOST_IN_BLOCK = 512

export class SortedKeys {
  /** Never empty blocks; the first may be when there are no keys. */
  readonly #blocks: string[][] = [[]]

  add(key: string): void {
    const at = this.#blockOf(key)
    const block = this.#block(at)
    const position = firstAtLeast(block, key)
    if (block[position] === key) return
    block.splice(position, 0, key)
    if (block.length > MOST_IN_BLOCK) {
      this.#blocks.splice(at + 1, 0, block.splice(block.length / 2))
    }
  }

  delete(key: string): void {
    const at = this.#blockOf(key)
    const block = this.#block(at)
    const position = firstAtLeast(block, key)
    if (block[position] !== key) return
    block.splice(position, 1)
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(at, 1)
  }

  /** The keys from `from` (included) to `end` (excluded; undefined: all), in order, at most `limit`. */
  scan(from: string, end: string | undefined, limit: number): string[] {
    const found: string[] = []
    let at = this.#blockOf(from)
    let position = firstAtLeast(this.#block(at), from)
    while (found.length < limit && at < this.#blocks.length) {
      const key = this.#block(at)[position]
      if (key === undefined) {
        at += 1
        position = 0
        continue
      }
      if (end !== undefined && compareKeys(key, end) >= 0) break
      found.push(key)
      position += 1
    }
    return found
  }

  /** The block in which `key` is or would be: the last that does not begin after it. */
  #blockOf(key: string): number {
    let low = 0
    let high = this.#blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const first = this.#blocks[middle]?.[0]
      if (first !== undefined && compareKeys(first, key) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }

  #block(at: number): string[] {
    return this.#blocks[at] ?? []
  }
}

function firstAtLeast(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(sorted[middle] ?? '', key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Orders strings by their UTF-8 bytes without encoding them. JavaScript orders by UTF-16 units, which differs only
 * where a surrogate (of a character from U+10000 on) meets a unit from U+E000 to U+FFFF: the surrogate is the greater.
 */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    if (a !== b) return rank(a) - rank(b)
  }
  return left.length - right.length
}

const FIRST_SURROGATE = 0xd800
const LAST_SURROGATE = 0xdfff

function rank(unit: number): number {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE ? unit + 0x10000 : unit
}
