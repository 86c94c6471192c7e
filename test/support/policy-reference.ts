/**
 * The policy language in plain words (contract: http.md, 7), to judge the compiled form by. Slow: it looks at every
 * rule of every policy for every request, and shares no code with what it judges.
 */
import type { AclRequest } from '../../core/policy/acl.ts'
import { CAPABILITIES, CAPABILITY_BIT, type Capability } from '../../core/policy/capability.ts'
import type { PathRule, Policy } from '../../core/policy/policy.ts'
import { isWrapped, pageLimit, parametersPass } from './policy-reference-conditions.ts'

type Owned = PathRule & {
  policy: string
  full: string
  wildcardAt: number
  regex: RegExp
  plusses: number
}
export interface Verdict {
  allowed: boolean
  capabilities: Capability[]
  /** As `namespace:policy`. */
  granting: string[]
  limit: number | undefined
}

const LISTING: ReadonlySet<string> = new Set(['list', 'scan'])
const WITH_PARAMETERS: ReadonlySet<string> = new Set(['read', 'create', 'update', 'patch'])
const OPERATION_CAPABILITY: Readonly<Record<string, Capability>> = {
  renew: 'update',
  revoke: 'update',
  rollback: 'update',
}

export function judge(policies: readonly Policy[], request: AclRequest): Verdict {
  const rules = applicable(policies, request)
  const names = CAPABILITIES.filter((name) => rules.some((rule) => grants(rule, name)))
  const capabilities: Capability[] = names.length === 0 || names.includes('deny') ? ['deny'] : names
  const refused = { allowed: false, capabilities, granting: [], limit: undefined }
  const { operation, data = {}, wrapTtlSeconds = 0 } = request
  if (operation === 'help') return { ...refused, allowed: true }
  const needed = OPERATION_CAPABILITY[operation] ?? CAPABILITIES.find((name) => name === operation)
  if (needed === undefined || !capabilities.includes(needed)) return refused
  if (request.needsSudo === true && !capabilities.includes('sudo')) return refused
  if (!isWrapped(rules, wrapTtlSeconds)) return refused
  if (WITH_PARAMETERS.has(operation) && !parametersPass(rules, data)) return refused
  const page = LISTING.has(operation) ? pageLimit(rules, data['limit']) : undefined
  if (page === 'refused') return refused
  const granting = [
    ...new Set(rules.filter((rule) => grants(rule, needed)).map((rule) => rule.policy)),
  ]
  return { allowed: true, capabilities, granting, limit: page }
}

/** All rules with the one path text that applies. */
function applicable(
  policies: readonly Policy[],
  { operation, namespacePath, path }: AclRequest,
): Owned[] {
  const owned = policies
    .filter(({ namespace }) => namespacePath.startsWith(namespace.path))
    .flatMap((policy) => policy.rules.map((rule) => own(policy, rule)))
    .filter(({ wildcardAt }) => wildcardAt >= namespacePath.length)
  const full = namespacePath + path
  const bare = LISTING.has(operation) ? full.replace(/\/$/, '') : full
  const exact = (text: string) =>
    owned.filter((rule) => rule.wildcardAt === Infinity && rule.full === text)
  const closest = (text: string) =>
    owned
      .filter((rule) => rule.wildcardAt < Infinity && rule.regex.test(text))
      .toSorted(closerFirst)[0]
  const same = (one: Owned | undefined) => owned.filter((rule) => rule.full === one?.full)
  if (exact(full).length > 0) return exact(full)
  if (exact(bare).length > 0) return exact(bare)
  const slashed = closest(full)
  const stripped = closest(bare)
  if (slashed === undefined || stripped === undefined) return same(slashed ?? stripped)
  const denied = same(stripped).some((rule) => grants(rule, 'deny'))
  return same(denied && closerFirst(stripped, slashed) < 0 ? stripped : slashed)
}

function own({ name, namespace }: Policy, rule: PathRule): Owned {
  const full = namespace.path + rule.path
  const segments = full.replace(/\*$/, '').split('/')
  const escaped = segments.map((one) =>
    one === '+' ? '[^/]*' : one.replace(/[*+]/g, String.raw`\$&`),
  )
  const plus = segments.indexOf('+')
  const star = full.endsWith('*') ? full.length - 1 : Infinity
  return {
    ...rule,
    policy: `${namespace.path}:${name}`,
    full,
    plusses: segments.filter((one) => one === '+').length,
    wildcardAt: plus < 0 ? star : segments.slice(0, plus).join('').length + plus,
    regex: new RegExp(`^${escaped.join('/')}${star < Infinity ? '' : '$'}`),
  }
}

function closerFirst(a: Owned, b: Owned): number {
  const star = (rule: Owned) => Number(rule.full.endsWith('*'))
  return (
    b.wildcardAt - a.wildcardAt ||
    star(a) - star(b) ||
    a.plusses - b.plusses ||
    b.full.length - a.full.length ||
    (a.full > b.full ? -1 : Number(a.full < b.full))
  )
}

const grants = (rule: PathRule, name: Capability) =>
  (rule.capabilities & CAPABILITY_BIT[name]) !== 0
