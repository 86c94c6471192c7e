/**
 * `{{identity...}}` in the paths of rules (contract: http.md, 7.3). A rule whose path cannot be filled in is dropped.
 */
import type { PathRule, Policy } from './policy.ts'

/** What templates may ask about whoever holds a token. */
export interface IdentityFacts {
  readonly entity: EntityFacts
  /** All groups that the entity is in, directly or not. */
  readonly groups: readonly GroupFacts[]
}

export interface EntityFacts {
  readonly id: string
  readonly name: string
  readonly metadata: Metadata
  readonly aliases: readonly AliasFacts[]
}

export interface AliasFacts {
  readonly id: string
  readonly name: string
  readonly mountAccessor: string
  readonly metadata: Metadata
  readonly customMetadata: Metadata
}

export interface GroupFacts {
  readonly id: string
  readonly name: string
  readonly namespaceId: string
  readonly metadata: Metadata
}

type Metadata = Readonly<Record<string, string>>

export interface TemplateOptions {
  /** Values may hold `*` and `+`, and so widen the rule. */
  readonly allowWildcards: boolean
  /** Values may hold `/`, and so reach below another folder. */
  readonly allowSlashes: boolean
}

type TemplatePart = { readonly text: string } | { readonly reference: string }

/** @returns the parts in order; nothing if `{{` and `}}` do not pair */
export function parseTemplate(text: string): readonly TemplatePart[] | undefined {
  const [first = '', ...rest] = text.split('{{')
  if (first.includes('}}')) return undefined
  const parts: TemplatePart[] = [{ text: first }]
  for (const piece of rest) {
    const [reference, after, more] = piece.split('}}')
    if (reference === undefined || after === undefined || more !== undefined) return undefined
    parts.push({ reference: reference.trim() }, { text: after })
  }
  return parts
}

/**
 * The policy with its paths filled in. A rule is dropped if a value is unknown, empty, or holds what would make the
 * path reach further than its author wrote: `*`, `+`, `/` (unless the policy allows them), or template braces.
 *
 * @param identity of the token's entity; undefined: the token has none
 */
export function renderTemplates(
  policy: Policy,
  identity: IdentityFacts | undefined,
  options: TemplateOptions = { allowWildcards: false, allowSlashes: false },
): Policy {
  if (!policy.templated) return policy
  const rules: PathRule[] = []
  for (const rule of policy.rules) {
    const path = rule.path.includes('{{')
      ? render(rule.path, policy.namespace.id, identity, options)
      : rule.path
    if (path !== undefined) rules.push(path === rule.path ? rule : { ...rule, path })
  }
  return { ...policy, rules, templated: false }
}

function render(
  path: string,
  namespaceId: string,
  identity: IdentityFacts | undefined,
  options: TemplateOptions,
): string | undefined {
  let rendered = ''
  for (const part of parseTemplate(path) ?? []) {
    const value =
      'text' in part ? part.text : identity && resolve(part.reference, identity, namespaceId)
    if (value === undefined || ('reference' in part && !isHarmless(value, options)))
      return undefined
    rendered += value
  }
  // A value may complete what the text begins: `+` before `*` is forbidden there too.
  return rendered.includes('+*') ? undefined : rendered
}

function isHarmless(value: string, { allowWildcards, allowSlashes }: TemplateOptions): boolean {
  if (value === '' || value.includes('{{')) return false
  return (allowWildcards || !/[*+]/.test(value)) && (allowSlashes || !value.includes('/'))
}

function resolve(
  reference: string,
  { entity, groups }: IdentityFacts,
  namespaceId: string,
): string | undefined {
  const ofEntity = after('identity.entity.', reference)
  if (ofEntity !== undefined) return resolveEntity(ofEntity, entity)
  const byId = after('identity.groups.ids.', reference)
  if (byId !== undefined) return resolveGroup(byId, (key) => groups.find(({ id }) => id === key))
  const byName = after('identity.groups.names.', reference)
  // A name means a group of the policy's own namespace only: another's may have the same.
  return byName === undefined
    ? undefined
    : resolveGroup(byName, (key) =>
        groups.find((group) => group.name === key && group.namespaceId === namespaceId),
      )
}

function resolveEntity(reference: string, entity: EntityFacts): string | undefined {
  if (reference === 'id') return entity.id
  if (reference === 'name') return entity.name
  const key = after('metadata.', reference)
  if (key !== undefined) return metadataOf(entity.metadata, key)
  const [accessor, attribute] = cut(after('aliases.', reference) ?? '')
  const found = entity.aliases.filter(({ mountAccessor }) => mountAccessor === accessor)
  const [alias] = found
  // Of two aliases on one mount neither can be said to be meant.
  return alias === undefined || found.length > 1 ? undefined : resolveAlias(attribute, alias)
}

function resolveAlias(reference: string, alias: AliasFacts): string | undefined {
  if (reference === 'id') return alias.id
  if (reference === 'name') return alias.name
  const key = after('metadata.', reference)
  if (key !== undefined) return metadataOf(alias.metadata, key)
  const custom = after('custom_metadata.', reference)
  return custom === undefined ? undefined : metadataOf(alias.customMetadata, custom)
}

function resolveGroup(
  reference: string,
  find: (key: string) => GroupFacts | undefined,
): string | undefined {
  const [groupKey, attribute] = cut(reference)
  const group = find(groupKey)
  if (group === undefined) return undefined
  if (attribute === 'id') return group.id
  if (attribute === 'name') return group.name
  const key = after('metadata.', attribute)
  return key === undefined ? undefined : metadataOf(group.metadata, key)
}

function metadataOf(metadata: Metadata, key: string): string | undefined {
  return Object.hasOwn(metadata, key) ? metadata[key] : undefined
}

function after(prefix: string, text: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined
}

/** Before and after the first dot. */
function cut(text: string): readonly [string, string] {
  const dot = text.indexOf('.')
  return dot < 0 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)]
}
