/**
 * `list` over any ordered scan of keys: one level of names, each folder once, its inside skipped by a seek.
 *
 * A folder costs one short scan, however much lies in it. Where folders are small it is cheaper to step over their few
 * keys than to seek, so the scans grow while at least half of what they bring is of use, and are short again after.
 */
import { checkList } from './limits.ts'
import type { ListOptions } from './contract.ts'

/** The keys from `from` (included) to `end` (excluded; undefined: all), in order, at most `limit`. */
export type Scan = (from: string, end: string | undefined, limit: number) => readonly string[]

/** Keys in the first scan: many enough for a page, few enough if all turn out to lie in one folder. */
const FIRST_KEYS = 64
/** Keys in a scan after one that met mostly the inside of a folder. */
const FEWEST_KEYS = 2
/** Keys in the longest scan; bounds the memory of a step. */
const MOST_KEYS = 4096
const GROWTH = 4

export function listNames(scan: Scan, prefix: string, { after, limit }: ListOptions): string[] {
  checkList(prefix, limit)
  const end = prefix === '' ? undefined : pastFolder(prefix)
  const names: string[] = []
  let from = after === undefined ? prefix : startAfter(prefix, after.toWellFormed())
  let room = Math.floor(limit)
  let ask = Math.min(room, FIRST_KEYS)
  while (room > 0) {
    const keys = scan(from, end, ask)
    const found = addNames(names, keys, prefix)
    const last = keys.at(-1)
    if (last === undefined || keys.length < ask) break
    from = nextStart(prefix, last)
    room -= found
    ask = Math.min(room, MOST_KEYS, found * 2 >= keys.length ? ask * GROWTH : FEWEST_KEYS)
  }
  return names
}

/** @returns how many names were new */
function addNames(names: string[], keys: readonly string[], prefix: string): number {
  const before = names.length
  let folder = ''
  for (const key of keys) {
    const slash = key.indexOf('/', prefix.length)
    if (slash === -1) {
      names.push(key.slice(prefix.length))
    } else if (folder === '' || !key.startsWith(folder)) {
      folder = key.slice(0, slash + 1)
      names.push(folder.slice(prefix.length))
    }
  }
  return names.length - before
}

/** Where the scan goes on after `key`: behind its folder if it lies in one. */
function nextStart(prefix: string, key: string): string {
  const slash = key.indexOf('/', prefix.length)
  return slash === -1 ? justAfter(key) : pastFolder(key.slice(0, slash + 1))
}

/** The first key whose name sorts after `after`. What comes after 'a/b' comes after all of the folder 'a/'. */
function startAfter(prefix: string, after: string): string {
  const slash = after.indexOf('/')
  return slash === -1 ? justAfter(prefix + after) : pastFolder(prefix + after.slice(0, slash + 1))
}

/** No key lies between `key` and this, as keys have no NUL. */
function justAfter(key: string): string {
  return `${key}\0`
}

/** The first string after all that begin with `folder`, which ends in '/': '0' is the byte after '/'. */
function pastFolder(folder: string): string {
  return `${folder.slice(0, -1)}0`
}
