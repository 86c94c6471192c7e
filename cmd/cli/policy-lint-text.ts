/**
 * What is wrong with a policy's text, as far as the text alone tells. An error is what the server refuses or what can
 * never have an effect; a warning is what is hardly meant.
 */
import { HclError } from '../../core/hcl/errors.ts'
import type { HclItem, HclObject } from '../../core/hcl/ast.ts'
import { parseHcl } from '../../core/hcl/parse.ts'
import { blocksOf, type HclBlock } from '../../core/hcl/read.ts'
import { CAPABILITIES, isCapability } from '../../core/policy/capability.ts'
import { InvalidPolicy } from '../../core/policy/errors.ts'
import { parsePolicy, PATH_KEYS } from '../../core/policy/parse.ts'
import { ROOT_NAMESPACE, type PathRule } from '../../core/policy/policy.ts'
import { nearest } from '../server/config-nearest.ts'
import { ruleFindings } from './policy-lint-rules.ts'

export interface Finding {
  /** From 1; 0: of the whole text. */
  readonly line: number
  readonly severity: 'error' | 'warning'
  readonly text: string
}

export interface LintedText {
  readonly findings: readonly Finding[]
  /** Empty where the text is no policy. */
  readonly rules: readonly PathRule[]
}

/** @param nowMs rules that have ended by then are found */
export function lintText(text: string, nowMs: number): LintedText {
  const words = wordFindings(text)
  try {
    const { rules } = parsePolicy(text, { name: 'linted', namespace: ROOT_NAMESPACE })
    const findings = [...words, ...ruleFindings(rules, nowMs)]
    return { findings: findings.toSorted((a, b) => a.line - b.line), rules }
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error
    const known = words.some(({ severity }) => severity === 'error')
    const whole: Finding = { line: error.line ?? 0, severity: 'error', text: error.message }
    return { findings: known ? words : [...words, whole], rules: [] }
  }
}

/** Keys and capabilities that there are not, all of them: the parser stops at the first. */
function wordFindings(text: string): readonly Finding[] {
  try {
    const root = parseHcl(text)
    return [
      ...unknownKeys(root, ['name', 'path']),
      ...blocksOf(root, 'path', 1).flatMap((block) => [
        ...unknownKeys(block.body, PATH_KEYS),
        ...capabilityFindings(block),
      ]),
    ]
  } catch (error) {
    // The parser of policies says it with its line.
    if (error instanceof HclError) return []
    throw error
  }
}

function unknownKeys({ items }: HclObject, known: readonly string[]): readonly Finding[] {
  return items
    .filter(({ key }) => !known.includes(key))
    .map(({ key, at }) => ({
      line: at.line,
      severity: 'error',
      text: `there is no key ${JSON.stringify(key)}${meant(nearest(key, known))}`,
    }))
}

function meant(name: string | undefined): string {
  return name === undefined ? '' : `; did you mean "${name}"?`
}

function capabilityFindings({ body }: HclBlock): readonly Finding[] {
  const item = body.items.find(({ key }) => key === 'capabilities')
  if (item?.value.kind !== 'list') return []
  const names = stringsIn(item)
  const unknown = names.filter(({ name }) => !isCapability(name))
  const findings = unknown.map(({ name, line }): Finding => ({
    line,
    severity: 'error',
    text: `there is no capability ${JSON.stringify(name)}${meant(CAPABILITY_WORDS.get(name) ?? nearest(name, CAPABILITIES))}`,
  }))
  if (names.length > 1 && names.some(({ name }) => name === 'deny')) {
    const text = '"deny" denies everything: the other capabilities of this rule have no effect'
    findings.push({ line: item.at.line, severity: 'warning', text })
  }
  return findings
}

/** What people write for a capability by another name. */
const CAPABILITY_WORDS: ReadonlyMap<string, string> = new Map([
  ['write', 'update'],
  ['get', 'read'],
  ['put', 'update'],
  ['post', 'update'],
  ['remove', 'delete'],
])

function stringsIn({ value }: HclItem): readonly { name: string; line: number }[] {
  if (value.kind !== 'list') return []
  return value.items.flatMap((one) =>
    one.kind === 'string' ? [{ name: one.value, line: one.at.line }] : [],
  )
}
