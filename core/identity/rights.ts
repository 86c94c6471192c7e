/** What a token may beyond its own policies because of who holds it. */
import { PermissionDenied } from '../errors.ts'
import type { IdentityFacts } from '../policy/template.ts'
import type { View } from '../store/view.ts'
import type { TokenRecord } from '../tokens/record.ts'
import { findEntityAbove } from './entities.ts'
import { groupsAbove, groupsOf } from './groups.ts'
import type { Entity, Group } from './records.ts'

/** Policies that are looked for in one namespace. */
export interface PolicySet {
  readonly namespaceId: string
  readonly names: readonly string[]
}

export interface Identity {
  readonly facts: IdentityFacts
  /** Of the entity and of all groups that it is in; each namespace once. */
  readonly policies: readonly PolicySet[]
  /** The records that it was made of: it is good while they are those. */
  readonly records: readonly unknown[]
}

/**
 * hot: who holds the token. A token of an entity that is gone or disabled is good for nothing.
 *
 * @returns `undefined`: nobody in particular
 * @throws {PermissionDenied}
 */
export async function identityOf(root: View, token: Held): Promise<Identity | undefined> {
  const identity = await findIdentity(root, token)
  if (token.entityId !== '' && identity === undefined) throw new PermissionDenied()
  return identity
}

/** As `identityOf`, for who only looks at a token. @returns `undefined` also for an entity that is gone or disabled */
export async function findIdentity(
  root: View,
  { entityId, namespaceId }: Held,
): Promise<Identity | undefined> {
  if (entityId === '') return undefined
  const found = await findEntityAbove({ root, namespaceId }, entityId)
  if (found === undefined || found.entity.disabled) return undefined
  return identityOfEntity(root, found.entity, found.namespaceId)
}

type Held = Pick<TokenRecord, 'entityId' | 'namespaceId'>

export async function identityOfEntity(
  root: View,
  entity: Entity,
  namespaceId: string,
): Promise<Identity> {
  const groups = await groupsAbove({ root }, await groupsOf(root, entity))
  return {
    facts: { entity: entityFacts(entity), groups: groups.map(groupFacts) },
    policies: policySets(entity, namespaceId, groups),
    records: [entity, ...groups],
  }
}

/** The names of this namespace's policies among them, in order. */
export function policiesIn(identity: Identity | undefined, namespaceId: string): readonly string[] {
  return identity?.policies.find((set) => set.namespaceId === namespaceId)?.names ?? []
}

function policySets(
  entity: Entity,
  namespaceId: string,
  groups: readonly Group[],
): readonly PolicySet[] {
  const names = new Map([[namespaceId, new Set(entity.policies)]])
  for (const group of groups) {
    const set = names.get(group.namespaceId) ?? new Set()
    names.set(group.namespaceId, set)
    for (const name of group.policies) set.add(name)
  }
  return [...names]
    .filter(([, set]) => set.size > 0)
    .map(([id, set]) => ({ namespaceId: id, names: [...set].sort() }))
}

function entityFacts({ id, name, metadata, aliases }: Entity): IdentityFacts['entity'] {
  return {
    id,
    name,
    metadata: metadata ?? {},
    aliases: aliases.map((alias) => ({
      id: alias.id,
      name: alias.name,
      mountAccessor: alias.mountAccessor,
      metadata: alias.metadata ?? {},
      customMetadata: alias.customMetadata ?? {},
    })),
  }
}

function groupFacts({ id, name, namespaceId, metadata }: Group): IdentityFacts['groups'][number] {
  return { id, name, namespaceId, metadata: metadata ?? {} }
}
