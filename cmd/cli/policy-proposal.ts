/** The least policy that allows some requests, and no others. */
import {
  CAPABILITY_BIT as BIT,
  capabilityNames,
  isCapability,
  type Capability,
} from '../../core/policy/capability.ts'
import { isExact, parsePattern } from '../../core/policy/pattern.ts'

export interface WantedRequest {
  readonly capability: Capability
  /** Relative to the policy's namespace; of a listing with `/` at the end. */
  readonly path: string
  /** The path is root-protected. */
  readonly needsSudo: boolean
}

export interface Proposal {
  readonly rules: readonly ProposedRule[]
  /** Paths that a policy cannot name: `*` at the end and the segment `+` are wildcards there. */
  readonly unnamable: readonly string[]
}

interface ProposedRule {
  readonly path: string
  /** Bits of `CAPABILITY_BIT`. */
  readonly capabilities: number
}

/** What an operation of the audit log needs; undefined: nothing, as `help`. */
export function neededCapability(operation: string): Capability | undefined {
  if (['renew', 'revoke', 'rollback'].includes(operation)) return 'update'
  return isCapability(operation) && operation !== 'deny' && operation !== 'sudo'
    ? operation
    : undefined
}

/**
 * @param groupFrom siblings of the same capabilities become one rule with `+` where there are so many; undefined: never,
 *   and only then it allows no others
 */
export function propose(
  requests: Iterable<WantedRequest>,
  { groupFrom }: { groupFrom: number | undefined },
): Proposal {
  const wanted = new Map<string, number>()
  const unnamable = new Set<string>()
  for (const { capability, path, needsSudo } of requests) {
    if (!isNamable(path)) unnamable.add(path)
    else wanted.set(path, (wanted.get(path) ?? 0) | BIT[capability] | (needsSudo ? BIT.sudo : 0))
  }
  const rules = [...wanted].map(([path, capabilities]) => ({ path, capabilities }))
  const grouped = groupFrom === undefined ? rules : groupSiblings(rules, groupFrom)
  return {
    rules: grouped.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    unnamable: [...unnamable].toSorted(),
  }
}

function isNamable(path: string): boolean {
  return path !== '' && !path.includes('{{') && !path.includes('}}') && isExact(parsePattern(path))
}

function groupSiblings(rules: readonly ProposedRule[], groupFrom: number): readonly ProposedRule[] {
  const groups = new Map<string, ProposedRule[]>()
  for (const rule of rules) {
    const key = `${rule.capabilities} ${siblings(rule.path)}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [rule])
    else group.push(rule)
  }
  return [...groups.values()].flatMap((group) => {
    const [{ path, capabilities } = { path: '', capabilities: 0 }] = group
    // What is root-protected is granted by name.
    const few = group.length < groupFrom || (capabilities & BIT.sudo) !== 0
    return few || !path.includes('/') ? group : [{ path: siblings(path), capabilities }]
  })
}

/** The path with `+` for its last name. */
function siblings(path: string): string {
  return path.replace(/[^/]+(\/?)$/, '+$1')
}

/** @param comment lines above it */
export function policyText({ rules }: Pick<Proposal, 'rules'>, comment: readonly string[]): string {
  const blocks = rules.map(({ path, capabilities }) => {
    const names = capabilityNames(capabilities).map((name) => `"${name}"`)
    return `path ${JSON.stringify(path)} {\n  capabilities = [${names.join(', ')}]\n}\n`
  })
  return [comment.map((line) => `# ${line}\n`).join(''), ...blocks].join('\n')
}
