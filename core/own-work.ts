/**
 * What the server does by itself, in the audit log: as an answer that nobody asked for. Work that cannot be recorded is done
 * all the same, for it takes rights away; the failure is reported.
 */
import { readAuditTable } from './audit-records.ts'
import type { AuditBroker } from './audit/broker.ts'
import type { MountFacts } from './audit/facts.ts'
import type { Clock } from './clock.ts'
import type { CorruptRecord } from './errors.ts'
import { findMountedOrRemoved } from './mounts/removed.ts'
import type { MountServices } from './mounts/services.ts'
import { findNamespace, ROOT } from './namespaces.ts'
import type { Random } from './random.ts'
import type { Store } from './store/store.ts'
import { Transaction } from './store/transaction.ts'
import { View } from './store/view.ts'
import type { ServiceToken } from './tokens/record.ts'

export interface OwnWorkParts {
  readonly store: Store
  readonly audit: AuditBroker
  readonly clock: Clock
  readonly random: Random
  readonly mounts: MountServices
  readonly onFailure: (what: string, error: unknown) => void
}

export interface OwnWorkEntry {
  readonly operation: string
  readonly namespaceId: string
  /** Relative to the namespace. */
  readonly path: string
  readonly mountUuid?: string
  readonly leaseId?: string | undefined
  /** Of the token that it is about, or whose secret it was. */
  readonly accessor?: string | undefined
  /** Why it failed. */
  readonly error?: string | undefined
}

/** What a step of the timed duties has to say. */
export interface Witness {
  /** Told of records that cannot be read; they are left out, so that they hold up no others. */
  readonly report: (error: CorruptRecord) => void
  /** Told of what goes into the audit log once the step is committed. */
  readonly tell: (entry: OwnWorkEntry) => void
}

/** The end of a token that nobody asked for. */
export function tokenEnded({ namespaceId, path, accessor }: ServiceToken): OwnWorkEntry {
  return { operation: 'revoke', namespaceId, path, accessor }
}

export class OwnWork {
  readonly #parts: OwnWorkParts

  constructor(parts: OwnWorkParts) {
    this.#parts = parts
  }

  async record(entry: OwnWorkEntry): Promise<void> {
    const { store, audit, onFailure } = this.#parts
    try {
      const root = new View(new Transaction(store), '')
      audit.sync(await readAuditTable(root))
      await this.#write(root, entry)
    } catch (error) {
      onFailure('recording what the server did by itself', error)
    }
  }

  async #write(root: View, entry: OwnWorkEntry): Promise<void> {
    const { audit, clock, random } = this.#parts
    const { operation, path, namespaceId, accessor, leaseId, error } = entry
    const mount = await this.#mount(root, entry)
    await audit.recordResponse({
      timeMs: clock.nowMs(),
      auth: { tokenType: 'default', accessor },
      request: {
        id: random.uuid(),
        operation,
        mount,
        namespace: (await findNamespace(root, namespaceId)) ?? ROOT,
        path,
      },
      error,
      response: { mount, leaseId },
    })
  }

  async #mount(
    root: View,
    { namespaceId, mountUuid = '' }: OwnWorkEntry,
  ): Promise<MountFacts | undefined> {
    if (mountUuid === '') return undefined
    const found = await findMountedOrRemoved(root, this.#parts.mounts, namespaceId, mountUuid)
    if (found === undefined) return undefined
    const { path, type, accessor, kind } = found.entry
    return { path, type, accessor, class: kind }
  }
}
