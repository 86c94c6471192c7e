/**
 * The storage keys of what the barrier and the seal keep for themselves. Everything else in the storage is sealed by a
 * term of the keyring; these are what stands before it.
 */
export const CORE_RECORDS = {
  /** Plain JSON: kind of seal, shares, threshold. Read while sealed; holds no secret. Present: initialised. */
  sealConfig: 'core/seal-config',
  /** The root key, wrapped by the seal. Its form is the seal's own. */
  rootKey: 'core/root-key',
  /** The keyring (all terms and the rules of rotation), sealed by the root key. */
  keyring: 'core/keyring',
  /**
   * `core/barrier-usage/<term>`: how many encryptions nodes have reserved under this term, sealed by the root key.
   * Sealed although a number is no secret, so that whoever can write to the storage cannot make one up. (Putting an
   * old one back is possible, as with any record: see `docs/security-model.md`, rollback.)
   */
  usagePrefix: 'core/barrier-usage/',
  /**
   * `core/root-key-handover/<term>`: a new root key, sealed by that term of the keyring, for nodes that are open when the
   * shares are replaced. Whoever could open it has the keyring already.
   */
  handoverPrefix: 'core/root-key-handover/',
  /** Plain JSON. Written by `sys/seal`: each node that sees it change drops its keys. Only its revision means anything. */
  sealedEpoch: 'core/sealed-epoch',
} as const

/** Whether a key is one of these, or the folder of them: nobody but the barrier and the seal reads or writes there. */
export function isCoreRecord(key: string): boolean {
  return Object.values(CORE_RECORDS).some((own) =>
    own.endsWith('/') ? `${key}/`.startsWith(own) : key === own,
  )
}

/** Where the reserved encryptions of one term are counted. */
export function usageKey(term: number): string {
  return `${CORE_RECORDS.usagePrefix}${term}`
}

/** Where a node that knows this term, and no newer one, finds a new root key. */
export function handoverKey(term: number): string {
  return `${CORE_RECORDS.handoverPrefix}${term}`
}
