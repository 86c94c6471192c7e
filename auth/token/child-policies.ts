/** Which policies a new token gets: what was asked for, within what parent, role and sudo allow (contract: http.md, 10.3). */
import { BadRequest } from '../../core/errors.ts'
import { matchesGlob } from '../../core/glob.ts'
import { canonicalPolicyNames, DEFAULT_POLICY, ROOT_POLICY } from '../../core/policy/names.ts'
import type { TokenRole } from './role.ts'

export interface PoliciesAsked {
  /** Empty: those of the parent, or of the role. */
  readonly asked: readonly string[]
  readonly parent: readonly string[]
  readonly sudo: boolean
  readonly noDefaultPolicy: boolean
  readonly role: TokenRole | undefined
  /** The token is made in a namespace below its parent's, where the names of the parent's policies are those of others. */
  readonly inNamespaceBelow: boolean
}

/** Canonical and sorted. @throws {BadRequest} */
export function childPolicies(input: PoliciesAsked): readonly string[] {
  const { role, parent, inNamespaceBelow } = input
  const inherited = inNamespaceBelow ? [] : parent
  const noDefault = input.noDefaultPolicy || role?.noDefaultPolicy === true
  const asked = canonicalPolicyNames(input.asked, { addDefault: false })
  const chosen =
    role !== undefined && boundsPolicies(role)
      ? byRole(role, asked, inherited, { addDefault: !noDefault })
      : asked.length > 0
        ? byParent(asked, input)
        : inNamespaceBelow
          ? [DEFAULT_POLICY]
          : parent
  const names = noDefault ? chosen.filter((name) => name !== DEFAULT_POLICY) : chosen
  const policies = canonicalPolicyNames(names, { addDefault: false })
  if (policies.includes(ROOT_POLICY)) {
    if (!parent.includes(ROOT_POLICY)) {
      throw new BadRequest('root tokens may not be created without parent token being root')
    }
    if (inNamespaceBelow) {
      throw new BadRequest('root tokens may not be created from a parent namespace')
    }
  }
  return policies
}

function boundsPolicies(role: TokenRole): boolean {
  return (
    role.allowedPolicies.length > 0 ||
    role.allowedPoliciesGlob.length > 0 ||
    role.disallowedPolicies.length > 0 ||
    role.disallowedPoliciesGlob.length > 0
  )
}

function byRole(
  role: TokenRole,
  asked: readonly string[],
  inherited: readonly string[],
  { addDefault }: { addDefault: boolean },
): readonly string[] {
  const { allowedPolicies: allowed, allowedPoliciesGlob: globs } = role
  const bounds = allowed.length > 0 || globs.length > 0
  const wanted = asked.length > 0 ? asked : bounds ? allowed : inherited
  const givesDefault = addDefault && !isDisallowed(role, DEFAULT_POLICY)
  const mayHave = (name: string) =>
    (name === DEFAULT_POLICY && givesDefault) ||
    allowed.includes(name) ||
    globs.some((glob) => matchesGlob(glob, name))
  if (bounds && !wanted.every(mayHave)) {
    throw new BadRequest(
      `token policies (${quoted(asked)}) must be subset of the role's allowed policies (${quoted(allowed)}) or glob policies (${quoted(globs)})`,
    )
  }
  const refused = wanted.find((name) => isDisallowed(role, name))
  if (refused !== undefined) {
    throw new BadRequest(`token policy "${refused}" is disallowed by this role`)
  }
  return givesDefault ? [...wanted, DEFAULT_POLICY] : wanted
}

function isDisallowed(role: TokenRole, name: string): boolean {
  return (
    role.disallowedPolicies.includes(name) ||
    role.disallowedPoliciesGlob.some((glob) => matchesGlob(glob, name))
  )
}

/** Without sudo `default` is a policy like any other: only a parent that has it passes it on. */
function byParent(asked: readonly string[], { parent, sudo }: PoliciesAsked): readonly string[] {
  if (sudo || parent.includes(ROOT_POLICY)) return [...asked, DEFAULT_POLICY]
  if (!asked.every((name) => parent.includes(name))) {
    throw new BadRequest('child policies must be subset of parent')
  }
  return parent.includes(DEFAULT_POLICY) ? [...asked, DEFAULT_POLICY] : asked
}

function quoted(names: readonly string[]): string {
  return `[${names.map((name) => `"${name}"`).join(' ')}]`
}
