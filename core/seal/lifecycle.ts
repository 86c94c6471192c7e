/**
 * From nothing to an initialised server, from closed to open, and back: what happens to the root key on the way.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { StorageUnavailable } from '../../storage/contract.ts'
import type { Commit, Storage } from '../../storage/contract.ts'
import { assert, BadRequest, CorruptRecord } from '../errors.ts'
import { Barrier } from '../barrier/barrier.ts'
import type { BarrierParts } from '../barrier/barrier.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { KEY_BYTES } from '../barrier/sealed-record.ts'
import {
  checkSharing,
  readSealConfig,
  serialiseSealConfig,
  type SealConfig,
} from './seal-config.ts'
import { WrongShares, type Protected, type ReadRecord, type Seal, type Sharing } from './seal.ts'
import { readSealedEpoch } from './sealed-epoch.ts'

export class AlreadyInitialized extends BadRequest {
  override readonly name = 'AlreadyInitialized'
  constructor() {
    super('Vault is already initialized')
  }
}

export class NotInitialized extends BadRequest {
  override readonly name = 'NotInitialized'
  constructor() {
    super('Vault is not initialized')
  }
}

export interface InitializeOptions extends BarrierParts {
  readonly seal: Seal
  readonly sharing: Sharing
  /**
   * Further records of the same commit, sealed with the new barrier: root token, default policy, mounts. It may be
   * called although nothing is committed in the end.
   */
  readonly populate?: (
    barrier: Pick<Barrier, 'seal'>,
    made: Protected,
  ) => ReadonlyMap<string, Buffer> | Promise<ReadonlyMap<string, Buffer>>
}

export interface UnsealOptions extends BarrierParts {
  readonly seal: Seal
  /** Not kept; the caller zeroes them. None for a seal that opens by itself. */
  readonly shares: readonly Buffer[]
}

export interface Unsealed {
  readonly barrier: Barrier
  /** The node closes once `CORE_RECORDS.sealedEpoch` has a revision above this. */
  readonly sealedEpoch: number
}

export async function isInitialized(storage: Pick<Storage, 'get'>): Promise<boolean> {
  return (await storage.get(CORE_RECORDS.sealConfig)) !== undefined
}

/** @throws {NotInitialized} */
export async function demandSealConfig(read: ReadRecord): Promise<SealConfig> {
  const config = await readSealConfig(read)
  if (config === undefined) throw new NotInitialized()
  return config
}

/** Reads records for a seal. */
export function recordReader(storage: Pick<Storage, 'get'>): ReadRecord {
  return async (key) => (await storage.get(key))?.value
}

/**
 * Makes root key, keyring and shares and commits everything at once: a crash leaves nothing or all of it. The server
 * stays closed.
 *
 * @returns one share for each holder; the caller hands them out and zeroes them
 * @throws {BadRequest} shares and threshold do not fit
 * @throws {AlreadyInitialized} also when another node was faster
 */
export async function initialize(options: InitializeOptions): Promise<readonly Buffer[]> {
  const { storage, seal, sharing, random } = options
  if (await isInitialized(storage)) throw new AlreadyInitialized()
  if (seal.shareUse === 'unseal' || sharing.shares !== 0) checkSharing(sharing)
  const rootKey = random.bytes(KEY_BYTES)
  try {
    const { barrier, records } = Barrier.create(options, rootKey)
    try {
      const wrapped = await seal.protect(rootKey, sharing)
      const first = new Map([
        [CORE_RECORDS.sealConfig as string, serialiseSealConfig({ type: seal.type, ...sharing })],
        ...wrapped.records,
        ...records,
      ])
      const more = await populate(options, barrier, wrapped)
      await commitFirst(storage, first, more)
      return wrapped.shares
    } finally {
      barrier.destroy()
    }
  } finally {
    rootKey.fill(0)
  }
}

async function populate(
  options: InitializeOptions,
  barrier: Pick<Barrier, 'seal'>,
  made: Protected,
): Promise<ReadonlyMap<string, Buffer>> {
  try {
    return (await options.populate?.(barrier, made)) ?? new Map<string, Buffer>()
  } catch (error) {
    // Another node was faster, and what it wrote came up on the way: this barrier does not open it.
    if (await isInitialized(options.storage)) throw new AlreadyInitialized()
    throw error
  }
}

async function commitFirst(
  storage: BarrierParts['storage'],
  first: ReadonlyMap<string, Buffer>,
  more: ReadonlyMap<string, Buffer>,
): Promise<void> {
  const put = new Map([...first, ...more])
  assert(
    put.size === first.size + more.size,
    'initial records keep clear of those of barrier and seal',
  )
  const expect = new Map([...first.keys()].map((key) => [key, 0]))
  if (await isCommitted(storage, { expect, put, delete: new Set() })) return
  throw new AlreadyInitialized()
}

/**
 * Puts new shares and a new root key in place of the present ones, on every open node, in one commit.
 *
 * @param rootKey of `wrapped`; the caller zeroes it
 * @param wrapped what `seal.protect` made of it
 * @param revision of the root key's record when the present shares were proved
 * @throws {TooManyConflicts} the shares were replaced meanwhile
 */
export async function replaceShares(
  { storage, barrier }: { storage: BarrierParts['storage']; barrier: Barrier },
  rootKey: Buffer,
  wrapped: ReadonlyMap<string, Buffer>,
  { config, revision, forget }: { config: SealConfig; revision: number; forget: readonly string[] },
): Promise<void> {
  const records = new Map([
    ...wrapped,
    [CORE_RECORDS.sealConfig as string, serialiseSealConfig(config)],
  ])
  const expect = new Map([[CORE_RECORDS.rootKey as string, revision]])
  try {
    await barrier.replaceRootKey(rootKey, { records, expect, forget })
  } catch (error) {
    if (!(error instanceof StorageUnavailable && error.outcomeUnknown)) throw error
    if (!(await isStored(storage, wrapped.get(CORE_RECORDS.rootKey)))) throw error
    await barrier.reload()
  }
}

async function isStored(
  storage: Pick<Storage, 'get'>,
  rootKeyRecord: Buffer | undefined,
): Promise<boolean> {
  const stored = await storage.get(CORE_RECORDS.rootKey)
  return rootKeyRecord !== undefined && stored?.value.equals(rootKeyRecord) === true
}

/** Commits; where the connection broke on the way, looks whether it was committed, for the shares exist but once. */
async function isCommitted(storage: BarrierParts['storage'], commit: Commit): Promise<boolean> {
  try {
    return !('conflict' in (await storage.commit(commit)))
  } catch (error) {
    if (!(error instanceof StorageUnavailable && error.outcomeUnknown)) throw error
    if (!(await isStored(storage, commit.put.get(CORE_RECORDS.rootKey)))) throw error
    return true
  }
}

/**
 * Opens the barrier with a threshold of shares.
 *
 * @throws {NotInitialized}
 * @throws {WrongShares} they do not fit together or are of another server
 * @throws {CorruptRecord} the shares are right, the keyring is damaged
 */
export async function unseal(options: UnsealOptions): Promise<Unsealed> {
  const { storage, seal, shares } = options
  const read = recordReader(storage)
  if ((await readSealConfig(read)) === undefined) throw new NotInitialized()
  // Read first: whoever seals while this runs raises it, and the node closes again.
  const sealedEpoch = await readSealedEpoch(storage)
  const before = await storage.get(CORE_RECORDS.rootKey)
  const rootKey = await seal.recover(read, shares)
  try {
    return { barrier: await Barrier.unlock(options, rootKey), sealedEpoch }
  } catch (error) {
    // The keyring is not damaged if the shares were replaced between the two reads: they are the old ones.
    const after = await storage.get(CORE_RECORDS.rootKey)
    if (error instanceof CorruptRecord && after?.revision !== before?.revision) {
      throw new WrongShares()
    }
    throw error
  } finally {
    rootKey.fill(0)
  }
}

/**
 * Closes this node's barrier and has the memory of its keys cleansed: OpenSSL overwrites a key, and the ciphers made
 * from it, when their objects are collected, so they are collected now. Takes some ten milliseconds.
 */
export function sealBarrier(barrier: Barrier): void {
  barrier.destroy()
  collectGarbage()
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('globalThis.gc?.()')
}
