/** Rules of a policy that can never apply, or say what has no effect, as far as they tell themselves. */
import {
  CAPABILITY_BIT as BIT,
  capabilityNames,
  type Capability,
} from '../../core/policy/capability.ts'
import { demandedOfContext, ENCRYPTION_CONTEXT } from '../../core/policy/context-parameters.ts'
import { isExact, parsePattern, type Pattern } from '../../core/policy/pattern.ts'
import type { PathRule } from '../../core/policy/policy.ts'
import { contains, isShadowedBy } from '../../core/policy/shadow.ts'
import { asksForSudo } from '../client/sudo-paths.ts'
import type { Finding } from './policy-lint-text.ts'

interface Linted {
  readonly rule: PathRule
  readonly pattern: Pattern
}

export function ruleFindings(rules: readonly PathRule[], nowMs: number): readonly Finding[] {
  const all = rules.map((rule) => ({ rule, pattern: parsePattern(rule.path) }))
  // Where a template's value ends is not known before there is a token.
  const plain = all.filter(({ rule }) => !rule.path.includes('{{'))
  return [
    ...plain.flatMap((one) => [...shadowFindings(one, plain), ...listingFindings(one, plain)]),
    ...all.flatMap((one) => [...capabilityFindings(one), ...conditionFindings(one)]),
    ...all.flatMap(({ rule }) => endFindings(rule, nowMs)),
  ]
}

function error({ line, path }: PathRule, text: string): Finding {
  return { line, severity: 'error', text: `path ${JSON.stringify(path)}: ${text}` }
}

function warning(rule: PathRule, text: string): Finding {
  return { ...error(rule, text), severity: 'warning' }
}

function placeOf({ path, line }: PathRule): string {
  return `path ${JSON.stringify(path)} on line ${line}`
}

function shadowFindings({ rule, pattern }: Linted, all: readonly Linted[]): readonly Finding[] {
  const same = all.find((other) => other.rule.path === rule.path && other.rule !== rule)
  if (same !== undefined) return twiceFindings(rule, same.rule)
  const closer = all.find((other) => isShadowedBy(pattern, other.pattern))
  if (closer === undefined) return []
  return [
    error(
      rule,
      `it never applies: ${placeOf(closer.rule)} fits the same paths, and of two that end in "*" the one with fewer "+" goes first`,
    ),
  ]
}

function twiceFindings(rule: PathRule, same: PathRule): readonly Finding[] {
  if (isDenial(same) && !isDenial(rule)) {
    return [error(rule, `it never applies: line ${same.line} denies this very path`)]
  }
  if (rule.line < same.line || isDenial(rule)) return []
  return [warning(rule, `it counts as one rule with that on line ${same.line}`)]
}

function isDenial({ capabilities }: PathRule): boolean {
  return capabilities === BIT.deny
}

const LISTINGS = BIT.list | BIT.scan

/** The path of a listing ends in `/`; one without it counts only where no rule fits the path with it. */
function listingFindings({ rule, pattern }: Linted, all: readonly Linted[]): readonly Finding[] {
  if ((rule.capabilities & LISTINGS) === 0 || pattern.open || rule.path.endsWith('/')) return []
  const slashed = parsePattern(`${rule.path}/`)
  const other = all.find(({ rule: one, pattern: wide }) =>
    isExact(slashed) ? one.path === slashed.text : one !== rule && contains(wide, slashed),
  )
  if (other === undefined) return []
  const names = namesOf(rule.capabilities & LISTINGS)
  const there = `the path of a listing ends in "/", and there ${placeOf(other.rule)} applies; say it there, or write path ${JSON.stringify(slashed.text)}`
  // A `+` at the end stands for nothing too, so that `a/+` is the folder `a/`.
  const folder = /^(.*\/)\+$/.exec(rule.path)?.[1]
  return folder === undefined
    ? [error(rule, `${names} has no effect: ${there}`)]
    : [warning(rule, `${names} is of ${JSON.stringify(folder)} alone: ${there}`)]
}

const WRITES = BIT.create | BIT.update | BIT.patch
const OPERATIONS = WRITES | BIT.read | BIT.delete | BIT.list | BIT.scan

function capabilityFindings({ rule, pattern }: Linted): readonly Finding[] {
  const { capabilities, path } = rule
  const findings: Finding[] = []
  if (capabilities === 0) {
    findings.push(warning(rule, 'it grants nothing, as if it said "deny"'))
  }
  if (capabilities === BIT.sudo) {
    findings.push(error(rule, '"sudo" alone allows nothing; add the capability of the operation'))
  }
  if (!pattern.open && path.endsWith('/') && (capabilities & WRITES) !== 0) {
    const names = namesOf(capabilities & WRITES)
    findings.push(
      error(rule, `${names} has no effect: nothing can be written to a path that ends in "/"`),
    )
  }
  if (isExact(pattern) && (capabilities & BIT.sudo) === 0) {
    const idle = operationsOf(capabilities).filter((name) => asksForSudo(path, name))
    if (idle.length > 0) {
      findings.push(
        error(rule, `${quoted(idle)} has no effect: it needs "sudo" as well on this path`),
      )
    }
  }
  return [...findings, ...versionedFindings(rule)]
}

function operationsOf(capabilities: number): readonly Capability[] {
  const bits = capabilities & OPERATIONS
  return bits === 0 ? [] : capabilityNames(bits)
}

/** kv version 2 has its values below `MOUNT/data/`, and their names below `MOUNT/metadata/`. */
function versionedFindings(rule: PathRule): readonly Finding[] {
  const { capabilities, path } = rule
  const findings: Finding[] = []
  if (!/^[^/+*{]+\/data\/./.test(path)) return findings
  const writes = capabilities & (BIT.create | BIT.update)
  if (writes === BIT.create) {
    findings.push(
      warning(rule, 'of a kv value, "create" without "update" allows the first version only'),
    )
  }
  if (writes === BIT.update) {
    findings.push(warning(rule, 'of a kv value, "update" without "create" allows no first version'))
  }
  const only = capabilities & LISTINGS
  if (only !== 0) {
    const metadata = JSON.stringify(path.replace('/data/', '/metadata/'))
    findings.push(
      warning(
        rule,
        `names of kv values are listed below metadata/: ${namesOf(only)} belongs to path ${metadata}`,
      ),
    )
  }
  return findings
}

function conditionFindings({ rule }: Linted): readonly Finding[] {
  const { capabilities, allowedParameters, deniedParameters, requiredParameters } = rule
  const findings: Finding[] = []
  const judged = (capabilities & (WRITES | BIT.read)) !== 0
  const lists = (capabilities & LISTINGS) !== 0
  if (allowedParameters.size + deniedParameters.size > 0 && !judged) {
    findings.push(
      warning(rule, 'rules on parameters have an effect on read, create, update and patch only'),
    )
  }
  if (rule.paginationLimit > 0 && !lists) {
    findings.push(warning(rule, 'pagination_limit has an effect on list and scan only'))
  }
  for (const required of requiredParameters) {
    const name =
      demandedOfContext(required) === undefined ? required.toLowerCase() : ENCRYPTION_CONTEXT
    const denied = deniedParameters.has('*') || deniedParameters.get(name)?.length === 0
    const left =
      allowedParameters.size > 0 && !allowedParameters.has('*') && !allowedParameters.has(name)
    if (judged && (denied || left)) {
      const list = denied ? 'denied_parameters' : 'allowed_parameters'
      findings.push(
        error(
          rule,
          `it allows no write and no read: the parameter ${JSON.stringify(name)} is required, and ${list} forbids it`,
        ),
      )
    }
  }
  if (rule.controlGroup !== undefined) {
    findings.push(
      warning(rule, 'control_group needs approvals, which this server has not: it refuses'),
    )
  }
  return findings
}

function endFindings(rule: PathRule, nowMs: number): readonly Finding[] {
  const { expiresAtMs } = rule
  if (expiresAtMs === undefined || expiresAtMs > nowMs) return []
  return [warning(rule, 'its expiration is over: it has no effect any more')]
}

function namesOf(bits: number): string {
  return quoted(capabilityNames(bits))
}

function quoted(names: readonly Capability[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}
