/** Where the sweep finds what has to be undone, and where it says how that went. */
import type { View } from '../store/view.ts'
import type { Undoing } from './undo.ts'

export interface Source<U extends Undoing = Undoing> {
  /** For the log: `revoking a lease`. */
  readonly what: string
  /** Of the keys that lead to it, whose names `dueName` makes. */
  readonly prefix: string
  /** Takes what a key leads to, so that nobody changes it meanwhile. @returns nothing where there is nothing any more */
  claim(root: View, key: string): Promise<U | undefined>
  /** It is undone. */
  undone(root: View, undoing: U, nowMs: number): Promise<void>
  /** It may still be there. @param error for an operator */
  failed(root: View, undoing: U, nowMs: number, error: string): Promise<void>
  /** For the audit log. */
  facts(undoing: U): OwnWorkFacts
}

/** What the audit log is told of work that nobody asked for. */
export interface OwnWorkFacts {
  readonly operation: 'revoke' | 'rollback'
  /** Relative to the namespace. */
  readonly path: string
  readonly leaseId?: string
  /** Whose it is. */
  readonly accessor?: string
}
