/**
 * What several policies say about one and the same path becomes one rule (contract: http.md, 7.1).
 */
import type { Plain } from '../hcl/read.ts'
import { CAPABILITY_BIT } from './capability.ts'
import { mergeControlGroups } from './control-group.ts'
import type { ParameterRules, PathRule, PolicyNamespace } from './policy.ts'

/** Which policy, and where in its text: for audit entries and explanations. */
export interface RuleSource {
  readonly policy: string
  readonly namespace: PolicyNamespace
  readonly line: number
  readonly capabilities: number
}

/** A rule without its path and place. `sources` has one entry for each rule that went into it, in order. */
export interface MergedRule extends Omit<PathRule, 'path' | 'line' | 'expiresAtMs'> {
  readonly sources: readonly RuleSource[]
}

export function unmerged(
  rule: PathRule,
  source: Omit<RuleSource, 'line' | 'capabilities'>,
): MergedRule {
  const { path: _path, line, expiresAtMs: _expiresAtMs, ...merged } = rule
  return { ...merged, sources: [{ ...source, line, capabilities: rule.capabilities }] }
}

export function mergeRules(a: MergedRule, b: MergedRule): MergedRule {
  const sources = [...a.sources, ...b.sources]
  const denial = [a, b].find(({ capabilities }) => (capabilities & CAPABILITY_BIT.deny) !== 0)
  if (denial !== undefined) return { ...denial, sources }
  return {
    capabilities: a.capabilities | b.capabilities,
    allowedParameters: mergeParameters(a.allowedParameters, b.allowedParameters),
    deniedParameters: mergeParameters(a.deniedParameters, b.deniedParameters),
    requiredParameters: [...new Set([...a.requiredParameters, ...b.requiredParameters])],
    minWrappingTtlSeconds: smallerBound(a.minWrappingTtlSeconds, b.minWrappingTtlSeconds),
    maxWrappingTtlSeconds: smallerBound(a.maxWrappingTtlSeconds, b.maxWrappingTtlSeconds),
    paginationLimit: smallerBound(a.paginationLimit, b.paginationLimit),
    listFilter: a.listFilter ?? b.listFilter,
    mfaMethods: [...new Set([...a.mfaMethods, ...b.mfaMethods])],
    controlGroup: mergeControlGroups(a.controlGroup, b.controlGroup),
    sources,
  }
}

/** An empty list means any value, so it swallows the other. */
function mergeParameters(a: ParameterRules, b: ParameterRules): ParameterRules {
  const merged = new Map<string, readonly Plain[]>(a)
  for (const [name, values] of b) {
    const others = merged.get(name)
    const any = values.length === 0 || others?.length === 0
    merged.set(name, any ? [] : [...(others ?? []), ...values])
  }
  return merged
}

/** 0 is no bound. */
function smallerBound(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b)
}
