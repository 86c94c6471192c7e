/**
 * What a rule asks beside the capability, in plain words (contract: http.md, 7), of which `policy-reference.ts` is the rest. Lists of
 * policy names are judged otherwise (names are folded): those have their own tests.
 */
import type { Json, JsonObject } from '../../core/json.ts'
import type { ParameterRules, PathRule } from '../../core/policy/policy.ts'

/** 0 is none. */
function lowest(bounds: readonly number[]): number {
  const set = bounds.filter((one) => one > 0)
  return set.length === 0 ? 0 : Math.min(...set)
}

export function isWrapped(rules: readonly PathRule[], ttlSeconds: number): boolean {
  const min = lowest(rules.map((rule) => rule.minWrappingTtlSeconds))
  const max = lowest(rules.map((rule) => rule.maxWrappingTtlSeconds))
  if (min === 0 && max === 0) return true
  return ttlSeconds > 0 && ttlSeconds >= min && (max === 0 || ttlSeconds <= max)
}

/** What `limit` of a listing is set to. */
export function pageLimit(
  rules: readonly PathRule[],
  given: Json | undefined,
): number | 'refused' | undefined {
  const cap = lowest(rules.map((rule) => rule.paginationLimit))
  if (cap === 0) return undefined
  const required = rules.some((rule) => rule.requiredParameters.includes('limit'))
  if (given === undefined) return required ? 'refused' : cap
  if (given === 'max' || Number(given) === 0) return cap
  return Number(given) > 0 && Number(given) <= cap ? undefined : 'refused'
}

export function parametersPass(rules: readonly PathRule[], data: JsonObject): boolean {
  if (
    !rules.every((rule) =>
      rule.requiredParameters.every((name) => Object.hasOwn(data, name.toLowerCase())),
    )
  )
    return false
  const named = (all: ParameterRules[], name: string) =>
    all.flatMap((one) => (one.has(name) ? [one.get(name) ?? []] : []))
  const denied = rules.map((rule) => rule.deniedParameters)
  const allowed = rules.map((rule) => rule.allowedParameters)
  const listed = (lists: readonly (readonly unknown[])[], value: Json | undefined) =>
    lists.some((list) => list.length === 0 || list.some((one) => like(one, value)))
  return Object.entries(data).every(([given, value]) => {
    const forms = [
      value,
      ...[value].flat(9),
      ...[value].flat(9).flatMap((one) => String(one).split(',')),
    ]
    if (
      named(denied, '*').length > 0 ||
      forms.some((form) => listed(named(denied, given.toLowerCase()), form))
    )
      return false
    if (allowed.every((one) => one.size === 0)) return true
    const lists = named(allowed, given.toLowerCase())
    return lists.length > 0 ? listed(lists, value) : named(allowed, '*').length > 0
  })
}

function like(one: unknown, value: unknown): boolean {
  if (typeof one !== 'string' || typeof value !== 'string')
    return JSON.stringify(one) === JSON.stringify(value)
  const pattern = one.length < 2 ? one : one.replace(/^\*/, '\u0001').replace(/\*$/, '\u0001')
  return new RegExp(
    `^${pattern.replaceAll('*', String.raw`\*`).replaceAll('\u0001', '[^]*')}$`,
  ).test(value)
}
