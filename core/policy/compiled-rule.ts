/**
 * hot: one rule of an ACL, with the decisions that it can give made once and given again.
 */
import type { Json, JsonObject } from '../json.ts'
import { CAPABILITY_BIT, NEEDED_BIT, type AclOperation } from './capability.ts'
import { controls } from './control-group.ts'
import { DENIED, type Decision, type GrantingPolicy } from './decision.ts'
import type { MergedRule, RuleSource } from './merge.ts'
import { permitsParameters } from './parameters.ts'
import type { Pattern } from './pattern.ts'

/** What a rule looks at, beside the path. */
export interface RuleRequest {
  readonly operation: AclOperation
  /** Body or query; parameters of a list or scan: `limit`. */
  readonly data?: JsonObject | undefined
  /** What the client asked for; undefined or 0: no wrapping. */
  readonly wrapTtlSeconds?: number | undefined
}

/** Go's forms of an integer that a query may hold. */
const INTEGER = /^[+-]?\d{1,15}$/

export class CompiledRule {
  readonly pattern: Pattern
  readonly rule: MergedRule
  /** Among the rules with wildcards of its table. */
  readonly rank: number
  readonly denies: boolean
  readonly #refused: Decision
  readonly #granted = new Map<AclOperation, Decision>()
  readonly #limited = new Map<AclOperation, Decision>()

  constructor(pattern: Pattern, rule: MergedRule, rank: number) {
    this.pattern = pattern
    this.rule = rule
    this.rank = rank
    this.denies = (rule.capabilities & CAPABILITY_BIT.deny) !== 0
    this.#refused = { ...DENIED, sudo: (rule.capabilities & CAPABILITY_BIT.sudo) !== 0, rule }
  }

  decide(request: RuleRequest): Decision {
    const { rule } = this
    const { operation } = request
    if ((rule.capabilities & NEEDED_BIT[operation]) === 0) return this.#refused
    if (!isWrappedAsDemanded(rule, request.wrapTtlSeconds ?? 0)) return this.#refused
    if (rule.controlGroup !== undefined && controls(rule.controlGroup, operation)) {
      return { ...this.#refused, controlGroup: rule.controlGroup }
    }
    if (operation === 'list' || operation === 'scan')
      return this.#decideListing(operation, request.data)
    if (
      operation === 'read' ||
      operation === 'create' ||
      operation === 'update' ||
      operation === 'patch'
    ) {
      if (!permitsParameters(rule, request.data)) return this.#refused
    }
    return this.#grant(operation)
  }

  #decideListing(operation: AclOperation, data: JsonObject | undefined): Decision {
    if (this.rule.paginationLimit === 0) return this.#grant(operation)
    switch (judgePageSize(this.rule, data?.['limit'])) {
      case 'refused':
        return this.#refused
      case 'capped':
        return this.#grantLimited(operation)
      case 'kept':
        return this.#grant(operation)
    }
  }

  #grant(operation: AclOperation): Decision {
    const known = this.#granted.get(operation)
    if (known !== undefined) return known
    const {
      sources,
      minWrappingTtlSeconds: minSeconds,
      maxWrappingTtlSeconds: maxSeconds,
    } = this.rule
    const decision: Decision = {
      ...this.#refused,
      allowed: true,
      grantingPolicies: grantingPolicies(sources, NEEDED_BIT[operation]),
      wrapping: minSeconds === 0 && maxSeconds === 0 ? undefined : { minSeconds, maxSeconds },
      listFilter: operation === 'list' || operation === 'scan' ? this.rule.listFilter : undefined,
    }
    this.#granted.set(operation, decision)
    return decision
  }

  #grantLimited(operation: AclOperation): Decision {
    const known = this.#limited.get(operation)
    if (known !== undefined) return known
    const decision: Decision = { ...this.#grant(operation), limit: this.rule.paginationLimit }
    this.#limited.set(operation, decision)
    return decision
  }
}

/** What becomes of the `limit` of a listing where the rule bounds it. */
export function judgePageSize(
  { paginationLimit: cap, requiredParameters }: MergedRule,
  limit: Json | undefined,
): 'refused' | 'capped' | 'kept' {
  if (limit === undefined) {
    const required = requiredParameters.some((name) => name.toLowerCase() === 'limit')
    return required ? 'refused' : 'capped'
  }
  if (limit === 'max') return 'capped'
  const wanted = integerOf(limit)
  if (wanted === undefined || wanted < 0 || wanted > cap) return 'refused'
  return wanted === 0 ? 'capped' : 'kept'
}

/** Bounds that cannot both be kept (they come from two policies) refuse everything. */
export function isWrappedAsDemanded(rule: MergedRule, ttlSeconds: number): boolean {
  const { minWrappingTtlSeconds: min, maxWrappingTtlSeconds: max } = rule
  if (min === 0 && max === 0) return true
  return ttlSeconds > 0 && ttlSeconds >= min && (max === 0 || ttlSeconds <= max)
}

function integerOf(value: Json): number | undefined {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  return INTEGER.test(text) ? Number(text) : undefined
}

function grantingPolicies(sources: readonly RuleSource[], bit: number): readonly GrantingPolicy[] {
  const granting: GrantingPolicy[] = []
  for (const { policy, namespace, capabilities } of sources) {
    const known = granting.some(
      ({ name, namespace_id }) => name === policy && namespace_id === namespace.id,
    )
    if ((capabilities & bit) !== 0 && !known) granting.push(grantingPolicy(policy, namespace))
  }
  return granting
}

export function grantingPolicy(name: string, namespace: RuleSource['namespace']): GrantingPolicy {
  return {
    name,
    namespace_id: namespace.id,
    ...(namespace.path === '' ? {} : { namespace_path: namespace.path }),
    type: 'acl',
  }
}
