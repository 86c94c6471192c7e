/** Whether a key share is one of those in force, and whose: without its threshold, and without a trace of it. */
import { z } from 'zod'
import type { Storage } from '../../storage/contract.ts'
import { RequestError } from '../errors.ts'
import { demandSealConfig, recordReader } from '../seal/lifecycle.ts'
import type { SealConfig } from '../seal/seal-config.ts'
import type { Seal } from '../seal/seal.ts'
import { parseShare } from '../seal/share-text.ts'
import { kind } from '../store/kind.ts'
import type { Moment } from './gathered-shares.ts'
import { holderOf, readShareSet, type Holder, type ShareSet } from './share-set.ts'

/** Looks at shares that the whole server takes in such a time: people need few, and who tries many is no holder. */
const MAX_CHECKS = 10
const WINDOW_MS = 60_000

const checkCounts = kind(
  'share-checks',
  z.object({ sinceMs: z.number(), count: z.int() }).readonly(),
)
const CHECKS_KEY = 'core/share-checks'

export class TooManyChecks extends RequestError {
  override readonly name = 'TooManyChecks'
  constructor(waitMs: number) {
    super(429, `at most ${MAX_CHECKS} key shares are looked at in a minute; wait, and try again`, {
      headers: { 'Retry-After': String(Math.ceil(waitMs / 1000)) },
    })
  }
}

export interface SharesParts {
  readonly storage: Pick<Storage, 'get'>
  readonly seal: Seal
}

export type Checked =
  | { readonly state: 'in force'; readonly holder: Holder }
  /** Of another server, of a time before the last rekey, or mistyped. */
  | { readonly state: 'not in force' }
  /** The shares were made by a server that did not note anything of them. */
  | { readonly state: 'unknown' }

export interface KnownShares {
  readonly config: SealConfig
  /** `undefined`: nothing is known of them. */
  readonly set: ShareSet | undefined
}

export async function readKnownShares(
  { root }: Pick<Moment, 'root'>,
  { storage }: Pick<SharesParts, 'storage'>,
): Promise<KnownShares> {
  const read = recordReader(storage)
  return { config: await demandSealConfig(read), set: await readShareSet(root, read) }
}

/**
 * Looks at one share; a look counts, whatever comes of it.
 *
 * @param text in hex or base64
 * @throws {BadRequest} it can be no share; nothing was looked at
 * @throws {TooManyChecks}
 */
export async function checkShare(
  moment: Moment,
  parts: SharesParts,
  text: string,
): Promise<Checked> {
  const { config, set } = await readKnownShares(moment, parts)
  const share = parseShare(text)
  try {
    parts.seal.checkShare(share, config)
    if (set === undefined) return { state: 'unknown' }
    await countCheck(moment)
    const holder = await holderOf(set, share)
    return holder === undefined ? { state: 'not in force' } : { state: 'in force', holder }
  } finally {
    share.fill(0)
  }
}

async function countCheck({ root, nowMs }: Moment): Promise<void> {
  const known = await root.get(checkCounts, CHECKS_KEY)
  // A time in the future is of a clock that has stepped back since.
  const counts = known !== undefined && known.sinceMs <= nowMs && nowMs - known.sinceMs < WINDOW_MS
  const { sinceMs, count } = counts ? known : { sinceMs: nowMs, count: 0 }
  if (count >= MAX_CHECKS) throw new TooManyChecks(sinceMs + WINDOW_MS - nowMs)
  root.put(checkCounts, CHECKS_KEY, { sinceMs, count: count + 1 })
}
