/** Revokes leases for who asks and waits: now, on this node, beside the timed duties. */
import { failureText, undo, type UndoParts } from '../effects/undo.ts'
import { BadRequest } from '../errors.ts'
import { listBelow } from '../store/deep.ts'
import { runTransaction } from '../store/run.ts'
import { Transaction } from '../store/transaction.ts'
import { View } from '../store/view.ts'
import { carryOut, type RevocationOrder } from './orders.ts'
import { leaseKey, leasePrefix, leaseRecords, type Lease } from './record.ts'
import { recordFailure, removeRevoked, undoingOf } from './revoke.ts'

/** Leases that are undone at the same time. */
const WIDTH = 32

export interface RevokerParts extends UndoParts {
  readonly onFailure: (what: string, error: unknown) => void
}

export class Revoker {
  readonly #parts: RevokerParts

  constructor(parts: RevokerParts) {
    this.#parts = parts
  }

  /** Undoes a lease that is marked, and removes it. @throws {BadRequest} it could not; it will be tried again */
  async revoke(lease: Lease): Promise<void> {
    try {
      await undo(this.#parts, undoingOf(lease))
      await runTransaction(this.#parts, (root, nowMs) =>
        removeRevoked(root, this.#parts, lease, nowMs),
      )
    } catch (error) {
      this.#parts.onFailure('revoking a lease', error)
      const text = failureText(error)
      const isGone = await runTransaction(this.#parts, (root, nowMs) =>
        recordFailure(root, lease, nowMs, text),
      )
      if (!isGone) throw new BadRequest(`failed to revoke "${lease.id}": ${text}`)
    }
  }

  /** Carries out an order to its end. @throws {BadRequest} some could not be revoked; they will be tried again */
  async carryOut({ id, namespaceId, prefix, givenAtMs }: RevocationOrder): Promise<void> {
    let more = true
    while (more) {
      more = await runTransaction(this.#parts, (root, nowMs) => carryOut(root, nowMs, id))
    }
    const folder = `${leasePrefix(namespaceId)}${prefix}/`
    let after = ''
    for (;;) {
      const root = new View(new Transaction(this.#parts.store), '')
      const names = await listBelow(root, folder, { after, limit: WIDTH })
      const last = names.at(-1)
      if (last === undefined) return
      after = last
      const leases = await Promise.all(
        names.map((name) =>
          root.get(leaseRecords, leaseKey({ namespaceId, id: `${prefix}/${name}` })),
        ),
      )
      await this.#revokeAll(leases.filter((lease) => isMeant(lease, givenAtMs)))
    }
  }

  async #revokeAll(leases: readonly Lease[]): Promise<void> {
    const outcomes = await Promise.allSettled(leases.map((lease) => this.revoke(lease)))
    const failed = outcomes.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }
}

function isMeant(lease: Lease | undefined, givenAtMs: number): lease is Lease {
  return lease !== undefined && lease.revocation !== null && lease.issuedAtMs <= givenAtMs
}
