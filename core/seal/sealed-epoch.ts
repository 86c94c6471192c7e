/**
 * Sealing all nodes at once. `sys/seal` reaches one node; the others see `CORE_RECORDS.sealedEpoch` change in the
 * storage's feed and drop their keys. Only the record's revision means anything: a node stays open while it is the one
 * that its `unseal` gave. After a lost feed it is read again.
 */
import type { Storage } from '../../storage/contract.ts'
import type { Clock } from '../clock.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'

/**
 * Tells every node over this storage to close. The calling node closes its own barrier with `sealBarrier`.
 *
 * @param forget records that end with the same commit, so that none of them is there when the server opens again
 */
export async function sealAllNodes(
  storage: Pick<Storage, 'commit'>,
  clock: Clock,
  forget: readonly string[] = [],
): Promise<void> {
  const value = Buffer.from(JSON.stringify({ version: 1, sealedAtMs: clock.nowMs() }))
  await storage.commit({
    expect: new Map(),
    put: new Map([[CORE_RECORDS.sealedEpoch, value]]),
    delete: new Set(forget),
  })
}

/** The revision of the last sealing of all nodes; 0: there was none. */
export async function readSealedEpoch(storage: Pick<Storage, 'get'>): Promise<number> {
  return (await storage.get(CORE_RECORDS.sealedEpoch))?.revision ?? 0
}
