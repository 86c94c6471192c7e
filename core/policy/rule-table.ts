/**
 * hot: all rules that count in one namespace, and the one that applies to a path (contract: http.md, 7.1).
 */
import { unmerged, mergeRules, type MergedRule } from './merge.ts'
import { CompiledRule } from './compiled-rule.ts'
import { comparePatterns, isExact, parsePattern, type Pattern } from './pattern.ts'
import { PatternTree } from './pattern-tree.ts'
import type { Policy } from './policy.ts'

export class RuleTable {
  /** By path. */
  readonly exact: ReadonlyMap<string, CompiledRule>
  /** The rules with wildcards, the closest first. */
  readonly globs: readonly CompiledRule[]
  readonly #tree = new PatternTree<CompiledRule>()

  /**
   * A policy's rules count in its own namespace; in one below it, those whose literal text names that namespace
   * (`child/secret/*`). A wildcard does not reach into another namespace: who wrote `a/+/x` cannot have meant a
   * namespace `a/b/` that was made later.
   *
   * @param policies with templates filled in and expired rules taken out
   * @param namespacePath empty, or with `/` at the end
   */
  constructor(policies: readonly Policy[], namespacePath: string) {
    const rules = [...rulesByPattern(policies, namespacePath)].map(
      ([text, rule]): readonly [Pattern, MergedRule] => [parsePattern(text), rule],
    )
    this.exact = new Map(
      rules
        .filter(([pattern]) => isExact(pattern))
        .map(([pattern, rule]) => [pattern.text, new CompiledRule(pattern, rule, 0)]),
    )
    this.globs = rules
      .filter(([pattern]) => !isExact(pattern))
      .toSorted(([a], [b]) => comparePatterns(b, a))
      .map(([pattern, rule], index, all) => new CompiledRule(pattern, rule, all.length - index))
    for (const rule of this.globs) this.#tree.add(rule.pattern, rule)
  }

  /**
   * @param path relative to the namespace
   * @param listing a list or scan, for which `a/b` counts for `a/b/` too
   */
  find(path: string, listing: boolean): CompiledRule | undefined {
    const exact = this.exact.get(path)
    if (exact !== undefined) return exact
    if (!listing || !path.endsWith('/')) return this.#tree.find(path)
    const bare = path.slice(0, -1)
    return this.exact.get(bare) ?? closerDenial(this.#tree.find(path), this.#tree.find(bare))
  }
}

/**
 * The rule for the path with its slash goes first; but a grant must not win over a closer rule that denies the path
 * without it (`a/*` over `a/+`; CVE-2026-63131).
 */
function closerDenial(
  slashed: CompiledRule | undefined,
  bare: CompiledRule | undefined,
): CompiledRule | undefined {
  if (slashed === undefined || bare === undefined) return slashed ?? bare
  return bare.denies && bare.rank > slashed.rank ? bare : slashed
}

function rulesByPattern(
  policies: readonly Policy[],
  namespacePath: string,
): ReadonlyMap<string, MergedRule> {
  const merged = new Map<string, MergedRule>()
  for (const { name, namespace, rules } of policies) {
    if (!namespacePath.startsWith(namespace.path)) continue
    const below = namespacePath.slice(namespace.path.length)
    for (const rule of rules) {
      if (!namesNamespace(rule.path, below)) continue
      const text = rule.path.slice(below.length)
      const one = unmerged(rule, { policy: name, namespace })
      const other = merged.get(text)
      merged.set(text, other === undefined ? one : mergeRules(other, one))
    }
  }
  return merged
}

function namesNamespace(path: string, below: string): boolean {
  return path.startsWith(below) && parsePattern(path).literalLength >= below.length
}
