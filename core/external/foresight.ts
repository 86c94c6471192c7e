/**
 * Which records a handler will read, guessed from what it read for such a request before: they go along with the call, if
 * they are in the cache, and save a round trip each. A wrong guess costs nothing but its bytes, and is forgotten.
 */
import { Generations } from '../store/generations.ts'
import type { View } from '../store/view.ts'
import type { Work } from './protocol.ts'
import { pluginRecords } from './records.ts'

/** Requests whose reads are remembered. */
const MAX_KEPT = 4096
/** Longer ones are not: anybody may send such. */
const MAX_HINT_CHARACTERS = 512
const MAX_KEYS = 8
/** Larger records are sent when they are asked for. */
const MAX_TEXT_CHARACTERS = 16_384
const one = () => 1

/** A record's text; `null`: there is none. */
export type Known = readonly [key: string, text: string | null]

export class Foresight {
  readonly #keys = new Generations<readonly string[]>(MAX_KEPT)

  /** hot: what is known already of what the handler will read. The transaction has read it then, as if it had asked. */
  records(hint: string, storage: Pick<View, 'get'>): Known[] {
    const known: Known[] = []
    for (const key of this.#keys.get(hint, one) ?? NOTHING) {
      const found = storage.get(pluginRecords, key)
      if (found instanceof Promise) found.catch(() => undefined)
      else if ((found?.length ?? 0) <= MAX_TEXT_CHARACTERS) known.push([key, found ?? null])
    }
    return known
  }

  learn(hint: string, asked: readonly string[], unused: readonly string[]): void {
    if (hint === '' || hint.length > MAX_HINT_CHARACTERS) return
    if (asked.length === 0 && unused.length === 0) return
    const before = this.#keys.get(hint, one) ?? NOTHING
    const kept = before.filter((key) => !unused.includes(key))
    this.#keys.set(hint, [...new Set([...asked, ...kept])].slice(0, MAX_KEYS), 1)
  }
}

const NOTHING: readonly string[] = []

/** hot: what such requests have in common; empty: nothing is guessed. */
export function hintOf(work: Work): string {
  if (work.do !== 'run' && work.do !== 'exists') return ''
  const { mount, path } = work.request
  return `${work.do} ${work.operation} ${mount.uuid} ${path}`
}
