/**
 * How many operations a version of a key may still do. The count is kept by blocks: a node reserves one durably, ahead of
 * need, and then uses it up in memory. What it has not used when it stops is lost, so all nodes together never do more than
 * the limit, and no request waits for a write but the first of a node, and the last ones before a limit.
 */
import { Ahead } from '../../core/ahead.ts'
import { BadRequest, RequestError } from '../../core/errors.ts'
import type { LocalMount } from '../../core/plugin/local.ts'
import type { MountContext } from '../../core/plugin/plugin.ts'
import type { RequestBase } from '../../core/plugin/request.ts'
import type { Awaitable } from '../../core/store/awaitable.ts'
import type { View } from '../../core/store/view.ts'
import { rotateKey } from './change.ts'
import { typeOf } from './keys.ts'
import {
  keyKey,
  operationCounts,
  operationsKey,
  transitKeys,
  type KeyOperation,
  type OperationCounts,
  type TransitKey,
} from './records.ts'

/** Encryptions with random nonces of 96 bits under one key, at most. NIST SP 800-38D, 8.3. */
export const MOST_ENCRYPTIONS = 2 ** 32
/** A node's first block is small, for it may restart often; each further one is twice as large. */
const FIRST_BLOCK = 2 ** 12
const LARGEST_BLOCK = 2 ** 20
/** No node takes more than this part of what is left: towards the limit the blocks become small. */
const SHARE = 1 / 16
/** Smaller blocks are not fetched ahead of need: near the limit nothing is to lie unused at a node. */
const LEAST_AHEAD = 64
/** Keys of a mount whose blocks a node holds; of one more the oldest are let go. */
const MAX_KEYS = 100_000

/** 400: the version has done all operations that it may, and is not rotated by itself. */
export class NoOperationsLeft extends BadRequest {
  override readonly name = 'NoOperationsLeft'
  constructor({ maxOperations }: TransitKey, version: number) {
    const raise = maxOperations === 0 ? '' : ', or raise its max_operations'
    super(
      `version ${version} of the key has no operations left; rotate the key (keys/NAME/rotate) and use its newest version${raise}`,
    )
  }
}

/**
 * 409: the version was used up, and the key has been rotated meanwhile. The request has read what has changed, and so is run
 * again, with the new version; no client sees this.
 */
class RotatedMeanwhile extends RequestError {
  override readonly name = 'RotatedMeanwhile'
  constructor() {
    super(409, 'the key was rotated meanwhile; try again')
  }
}

/** What makes something, and so is counted. */
export type Making = Extract<KeyOperation, 'encrypt' | 'sign' | 'mac'>

/** Operations of each version; `Infinity`: nobody counts them. Signatures and MACs take nothing of a key's safety. */
function limitOf(key: Pick<TransitKey, 'type' | 'maxOperations'>, operation: Making): number {
  if (key.maxOperations > 0) return key.maxOperations
  return operation === 'encrypt' && typeOf(key).family === 'aead' ? MOST_ENCRYPTIONS : Infinity
}

export interface Counted {
  readonly version: number
  /** Nobody has asked for just this version. */
  readonly isNewest: boolean
  readonly operation: Making
}

/**
 * hot: counts one operation of a version.
 *
 * @throws {NoOperationsLeft}
 */
export function countOperation(
  local: LocalMount,
  key: TransitKey,
  { version, isNewest, operation }: Counted,
): Awaitable<void> {
  const limit = limitOf(key, operation)
  if (limit === Infinity) return undefined
  const counters = countersAt(local)
  const block = counters.block(key, version, limit)
  return block.take() ? undefined : counters.wait(block, key, { version, isNewest })
}

/**
 * Of a key that is made and used by one request: what that needs is reserved with the key itself, for no other transaction
 * sees it yet.
 *
 * @param operations how many the request does
 */
export function reserveFirst(
  { storage, local }: Pick<RequestBase, 'storage' | 'local'>,
  key: TransitKey,
  operations: number,
): void {
  const reserved = Math.max(operations, FIRST_BLOCK)
  storage.put(operationCounts, operationsKey(key.id), { [key.latestVersion]: reserved })
  countersAt(local).block(key, key.latestVersion, limitOf(key, 'encrypt')).grant(reserved)
}

/** What has been reserved of a key's versions. */
export async function countsOf(storage: View, key: TransitKey): Promise<OperationCounts> {
  return (await storage.get(operationCounts, operationsKey(key.id))) ?? {}
}

/** Of a key that comes from elsewhere: of each version the larger count. */
export function putCounts(
  storage: View,
  { id, versions }: TransitKey,
  ...counts: readonly OperationCounts[]
): void {
  const most = Object.keys(versions)
    .map((number) => [number, Math.max(0, ...counts.map((one) => one[number] ?? 0))] as const)
    .filter(([, count]) => count > 0)
  if (most.length > 0) storage.put(operationCounts, operationsKey(id), Object.fromEntries(most))
}

/** What this node has reserved; safe to lose, as it is when it stops. */
const countersOf = new WeakMap<LocalMount, Counters>()

function countersAt(local: LocalMount): Counters {
  let counters = countersOf.get(local)
  if (counters === undefined) {
    counters = new Counters(local)
    countersOf.set(local, counters)
  }
  return counters
}

/** The next block of a version. @returns how many operations; 0: there are none, but perhaps a new version */
async function reserve(
  context: MountContext,
  id: string,
  version: number,
  wanted: number,
): Promise<number> {
  const { storage } = context
  const key = await storage.get(transitKeys, keyKey(id))
  if (key?.versions[String(version)] === undefined) return 0
  const counts = (await storage.get(operationCounts, operationsKey(id))) ?? {}
  const reserved = counts[version] ?? 0
  const room = limitOf(key, 'encrypt') - reserved
  if (room > 0) {
    const size = Math.min(wanted, Math.ceil(room * SHARE))
    storage.put(operationCounts, operationsKey(id), { ...counts, [version]: reserved + size })
    return size
  }
  if (version === key.latestVersion && isRotated(key)) await rotateKey(context, key)
  return 0
}

function isRotated({ onLimit, imported, importedAllowRotation }: TransitKey): boolean {
  return onLimit === 'rotate' && (!imported || importedAllowRotation)
}

class Block {
  readonly limit: number
  readonly #reserve: Ahead
  #left = 0
  #size = FIRST_BLOCK / 2
  #isLast = false

  constructor(limit: number, reserve: (size: number) => Promise<number>) {
    this.limit = limit
    this.#reserve = new Ahead(async () => {
      this.grant(await reserve(Math.min(this.#size * 2, LARGEST_BLOCK)))
    })
  }

  /** Nothing is left here, and nothing came when it was asked for. */
  get isSpent(): boolean {
    return this.#isLast && this.#left === 0
  }

  /** @param size operations that were reserved for this node; 0: there are no more */
  grant(size: number): void {
    this.#isLast = size === 0
    if (size > 0) this.#size = size
    this.#left += size
  }

  /** hot. @returns whether there was one left */
  take(): boolean {
    const isLow = this.#left * 2 <= this.#size && this.#size >= LEAST_AHEAD && !this.#isLast
    if (isLow) void this.#reserve.begin()
    if (this.#left === 0) return false
    this.#left--
    return true
  }

  /** Waits for the next block; there may be none. */
  fill(): Promise<void> {
    return this.#reserve.begin()
  }
}

class Counters {
  readonly #local: LocalMount
  /** By key and version. */
  readonly #blocks = new Map<string, Map<number, Block>>()

  constructor(local: LocalMount) {
    this.#local = local
  }

  /** hot: a block that was reserved under another limit is let go. */
  block(key: TransitKey, version: number, limit: number): Block {
    const block = this.#blocks.get(key.id)?.get(version)
    return block?.limit === limit ? block : this.#newBlock(key, version, limit)
  }

  #newBlock({ id }: TransitKey, version: number, limit: number): Block {
    const block = new Block(limit, (size) =>
      this.#local.transact((context) => reserve(context, id, version, size)),
    )
    // Blocks of older versions go with it, but for that of the one before: requests may still be under way with it.
    const others = [...(this.#blocks.get(id) ?? [])].filter(([number]) => number >= version - 1)
    this.#blocks.delete(id)
    for (const [oldest] of this.#blocks) {
      if (this.#blocks.size < MAX_KEYS) break
      this.#blocks.delete(oldest)
    }
    this.#blocks.set(id, new Map([...others, [version, block]]))
    return block
  }

  /** Waits for the next block. @throws {NoOperationsLeft} {RotatedMeanwhile} there is none */
  async wait(
    block: Block,
    key: TransitKey,
    { version, isNewest }: Pick<Counted, 'version' | 'isNewest'>,
  ): Promise<void> {
    do {
      await block.fill()
      if (block.take()) return
    } while (!block.isSpent)
    const now = await this.#local.transact(async ({ storage }) =>
      storage.get(transitKeys, keyKey(key.id)),
    )
    const isRotated = now !== undefined && now.latestVersion > version
    throw isNewest && isRotated ? new RotatedMeanwhile() : new NoOperationsLeft(key, version)
  }
}
