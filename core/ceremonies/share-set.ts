/**
 * What the open server knows of the key shares in force: of each a slow, salted hash, and who has it. It is sealed like any
 * record, and tells whether a share is one of them, not what it is: a share has 256 random bits, which no hash gives a
 * start at guessing, and a hash of one share says nothing about another. One salt for all of a set, for one look then
 * takes one hash; no two shares of a set are equal.
 */
import { createHash, scrypt, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import { BadRequest } from '../errors.ts'
import type { Random } from '../random.ts'
import type { Protected, ReadRecord } from '../seal/seal.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'

export interface Holder {
  /** As who made the shares named them; empty: they did not. */
  readonly name: string
  /** Of the PGP key that the share was encrypted to; empty: to none. */
  readonly pgpFingerprint: string
}

export const shareSetSchema = z
  .object({
    madeAtMs: z.number(),
    /** SHA-256 of the root key's record, in hex: a server that knows no sets may have made other shares since. */
    of: z.string(),
    salt: z.string(),
    shares: z
      .array(
        z.object({ hash: z.string(), name: z.string(), pgpFingerprint: z.string() }).readonly(),
      )
      .readonly(),
  })
  .readonly()
export type ShareSet = z.infer<typeof shareSetSchema>
export const shareSets = kind('share-set', shareSetSchema)
export const SHARE_SET_KEY = 'core/share-set'

/** 8 MiB and some 15 ms for each hash; more would buy nothing, for nobody guesses 256 bits. */
const SCRYPT = { N: 8192, r: 8, p: 1 }
const HASH_BYTES = 32
const SALT_BYTES = 16

const MAX_NAME_CHARACTERS = 128
const CONTROL = /\p{Cc}/u

export interface SetOptions {
  /** Names, and fingerprints of PGP keys: none, or one for each share. */
  readonly names: readonly string[]
  readonly pgpFingerprints: readonly string[]
  readonly random: Random
  readonly nowMs: number
}

/** Describes new shares. @param made the shares in the clear; neither kept nor zeroed */
export async function describeShares(
  made: Protected,
  { names, pgpFingerprints, random, nowMs }: SetOptions,
): Promise<ShareSet> {
  const salt = random.bytes(SALT_BYTES)
  const hashes = await Promise.all(made.shares.map((share) => hashOf(share, salt)))
  return {
    madeAtMs: nowMs,
    of: fingerprintOf(made.records.get(CORE_RECORDS.rootKey)),
    salt: salt.toString('base64'),
    shares: hashes.map((hash, at) => ({
      hash: hash.toString('base64'),
      name: names[at] ?? '',
      pgpFingerprint: pgpFingerprints[at] ?? '',
    })),
  }
}

/** The set of the shares in force; `undefined`: nothing is known of them, until they are made anew. */
export async function readShareSet(root: View, read: ReadRecord): Promise<ShareSet | undefined> {
  const set = await root.get(shareSets, SHARE_SET_KEY)
  return set?.of === fingerprintOf(await read(CORE_RECORDS.rootKey)) ? set : undefined
}

/** Whose share it is; `undefined`: none of this set. All are compared, each in constant time. */
export async function holderOf(set: ShareSet, share: Buffer): Promise<Holder | undefined> {
  const hash = await hashOf(share, Buffer.from(set.salt, 'base64'))
  let found: Holder | undefined
  for (const { hash: known, name, pgpFingerprint } of set.shares) {
    if (timingSafeEqual(hash, Buffer.from(known, 'base64'))) found = { name, pgpFingerprint }
  }
  return found
}

/** @throws {BadRequest} neither none nor one for each share, or a name that cannot be shown */
export function checkHolderNames(names: readonly string[], shares: number): void {
  if (names.length !== 0 && names.length !== shares) {
    throw new BadRequest(
      `'secret_share_holders' names ${names.length} holders for ${shares} shares; name one for each, or none`,
    )
  }
  const isName = (name: string) =>
    name.trim() === name && name !== '' && name.length <= MAX_NAME_CHARACTERS && !CONTROL.test(name)
  if (!names.every(isName)) {
    throw new BadRequest(
      `'secret_share_holders' holds names of 1 to ${MAX_NAME_CHARACTERS} characters, without blanks around them and control characters`,
    )
  }
}

function hashOf(share: Buffer, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(share, salt, HASH_BYTES, SCRYPT, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    )
  })
}

function fingerprintOf(record: Buffer | undefined): string {
  return createHash('sha256')
    .update(record ?? '')
    .digest('hex')
}
