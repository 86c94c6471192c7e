/**
 * The answer of `sys/internal/ui/resultant-acl`: all that a token may do, for a console to show or hide.
 */
import type { Plain } from '../hcl/read.ts'
import type { Acl } from './acl.ts'
import { capabilityNames, type Capability } from './capability.ts'
import type { CompiledRule } from './compiled-rule.ts'
import type { ParameterRules } from './policy.ts'

export type ResultantAcl =
  | { readonly root: true }
  | {
      readonly root: false
      readonly exact_paths: Readonly<Record<string, ResultantRule>>
      readonly glob_paths: Readonly<Record<string, ResultantRule>>
    }

export interface ResultantRule {
  readonly capabilities: readonly Capability[]
  readonly min_wrapping_ttl?: number
  readonly max_wrapping_ttl?: number
  readonly allowed_parameters?: Readonly<Record<string, readonly Plain[]>>
  readonly denied_parameters?: Readonly<Record<string, readonly Plain[]>>
  readonly required_parameters?: readonly string[]
}

/** Rules with `+` are left out, as their readers know no such paths; glob paths stand without their `*`. */
export function resultantAcl(acl: Acl, namespacePath = ''): ResultantAcl {
  if (acl.isRoot) return { root: true }
  const { exact, globs } = acl.rules(namespacePath)
  const prefixes = globs.filter(({ pattern }) => pattern.segmentCount === 0)
  return {
    root: false,
    exact_paths: byPath(exact, namespacePath),
    glob_paths: byPath(prefixes, namespacePath),
  }
}

function byPath(
  rules: readonly CompiledRule[],
  namespacePath: string,
): Readonly<Record<string, ResultantRule>> {
  return Object.fromEntries(
    rules.map((rule) => {
      const { text, open } = rule.pattern
      return [namespacePath + (open ? text.slice(0, -1) : text), resultantRule(rule)]
    }),
  )
}

function resultantRule({ rule }: CompiledRule): ResultantRule {
  return {
    capabilities: capabilityNames(rule.capabilities),
    ...(rule.minWrappingTtlSeconds > 0 && {
      min_wrapping_ttl: Math.floor(rule.minWrappingTtlSeconds),
    }),
    ...(rule.maxWrappingTtlSeconds > 0 && {
      max_wrapping_ttl: Math.floor(rule.maxWrappingTtlSeconds),
    }),
    ...(rule.allowedParameters.size > 0 && { allowed_parameters: lists(rule.allowedParameters) }),
    ...(rule.deniedParameters.size > 0 && { denied_parameters: lists(rule.deniedParameters) }),
    ...(rule.requiredParameters.length > 0 && { required_parameters: rule.requiredParameters }),
  }
}

function lists(rules: ParameterRules): Readonly<Record<string, readonly Plain[]>> {
  return Object.fromEntries(rules)
}
