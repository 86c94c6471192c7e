/**
 * When the keyring gets a new term by itself: the limits of AES-GCM under one key, and the operator's own.
 */
import { BadRequest } from '../errors.ts'

export interface RotationConfig {
  /** False: only `rotate` adds a term, and the barrier stops at `MAX_ENCRYPTIONS_PER_TERM`. */
  readonly enabled: boolean
  readonly maxOperations: number
  /** Age of a term at which it is replaced; 0: never by age. */
  readonly intervalMs: number
}

/** With random nonces one key seals no more, over all nodes and restarts. NIST SP 800-38D, 8.3. */
export const MAX_ENCRYPTIONS_PER_TERM = 2 ** 32
/** 90 % of the above, Vault's value: room for nodes that hear of the new term late. */
const MAX_OPERATIONS = 3_865_470_566
/** Vault's value. Several blocks of reservation fit under it. */
const MIN_OPERATIONS = 1_000_000
const MIN_INTERVAL_MS = 24 * 3600 * 1000

export const DEFAULT_ROTATION: RotationConfig = {
  enabled: true,
  maxOperations: MAX_OPERATIONS,
  intervalMs: 0,
}

/** @throws {BadRequest} a number is out of its range */
export function checkRotation(config: RotationConfig): void {
  const { maxOperations, intervalMs } = config
  if (!(maxOperations >= MIN_OPERATIONS && maxOperations <= MAX_OPERATIONS)) {
    throw new BadRequest(
      `max_operations must be in the range [${MIN_OPERATIONS},${MAX_OPERATIONS}]`,
    )
  }
  if (intervalMs !== 0 && !(intervalMs >= MIN_INTERVAL_MS)) {
    throw new BadRequest('interval must be greater or equal to 24h0m0s')
  }
}

/** Whether a term must be replaced before `more` encryptions are reserved under it. */
export function isRotationDue(
  config: RotationConfig,
  term: { readonly installedAtMs: number; readonly reserved: number },
  more: number,
  nowMs: number,
): boolean {
  if (!config.enabled) return false
  const tooOld = config.intervalMs > 0 && nowMs - term.installedAtMs >= config.intervalMs
  return tooOld || term.reserved + more > config.maxOperations
}
