/**
 * Why the policies allow a request or refuse it: the rule that decides, where it is written, and what is missing. A slow
 * walk over the same compiled rules; `Acl.check` is what decides, and the two agree (`explain.fuzz.test.ts`).
 */
import type { Acl, AclRequest } from './acl.ts'
import { CAPABILITY_BIT, capabilityNames, NEEDED_BIT, type Capability } from './capability.ts'
import { isWrappedAsDemanded, judgePageSize, type CompiledRule } from './compiled-rule.ts'
import { controls } from './control-group.ts'
import type { RuleSource } from './merge.ts'
import { parameterFaults, type ParameterFault } from './parameter-faults.ts'
import { matches } from './pattern.ts'
import type { PolicyNamespace } from './policy.ts'

export interface Explanation {
  /** As `Acl.check` says it. */
  readonly allowed: boolean
  /** By the policy `root`, or because everybody may (help). No rule is looked at then. */
  readonly by: 'root' | 'rule' | 'everybody'
  /** The rule that applies to the path; undefined: none does. */
  readonly rule: ExplainedRule | undefined
  /** Rules that fit the path too, and say nothing because another is closer. The closest first. */
  readonly overruled: readonly ExplainedRule[]
  /** All that the request lacks; empty where it is allowed. */
  readonly missing: readonly Missing[]
}

export interface ExplainedRule {
  /** Relative to the request's namespace, with its wildcards, templates filled in. */
  readonly path: string
  /** Of all sources together. */
  readonly capabilities: readonly Capability[]
  /** Several where policies (or one policy twice) have a rule with this very path: they count as one. */
  readonly sources: readonly ExplainedSource[]
}

export interface ExplainedSource {
  readonly policy: string
  readonly namespace: PolicyNamespace
  /** Relative to the policy's namespace. */
  readonly path: string
  /** The line of the policy's text on which the rule begins. */
  readonly line: number
  readonly capabilities: readonly Capability[]
}

export type Missing =
  /** The rule, or a new one where none applies, must grant it. */
  | { readonly kind: 'capability'; readonly capability: Capability }
  /** The rule denies everything; nothing can be granted beside it. */
  | { readonly kind: 'no_deny' }
  | { readonly kind: 'sudo' }
  /** The answer must be wrapped for so long; 0: no bound. */
  | { readonly kind: 'wrapping'; readonly minSeconds: number; readonly maxSeconds: number }
  | ({ readonly kind: 'parameter' } & ParameterFault)
  /** The listing must ask for at most so many keys. */
  | { readonly kind: 'page_size'; readonly maximum: number }
  /** The rule has a control group, and nobody has approved. */
  | { readonly kind: 'approval' }
  /** No capability grants the operation: the policy `root` alone does. */
  | { readonly kind: 'root' }
  /** The token's policies count in its own namespace and below it, and this is another. */
  | { readonly kind: 'namespace' }

export function explain(acl: Acl, request: AclRequest): Explanation {
  const { allowed } = acl.check(request)
  const nothing = { rule: undefined, overruled: [], missing: [] }
  if (acl.isRoot) {
    const missing: readonly Missing[] = allowed ? [] : [{ kind: 'namespace' }]
    return { ...nothing, allowed, by: 'root', missing }
  }
  if (request.operation === 'help') return { ...nothing, allowed, by: 'everybody' }
  const { namespacePath, operation } = request
  const path = request.path.replace(/^\/+/, '')
  const listing = operation === 'list' || operation === 'scan'
  const rule = acl.find(namespacePath, path, listing)
  return {
    allowed,
    by: 'rule',
    rule: rule && explained(rule, namespacePath),
    overruled: candidates(acl, namespacePath, path, listing)
      .filter((one) => one !== rule)
      .map((one) => explained(one, namespacePath)),
    missing: missingOf(rule, request),
  }
}

/** All rules that fit the path, in the order of `RuleTable.find`. */
function candidates(
  acl: Acl,
  namespacePath: string,
  path: string,
  listing: boolean,
): readonly CompiledRule[] {
  const paths = listing && path.endsWith('/') ? [path, path.slice(0, -1)] : [path]
  const { exact, globs } = acl.rules(namespacePath)
  return [
    ...exact.filter(({ pattern }) => paths.includes(pattern.text)),
    ...globs.filter(({ pattern }) => paths.some((one) => matches(pattern, one))),
  ]
}

function explained({ pattern, rule }: CompiledRule, namespacePath: string): ExplainedRule {
  return {
    path: pattern.text,
    capabilities: capabilityNames(rule.capabilities),
    sources: rule.sources.map((source) => explainedSource(source, pattern.text, namespacePath)),
  }
}

function explainedSource(
  { policy, namespace, line, capabilities }: RuleSource,
  path: string,
  namespacePath: string,
): ExplainedSource {
  return {
    policy,
    namespace,
    line,
    path: namespacePath.slice(namespace.path.length) + path,
    capabilities: capabilityNames(capabilities),
  }
}

function missingOf(rule: CompiledRule | undefined, request: AclRequest): readonly Missing[] {
  if (rule?.denies) return [{ kind: 'no_deny' }]
  const granted = rule?.rule.capabilities ?? 0
  const missing: Missing[] = []
  const needed = NEEDED_BIT[request.operation]
  if ((granted & needed) === 0) missing.push(...capabilityOf(needed))
  if (request.needsSudo === true && (granted & CAPABILITY_BIT.sudo) === 0) {
    missing.push({ kind: 'sudo' })
  }
  return rule === undefined ? missing : [...missing, ...unmetConditions(rule, request)]
}

function capabilityOf(bit: number): readonly Missing[] {
  if (bit === 0) return [{ kind: 'root' }]
  return capabilityNames(bit).map((capability) => ({ kind: 'capability', capability }))
}

/** What the rule asks beside its capabilities. */
function unmetConditions({ rule }: CompiledRule, request: AclRequest): readonly Missing[] {
  const { operation, data, wrapTtlSeconds = 0 } = request
  const missing: Missing[] = []
  if (!isWrappedAsDemanded(rule, wrapTtlSeconds)) {
    const { minWrappingTtlSeconds: minSeconds, maxWrappingTtlSeconds: maxSeconds } = rule
    missing.push({ kind: 'wrapping', minSeconds, maxSeconds })
  }
  if (rule.controlGroup !== undefined && controls(rule.controlGroup, operation)) {
    missing.push({ kind: 'approval' })
  }
  if (operation === 'list' || operation === 'scan') {
    const { paginationLimit: maximum } = rule
    const refused = maximum > 0 && judgePageSize(rule, data?.['limit']) === 'refused'
    if (refused) missing.push({ kind: 'page_size', maximum })
  }
  if (['read', 'create', 'update', 'patch'].includes(operation)) {
    const faults = parameterFaults(rule, data)
    missing.push(...faults.map((fault) => ({ kind: 'parameter' as const, ...fault })))
  }
  return missing
}
