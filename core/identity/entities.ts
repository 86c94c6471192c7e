/** Finds entities and changes them, with all that leads to them. */
import { BadRequest } from '../errors.ts'
import { findNamespace, ROOT } from '../namespaces.ts'
import type { Random } from '../random.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { View } from '../store/view.ts'
import {
  aliasKey,
  aliasNameKey,
  entities,
  entityKey,
  entityNameKey,
  groupMembers,
  identityLinks,
  memberKey,
  type Alias,
  type Entity,
} from './records.ts'

/** An entity is written, and removed, with all that leads to it in one commit. */
const MOST_ALIASES = 100
const MOST_DIRECT_GROUPS = 200

/** What changes of identity are made with. */
export interface IdentityContext {
  readonly root: View
  readonly namespaceId: string
  readonly nowMs: number
  readonly random: Random
}

export type Place = Pick<IdentityContext, 'root' | 'namespaceId'>

/** hot: the entity with this id. */
export function findEntity(
  { root, namespaceId }: Place,
  id: string,
): Awaitable<Entity | undefined> {
  return root.get(entities, entityKey(namespaceId, id))
}

/** hot: the entity of a token, which may live in a namespace above the token's. */
export async function findEntityAbove(
  { root, namespaceId }: Place,
  id: string,
): Promise<{ readonly entity: Entity; readonly namespaceId: string } | undefined> {
  let at = namespaceId
  for (;;) {
    const entity = await findEntity({ root, namespaceId: at }, id)
    if (entity !== undefined) return { entity, namespaceId: at }
    if (at === ROOT.id) return undefined
    at = (await findNamespace(root, at))?.parentId ?? ROOT.id
  }
}

/** The entity of this name, whatever its capitals. */
export async function entityNamed(place: Place, name: string): Promise<Entity | undefined> {
  const link = await place.root.get(identityLinks, entityNameKey(place.namespaceId, name))
  return link && findEntity(place, link.id)
}

export interface Known {
  readonly entity: Entity
  readonly alias: Alias
}

/** hot: who logs in as this at that mount. */
export async function entityOfAlias(
  place: Place,
  mountAccessor: string,
  name: string,
): Promise<Known | undefined> {
  const key = aliasNameKey(place.namespaceId, mountAccessor, name)
  const link = await place.root.get(identityLinks, key)
  return link && aliasWithId(place, link.id)
}

/** The alias with this id, and whose it is. */
export async function aliasWithId(place: Place, id: string): Promise<Known | undefined> {
  const link = await place.root.get(identityLinks, aliasKey(place.namespaceId, id))
  const entity = link && (await findEntity(place, link.id))
  const alias = entity?.aliases.find((one) => one.id === id)
  return entity === undefined || alias === undefined ? undefined : { entity, alias }
}

/** An entity with nothing but a name; it is there once `putEntity` was called. */
export function newEntity({ nowMs, random, namespaceId }: IdentityContext, name?: string): Entity {
  return {
    id: random.uuid(),
    name: name ?? `entity_${random.nonce(4).toString('hex')}.${namespaceId}`,
    metadata: null,
    policies: [],
    disabled: false,
    aliases: [],
    groups: [],
    merged: [],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
}

export function newAlias(
  { nowMs, random }: IdentityContext,
  mount: { readonly accessor: string; readonly uuid: string },
  name: string,
): Alias {
  return {
    id: random.uuid(),
    name,
    mountAccessor: mount.accessor,
    mountUuid: mount.uuid,
    metadata: null,
    customMetadata: null,
    mergedFrom: [],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
}

/**
 * Writes the entity and what leads to it.
 *
 * @param before as it was; `undefined`: it is new
 * @throws {BadRequest} another one has the name, or it has too many aliases
 */
export async function putEntity(
  { root, namespaceId }: Place,
  before: Entity | undefined,
  entity: Entity,
): Promise<void> {
  if (entity.aliases.length > MOST_ALIASES) {
    throw new BadRequest(`an entity may have at most ${MOST_ALIASES} aliases`)
  }
  const nameKey = entityNameKey(namespaceId, entity.name)
  const beforeNameKey = before && entityNameKey(namespaceId, before.name)
  if (nameKey !== beforeNameKey) {
    if ((await root.get(identityLinks, nameKey)) !== undefined) {
      throw new BadRequest('entity name is already in use')
    }
    if (beforeNameKey !== undefined) root.delete(beforeNameKey)
    root.put(identityLinks, nameKey, { id: entity.id })
  }
  const held = new Set(entity.aliases.map(({ id }) => id))
  for (const alias of before?.aliases ?? []) {
    root.delete(aliasNameKey(namespaceId, alias.mountAccessor, alias.name))
    if (!held.has(alias.id)) root.delete(aliasKey(namespaceId, alias.id))
  }
  for (const alias of entity.aliases) {
    const { id, mountAccessor, name } = alias
    root.put(identityLinks, aliasNameKey(namespaceId, mountAccessor, name), { id })
    root.put(identityLinks, aliasKey(namespaceId, id), { id: entity.id })
  }
  root.put(entities, entityKey(namespaceId, entity.id), entity)
}

/** Only what nothing leads to has changed: metadata, policies, groups. */
export function replaceEntity({ root, namespaceId }: Place, entity: Entity): void {
  root.put(entities, entityKey(namespaceId, entity.id), entity)
}

/** Removes the entity from its groups as well; its tokens are good for nothing from then on. */
export function removeEntity({ root, namespaceId }: Place, entity: Entity): void {
  for (const { id, mountAccessor, name } of entity.aliases) {
    root.delete(aliasKey(namespaceId, id))
    root.delete(aliasNameKey(namespaceId, mountAccessor, name))
  }
  for (const group of entity.groups) {
    root.delete(memberKey(group.namespaceId, group.groupId, entity.id))
  }
  root.delete(entityNameKey(namespaceId, entity.name))
  root.delete(entityKey(namespaceId, entity.id))
}

/**
 * Puts the entity into groups in the place of those that it was in.
 *
 * @returns it, not yet written
 * @throws {BadRequest} they are too many
 */
export function withGroups(root: View, entity: Entity, memberships: Entity['groups']): Entity {
  if (memberships.length > MOST_DIRECT_GROUPS) {
    throw new BadRequest(`an entity may be in at most ${MOST_DIRECT_GROUPS} groups directly`)
  }
  const wanted = new Set(memberships.map(({ groupId }) => groupId))
  const had = new Set(entity.groups.map(({ groupId }) => groupId))
  for (const { groupId, namespaceId } of entity.groups) {
    if (!wanted.has(groupId)) root.delete(memberKey(namespaceId, groupId, entity.id))
  }
  for (const { groupId, namespaceId } of memberships) {
    if (!had.has(groupId)) root.put(groupMembers, memberKey(namespaceId, groupId, entity.id), {})
  }
  return { ...entity, groups: memberships }
}

/** Records that change when the entity is removed, or becomes part of another. */
function weightOf({ aliases, groups }: Entity): number {
  return 2 + 4 * aliases.length + 2 * groups.length
}

/** Changes that one request may make of entities, with room for what else it writes. */
const MOST_CHANGES = 800

/** @throws {BadRequest} their records do not fit into one commit */
export function demandLight(entities: readonly Entity[], field: string): void {
  const weight = entities.reduce((sum, entity) => sum + weightOf(entity), 0)
  if (weight <= MOST_CHANGES) return
  throw new BadRequest(
    `the entities in ${field} have too many aliases and groups for one request; name fewer`,
  )
}
