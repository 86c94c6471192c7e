/**
 * From a policy's text to its rules (contract: http.md, 7). Error texts are those that clients of Vault know.
 */
import { HclError } from '../hcl/errors.ts'
import { parseHcl } from '../hcl/parse.ts'
import { blocksOf, type HclBlock } from '../hcl/read.ts'
import { PolicyBlock, quoted } from './block.ts'
import { CAPABILITY_BIT, isCapability } from './capability.ts'
import { parseControlGroup } from './control-group.ts'
import { InvalidPolicy } from './errors.ts'
import { parseListFilter, type ListFilter } from './list-filter.ts'
import type { ParameterRules, PathRule, Policy, PolicyNamespace } from './policy.ts'
import { parseTime } from '../time-text.ts'
import { parseTemplate } from './template.ts'

/** What a `path` block may say. */
export const PATH_KEYS = [
  'comment',
  'policy',
  'capabilities',
  'allowed_parameters',
  'denied_parameters',
  'required_parameters',
  'min_wrapping_ttl',
  'max_wrapping_ttl',
  'mfa_methods',
  'pagination_limit',
  'expiration',
  'list_scan_response_keys_filter_path',
  'control_group',
]

/** What the key `policy` stands for; older than capabilities. */
const LEGACY_POLICIES: ReadonlyMap<string, number> = new Map([
  ['deny', CAPABILITY_BIT.deny],
  ['read', bits('read', 'list')],
  ['write', bits('create', 'read', 'update', 'delete', 'list')],
  ['sudo', bits('create', 'read', 'update', 'delete', 'list', 'sudo')],
])
const NO_PARAMETERS: ParameterRules = new Map()

/**
 * @param text HCL or JSON; one in base64 is decoded by the caller
 * @throws {InvalidPolicy} its text is the wire's
 */
export function parsePolicy(
  text: string,
  owner: { name: string; namespace: PolicyNamespace },
): Policy {
  try {
    const root = parseHcl(text)
    new PolicyBlock('', root, ['name', 'path'], ['name', 'path'])
    const rules = blocksOf(root, 'path', 1).map(parseRule)
    return { ...owner, rules, templated: rules.some(({ path }) => path.includes('{{')) }
  } catch (error) {
    if (error instanceof HclError) throw new InvalidPolicy(error.message, error.line)
    throw error
  }
}

function parseRule({ labels: [label = ''], at: { line }, body }: HclBlock): PathRule {
  if (parseTemplate(label) === undefined) {
    throw new InvalidPolicy(
      'failed to validate policy templating: unbalanced templating characters',
      line,
    )
  }
  const inside = `path ${quoted(label)}`
  const block = new PolicyBlock(inside, body, PATH_KEYS)
  const path = label.startsWith('/') ? label.slice(1) : label
  if (path.includes('+*')) throw block.error("invalid use of wildcards ('+*' is forbidden)", line)
  block.text('comment')
  const capabilities = parseCapabilities(block)
  const denied = capabilities === CAPABILITY_BIT.deny
  return {
    path,
    line,
    capabilities,
    allowedParameters: denied ? NO_PARAMETERS : block.lists('allowed_parameters'),
    deniedParameters: denied ? NO_PARAMETERS : block.lists('denied_parameters'),
    requiredParameters: block.strings('required_parameters'),
    ...parseWrappingTtls(block),
    paginationLimit: block.integer('pagination_limit'),
    expiresAtMs: parseExpiration(block),
    listFilter: parseFilter(block, capabilities),
    mfaMethods: block.strings('mfa_methods'),
    controlGroup: parseControlGroup(inside, body),
  }
}

/** Once `deny` is said, nothing else is granted. */
function parseCapabilities(block: PolicyBlock): number {
  let granted = 0
  const legacy = block.text('policy')
  if (legacy !== undefined && legacy !== '') {
    const known = LEGACY_POLICIES.get(legacy)
    if (known === undefined)
      throw block.error(`invalid policy ${quoted(legacy)}`, block.get('policy')?.at.line)
    granted |= known
  }
  for (const name of block.strings('capabilities')) {
    if (!isCapability(name)) {
      throw block.error(`invalid capability ${quoted(name)}`, block.get('capabilities')?.at.line)
    }
    granted |= CAPABILITY_BIT[name]
  }
  return (granted & CAPABILITY_BIT.deny) === 0 ? granted : CAPABILITY_BIT.deny
}

function parseWrappingTtls(
  block: PolicyBlock,
): Pick<PathRule, 'minWrappingTtlSeconds' | 'maxWrappingTtlSeconds'> {
  const minWrappingTtlSeconds = block.seconds('min_wrapping_ttl')
  const maxWrappingTtlSeconds = block.seconds('max_wrapping_ttl')
  if (maxWrappingTtlSeconds !== 0 && maxWrappingTtlSeconds < minWrappingTtlSeconds) {
    const line = block.get('max_wrapping_ttl')?.at.line
    throw new InvalidPolicy('max_wrapping_ttl cannot be less than min_wrapping_ttl', line)
  }
  return { minWrappingTtlSeconds, maxWrappingTtlSeconds }
}

function parseExpiration(block: PolicyBlock): number | undefined {
  const text = block.text('expiration')
  if (text === undefined || text === '') return undefined
  const ms = parseTime(text)
  if (ms === undefined) {
    throw block.error(
      'expiration must be a time such as 2030-01-31T00:00:00Z',
      block.get('expiration')?.at.line,
    )
  }
  return ms
}

function parseFilter(block: PolicyBlock, capabilities: number): ListFilter | undefined {
  const key = 'list_scan_response_keys_filter_path'
  const text = block.text(key)
  if (text === undefined || text === '') return undefined
  const line = block.get(key)?.at.line
  if ((capabilities & CAPABILITY_BIT.list) === 0) {
    throw new InvalidPolicy(`${key} needs to be used on a path with the list capability`, line)
  }
  const filter = parseListFilter(text)
  if (filter === undefined) {
    throw block.error(
      `${key} must be text with {{ .key }} and, if one likes, {{ .path }} in it`,
      line,
    )
  }
  return filter
}

function bits(...names: readonly (keyof typeof CAPABILITY_BIT)[]): number {
  return names.reduce((sum, name) => sum | CAPABILITY_BIT[name], 0)
}
