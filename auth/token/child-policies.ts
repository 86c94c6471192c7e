/** Which policies a new token gets: what was asked for, within what parent, role and sudo allow (contract: http.md, 10.3). */
import { BadRequest } from '../../core/errors.ts'
import { canonicalPolicyNames, DEFAULT_POLICY, ROOT_POLICY } from '../../core/policy/names.ts'
import type { TokenRole } from './role.ts'

export interface PoliciesAsked {
  /** Empty: those of the parent, or of the role. */
  readonly asked: readonly string[]
  readonly parent: readonly string[]
  readonly sudo: boolean
  readonly noDefaultPolicy: boolean
  readonly role: TokenRole | undefined
}

/** Canonical and sorted. @throws {BadRequest} */
export function childPolicies(input: PoliciesAsked): readonly string[] {
  const { role, parent } = input
  const asked = canonicalPolicyNames(input.asked, { addDefault: false })
  const bounded = role !== undefined && boundsPolicies(role)
  const chosen = bounded
    ? byRole(role, asked, parent)
    : asked.length === 0
      ? parent
      : byParent(asked, input)
  const inherited = asked.length === 0 && chosen === parent
  const noDefault = input.noDefaultPolicy || role?.noDefaultPolicy === true
  const names = noDefault ? chosen.filter((name) => name !== DEFAULT_POLICY) : chosen
  const policies = canonicalPolicyNames(names, { addDefault: !noDefault && !inherited })
  if (policies.includes(ROOT_POLICY) && !parent.includes(ROOT_POLICY)) {
    throw new BadRequest('root tokens may not be created without parent token being root')
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
  parent: readonly string[],
): readonly string[] {
  const { allowedPolicies: allowed, allowedPoliciesGlob: globs } = role
  const wanted =
    asked.length > 0 ? asked : allowed.length > 0 ? allowed : globs.length > 0 ? [] : parent
  const mayHave = (name: string) =>
    name === DEFAULT_POLICY || allowed.includes(name) || globs.some((glob) => matchesGlob(glob, name))
  if ((allowed.length > 0 || globs.length > 0) && !wanted.every(mayHave)) {
    throw new BadRequest(
      `token policies (${quoted(asked)}) must be subset of the role's allowed policies (${quoted(allowed)}) or glob policies (${quoted(globs)})`,
    )
  }
  const refused = wanted.find(
    (name) =>
      role.disallowedPolicies.includes(name) ||
      role.disallowedPoliciesGlob.some((glob) => matchesGlob(glob, name)),
  )
  if (refused !== undefined) {
    throw new BadRequest(`token policy "${refused}" is disallowed by this role`)
  }
  return wanted
}

function byParent(asked: readonly string[], { parent, sudo }: PoliciesAsked): readonly string[] {
  const within = (name: string) => name === DEFAULT_POLICY || parent.includes(name)
  if (sudo || parent.includes(ROOT_POLICY) || asked.every(within)) return asked
  throw new BadRequest('child policies must be subset of parent')
}

/** `*` at the beginning, the end, or in between, for any text. */
export function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.split('*')
  const [first = '', ...rest] = parts
  if (rest.length === 0) return glob === text
  const last = rest.pop() ?? ''
  if (!text.startsWith(first) || text.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.endsWith(last) && text.length - last.length >= at
}

function quoted(names: readonly string[]): string {
  return `[${names.map((name) => `"${name}"`).join(' ')}]`
}
