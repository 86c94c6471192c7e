/**
 * Copies one storage into another, in the order of the keys. A mark in the destination says how far: no server starts on half a
 * copy, and a run that broke off is gone on with.
 */
import type { Storage } from './contract.ts'
import { StorageRefused } from './contract.ts'

/** In a destination that is not whole. Its value: the last key that was copied. */
const MARK = 'copy-under-way'
/** Of one commit; a record is up to 4 MiB. */
const BATCH_RECORDS = 500
const BATCH_BYTES = 8 * 1024 * 1024
const PAGE = 1000

export interface CopyOptions {
  /** Keys before it are left out. */
  readonly start?: string | undefined
  /** Told after each commit how many records this run has copied. */
  readonly onProgress?: (records: number) => void
  /** Ends the run; another one goes on. */
  readonly signal?: AbortSignal
}

export interface Copied {
  readonly records: number
  /** An earlier run was gone on with. */
  readonly wentOn: boolean
}

/**
 * @param from nothing may write to it meanwhile
 * @throws {StorageRefused} the destination is in use already, or the source has changed meanwhile
 */
export async function copyStorage(
  from: Storage,
  to: Storage,
  { start = '', onProgress, signal }: CopyOptions = {},
): Promise<Copied> {
  await demandWhole(from)
  const changes = from.watch()
  const copy = await Copy.begin(to)
  const { wentOn } = copy
  for await (const key of keysAfter(from, copy.upTo)) {
    signal?.throwIfAborted()
    if (key < start) continue
    const stored = await from.get(key)
    if (stored === undefined) continue
    if (!copy.hasRoomFor(stored.value)) {
      const records = await copy.commit()
      onProgress?.(records)
    }
    copy.add(key, stored.value)
  }
  const records = await copy.commit()
  onProgress?.(records)
  const seen = changes.take()
  changes.close()
  if (seen === 'lost' || seen.length > 0) throw changed()
  await copy.finish()
  return { records, wentOn }
}

/** @throws {StorageRefused} it is half a copy */
export async function demandWhole(storage: Storage): Promise<void> {
  if ((await storage.get(MARK)) === undefined) return
  throw new StorageRefused(
    'the storage is a copy that is not whole: run "operator migrate" again, which goes on with it; or remove the file',
  )
}

class Copy {
  readonly wentOn: boolean
  /** The last key that an earlier run has copied; empty: none. */
  readonly upTo: string
  readonly #to: Storage
  #markRevision: number
  #batch = new Map<string, Buffer>()
  #bytes = 0
  #records = 0

  private constructor(to: Storage, mark: { upTo: string; revision: number }) {
    this.#to = to
    this.upTo = mark.upTo
    this.wentOn = mark.revision > 0
    this.#markRevision = mark.revision
  }

  static async begin(to: Storage): Promise<Copy> {
    const mark = await to.get(MARK)
    if (mark !== undefined)
      return new Copy(to, { upTo: mark.value.toString(), revision: mark.revision })
    const [present] = await to.list('', { limit: 1 })
    if (present !== undefined) {
      throw new StorageRefused(
        'the destination holds the records of a server already; give one that is empty, or not there yet',
      )
    }
    return new Copy(to, { upTo: '', revision: 0 })
  }

  hasRoomFor(value: Buffer): boolean {
    return this.#batch.size < BATCH_RECORDS && this.#bytes + value.length <= BATCH_BYTES
  }

  add(key: string, value: Buffer): void {
    this.#batch.set(key, value)
    this.#bytes += value.length
  }

  /** With the mark that says so. @returns how many records there are so far */
  async commit(): Promise<number> {
    const last = [...this.#batch.keys()].at(-1)
    if (last === undefined) return this.#records
    const expect = new Map([[MARK, this.#markRevision]])
    const put = new Map([...this.#batch, [MARK, Buffer.from(last)]])
    const result = await this.#to.commit({ expect, put, delete: new Set() })
    if (!('revision' in result)) throw another()
    this.#markRevision = result.revision
    this.#records += this.#batch.size
    this.#batch = new Map()
    this.#bytes = 0
    return this.#records
  }

  async finish(): Promise<void> {
    if (this.#markRevision === 0) return
    const expect = new Map([[MARK, this.#markRevision]])
    const result = await this.#to.commit({ expect, put: new Map(), delete: new Set([MARK]) })
    if (!('revision' in result)) throw another()
  }
}

/** All keys after this one, in the order of their bytes: a folder's name ends with the slash that its keys have there. */
async function* keysAfter(storage: Storage, after: string, prefix = ''): AsyncGenerator<string> {
  const [first = ''] = after.slice(prefix.length).split('/', 1)
  const inside = after.length > prefix.length + first.length ? `${first}/` : undefined
  if (inside !== undefined) yield* keysAfter(storage, after, prefix + inside)
  let last = inside ?? first
  for (;;) {
    const names = await storage.list(prefix, { limit: PAGE, ...(last !== '' && { after: last }) })
    for (const name of names) {
      if (name.endsWith('/')) yield* keysAfter(storage, prefix + name, prefix + name)
      else yield prefix + name
    }
    last = names.at(-1) ?? ''
    if (names.length < PAGE) return
  }
}

function changed(): StorageRefused {
  return new StorageRefused(
    'the source was written to while it was copied: stop its servers, remove the destination, and run this again',
  )
}

function another(): StorageRefused {
  return new StorageRefused('something else writes to the destination; it must be alone')
}
