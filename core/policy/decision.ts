/**
 * What the policies say about one request.
 */
import type { ControlGroup } from './control-group.ts'
import type { ListFilter } from './list-filter.ts'
import type { MergedRule } from './merge.ts'

/** As audit entries have it; the root namespace's path is left out. */
export interface GrantingPolicy {
  readonly name: string
  readonly namespace_id: string
  readonly namespace_path?: string
  readonly type: 'acl'
}

export interface Decision {
  readonly allowed: boolean
  /** By the policy `root`, which implies sudo. */
  readonly root: boolean
  /** The rule that applies to the path grants `sudo`, whether the operation is allowed or not. */
  readonly sudo: boolean
  /** Empty where it is not allowed. */
  readonly grantingPolicies: readonly GrantingPolicy[]
  /** The answer has to be wrapped, and the request asks for it within these bounds. */
  readonly wrapping: WrappingBounds | undefined
  /** What the request's `limit` has to be set to, for lists and scans. */
  readonly limit: number | undefined
  /** Only the listed keys that pass are to be shown. */
  readonly listFilter: ListFilter | undefined
  /** It was refused for the lack of these approvals. */
  readonly controlGroup: ControlGroup | undefined
  /** The rule that decided, with the places that it comes from; undefined: none applies to the path. */
  readonly rule: MergedRule | undefined
}

export interface WrappingBounds {
  /** 0: no bound. */
  readonly minSeconds: number
  /** 0: no bound. */
  readonly maxSeconds: number
}

/** No rule applies. */
export const DENIED: Decision = {
  allowed: false,
  root: false,
  sudo: false,
  grantingPolicies: [],
  wrapping: undefined,
  limit: undefined,
  listFilter: undefined,
  controlGroup: undefined,
  rule: undefined,
}

/** Help texts are for everybody. */
export const HELP: Decision = { ...DENIED, allowed: true }
