/**
 * How often a term may still seal. AES-GCM with random nonces allows 2^32 encryptions a key, over all nodes and
 * restarts. So a node reserves a block of them durably, then uses it up; what it did not use at its end is lost.
 */
import { RequestError } from '../errors.ts'

/**
 * Encryptions that a node reserves at a time. One small commit for 65,536 values costs nothing beside them; a restart
 * wastes at most so many, and a term has room for 59,000 such restarts. The smallest `max_operations` holds 15 blocks.
 */
export const BLOCK = 65_536
/** When so few are left the next block is fetched, ahead of need: some 30 of the largest commits. */
export const LOW_WATER = BLOCK / 2

/**
 * 503: no encryption is reserved under the active term, and none may be: it has sealed 2^32 values and automatic
 * rotation is off, or `ready` was not awaited. Nothing was sealed beyond the limit.
 */
export class TermExhausted extends RequestError {
  override readonly name = 'TermExhausted'
  constructor() {
    super(503, 'the encryption key has no operations left; rotate it (sys/rotate)')
  }
}
