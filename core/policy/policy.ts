/**
 * A policy as its text says it: rules on paths (contract: http.md, 7).
 */
import type { Plain } from '../hcl/read.ts'
import type { ControlGroup } from './control-group.ts'
import type { ListFilter } from './list-filter.ts'

export interface PolicyNamespace {
  /** `root`, or 6 characters. */
  readonly id: string
  /** Empty for the root namespace, else with its `/` at the end. */
  readonly path: string
}

export const ROOT_NAMESPACE: PolicyNamespace = { id: 'root', path: '' }

export interface Policy {
  readonly name: string
  readonly namespace: PolicyNamespace
  readonly rules: readonly PathRule[]
  /** Some path holds `{{...}}`: it grants nothing before `renderTemplates`. */
  readonly templated: boolean
}

/** Names of parameters in lower case; an empty list stands for any value. */
export type ParameterRules = ReadonlyMap<string, readonly Plain[]>

/** One `path "..." { }`. */
export interface PathRule {
  /** Relative to the policy's namespace, without a `/` before it, with its wildcards. */
  readonly path: string
  /** The line of the policy's text on which the rule begins. */
  readonly line: number
  /** Bits of `CAPABILITY_BIT`; where `deny` is among them, it is alone. */
  readonly capabilities: number
  readonly allowedParameters: ParameterRules
  readonly deniedParameters: ParameterRules
  readonly requiredParameters: readonly string[]
  /** 0: no bound. */
  readonly minWrappingTtlSeconds: number
  /** 0: no bound. */
  readonly maxWrappingTtlSeconds: number
  /** 0: none. */
  readonly paginationLimit: number
  /** From then on the rule does not exist. */
  readonly expiresAtMs: number | undefined
  readonly listFilter: ListFilter | undefined
  readonly mfaMethods: readonly string[]
  readonly controlGroup: ControlGroup | undefined
}
