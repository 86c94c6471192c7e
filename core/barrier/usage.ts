/**
 * How often a term may still seal. AES-GCM with random nonces allows 2^32 encryptions a key, over all nodes and
 * restarts. So a node reserves a block of them durably, then uses it up; what it did not use at its end is lost.
 */
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { RequestError } from '../errors.ts'
import { usageKey } from './record-keys.ts'
import { MAX_ENCRYPTIONS_PER_TERM } from './rotation.ts'
import { openRecord } from './sealed-record.ts'

/**
 * Encryptions that a node reserves at a time. One small commit for 65,536 values costs nothing beside them; a restart
 * wastes at most so many, and a term has room for 59,000 such restarts. The smallest `max_operations` holds 15 blocks.
 */
export const BLOCK = 65_536
/** When so few are left the next block is fetched, ahead of need: some 30 of the largest commits. */
export const LOW_WATER = BLOCK / 2

/**
 * 503: no encryption is reserved under the active term, and none may be: it has sealed 2^32 values and automatic
 * rotation is off, or the storage did not let the node reserve more. Nothing was sealed beyond the limit.
 */
export class TermExhausted extends RequestError {
  override readonly name = 'TermExhausted'
  constructor() {
    super(
      503,
      'the encryption key has no reserved operations left; rotate it (sys/rotate) if this persists',
    )
  }
}

const StoredUsage = z.strictObject({
  version: z.literal(1),
  reserved: z.int().min(0).max(MAX_ENCRYPTIONS_PER_TERM),
})

export function serialiseUsage(reserved: number): string {
  return JSON.stringify({ version: 1, reserved })
}

/**
 * The encryptions reserved so far. A count that is missing or does not open is taken as used up: the term then gets a
 * successor, whereas a guess could pass the limit.
 */
export function readUsage(rootKey: KeyObject, term: number, sealed: Buffer | undefined): number {
  if (sealed === undefined) return MAX_ENCRYPTIONS_PER_TERM
  try {
    const bytes = openRecord(rootKey, usageKey(term), sealed)
    return StoredUsage.parse(JSON.parse(bytes.toString())).reserved
  } catch {
    return MAX_ENCRYPTIONS_PER_TERM
  }
}
